//! Collects the remarks of `tenantry migrate`, and prints its report as a table or as JSON.
//!
//! There may be a remark for each document, so a table keeps the first ones of each kind, and JSON keeps
//! them in a temporary file.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Seek, Write},
};

use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeSeq},
};
use serde_json::{Value, json};

use crate::{
    config::ReportFormat,
    domain::migration::{
        MigrationOptions, OldCollection,
        report::{CollectionCounts, Finding, FindingKind, MigrationReport},
    },
};

/// The number of remarks of one kind that the table shows.
const MAX_SHOWN: usize = 20;

/// The remarks of a migration, in constant memory.
pub(super) enum FindingLog {
    /// The number of remarks of each kind, and the first ones.
    Table(BTreeMap<FindingKind, (u64, Vec<Finding>)>),
    /// A temporary file with one remark a line, or the error that ended it.
    Json(io::Result<BufWriter<File>>),
}

impl FindingLog {
    pub(super) fn new(format: ReportFormat) -> Self {
        match format {
            ReportFormat::Text => Self::Table(BTreeMap::new()),
            ReportFormat::Json => Self::Json(tempfile::tempfile().map(BufWriter::new)),
        }
    }

    /// Adds a remark. If the file fails, the migration goes on, and [`print`](Self::print) returns the
    /// error.
    pub(super) fn add(&mut self, finding: Finding) {
        match self {
            Self::Table(kinds) => {
                let (count, shown) = kinds.entry(finding.kind).or_default();
                *count += 1;
                if shown.len() < MAX_SHOWN {
                    shown.push(finding);
                }
            }
            Self::Json(file) => {
                if let Ok(writer) = file
                    && let Err(error) = writeln!(writer, "{}", to_json(&finding))
                {
                    *file = Err(error);
                }
            }
        }
    }

    /// Prints the report on standard output.
    pub(super) fn print(
        self,
        report: &MigrationReport,
        options: &MigrationOptions,
    ) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        match self {
            Self::Table(kinds) => write!(out, "{}", TextReport { report, options, kinds: &kinds })?,
            Self::Json(file) => {
                let mut file = file?.into_inner()?;
                file.rewind()?;
                let lines = Lines(RefCell::new(BufReader::new(file)));
                serde_json::to_writer_pretty(&mut out, &JsonReport::new(report, options, lines))?;
                writeln!(out)?;
            }
        }
        out.flush()
    }
}

/// The report for people.
struct TextReport<'a> {
    report: &'a MigrationReport,
    options: &'a MigrationOptions,
    kinds: &'a BTreeMap<FindingKind, (u64, Vec<Finding>)>,
}

impl fmt::Display for TextReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, options, kinds } = self;
        write_table(f, report, options.finish)?;
        for (kind, (count, shown)) in *kinds {
            write_findings(f, *kind, *count, shown)?;
        }
        if !report.dropped_indexes.is_empty() {
            writeln!(f, "\nUnique indexes dropped, which would reject the gateway's writes:")?;
            for (collection, name) in &report.dropped_indexes {
                writeln!(f, "  {collection}.{name}")?;
            }
        }
        let end = match (options.dry_run, report.changed) {
            (true, true) => "This was a dry run. Nothing was changed.",
            (true, false) => "This was a dry run. There is nothing to change.",
            (false, true) => "The database is migrated.",
            (false, false) => "There was nothing to change.",
        };
        writeln!(f, "\n{end}")
    }
}

/// Writes the numbers of documents. Only `--finish` removes old fields.
fn write_table(f: &mut fmt::Formatter<'_>, report: &MigrationReport, finish: bool) -> fmt::Result {
    write!(f, "{:<14} {:>10} {:>10}", "collection", "documents", "converted")?;
    if finish {
        write!(f, " {:>18}", "old fields removed")?;
    }
    writeln!(f, " {:>10} {:>10}", "unchanged", "left as is")?;
    for (collection, counts) in OldCollection::ALL.iter().zip(&report.counts) {
        let CollectionCounts { documents, converted, finished, unchanged, left } = counts;
        write!(f, "{:<14} {documents:>10} {converted:>10}", collection.as_str())?;
        if finish {
            write!(f, " {finished:>18}")?;
        }
        writeln!(f, " {unchanged:>10} {left:>10}")?;
    }
    Ok(())
}

fn write_findings(
    f: &mut fmt::Formatter<'_>,
    kind: FindingKind,
    count: u64,
    shown: &[Finding],
) -> fmt::Result {
    writeln!(f, "\n{} ({count}):", kind.title())?;
    for Finding { collection, id, detail, .. } in shown {
        writeln!(f, "  {} {id}: {detail}", collection.as_str())?;
    }
    match count.saturating_sub(shown.len() as u64) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more, which `--format json` lists"),
    }
}

/// The report for programs, with every remark.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonReport {
    changed: bool,
    collections: BTreeMap<&'static str, Value>,
    dropped_indexes: Vec<Value>,
    dry_run: bool,
    findings: Lines,
    finish: bool,
}

impl JsonReport {
    fn new(report: &MigrationReport, options: &MigrationOptions, findings: Lines) -> Self {
        let counts = |(collection, counts): (&OldCollection, _)| {
            let CollectionCounts { documents, converted, finished, unchanged, left } = counts;
            let counts = json!({
                "documents": documents,
                "converted": converted,
                "finished": finished,
                "unchanged": unchanged,
                "left": left,
            });
            (collection.as_str(), counts)
        };
        let index = |(collection, name): &(String, String)| json!({ "collection": collection, "name": name });
        Self {
            changed: report.changed,
            collections: OldCollection::ALL.iter().zip(report.counts).map(counts).collect(),
            dropped_indexes: report.dropped_indexes.iter().map(index).collect(),
            dry_run: options.dry_run,
            findings,
            finish: options.finish,
        }
    }
}

/// A file with one JSON value a line, which is serialized as an array.
struct Lines(RefCell<BufReader<File>>);

impl Serialize for Lines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        for line in (&mut *self.0.borrow_mut()).lines() {
            let line = line.map_err(S::Error::custom)?;
            let value: Value = serde_json::from_str(&line).map_err(S::Error::custom)?;
            array.serialize_element(&value)?;
        }
        array.end()
    }
}

fn to_json(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind.as_str(),
        "collection": finding.collection.as_str(),
        "id": finding.id,
        "detail": finding.detail,
    })
}
