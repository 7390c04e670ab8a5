//! Prints the report of `tenantry migrate` as a table and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::domain::migration::{
    MigrationOptions, OldCollection,
    report::{CollectionCounts, Finding, FindingKind, MigrationReport},
};

/// The number of remarks of one kind that the table shows.
const MAX_SHOWN: usize = 20;

/// Returns the report as text.
pub(super) fn text(report: &MigrationReport, options: &MigrationOptions) -> String {
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = write_table(&mut text, report);
    for kind in FindingKind::ALL {
        let findings: Vec<_> = report.findings.iter().filter(|f| f.kind == *kind).collect();
        if !findings.is_empty() {
            let _ = write_findings(&mut text, *kind, &findings);
        }
    }
    if !report.dropped_indexes.is_empty() {
        let _ =
            writeln!(text, "\nUnique indexes dropped, which would reject the gateway's writes:");
        for (collection, name) in &report.dropped_indexes {
            let _ = writeln!(text, "  {collection}.{name}");
        }
    }
    let end = match (options.dry_run, report.changed) {
        (true, true) => "This was a dry run. Nothing was changed.",
        (true, false) => "This was a dry run. There is nothing to change.",
        (false, true) => "The database is migrated.",
        (false, false) => "There was nothing to change.",
    };
    let _ = writeln!(text, "\n{end}");
    text
}

fn write_table(text: &mut String, report: &MigrationReport) -> std::fmt::Result {
    writeln!(
        text,
        "{:<14} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "collection", "documents", "converted", "finished", "unchanged", "left"
    )?;
    for (collection, counts) in OldCollection::ALL.iter().zip(&report.counts) {
        writeln!(
            text,
            "{:<14} {:>10} {:>10} {:>10} {:>10} {:>10}",
            collection.as_str(),
            counts.documents,
            counts.converted,
            counts.finished,
            counts.unchanged,
            counts.left
        )?;
    }
    Ok(())
}

fn write_findings(text: &mut String, kind: FindingKind, findings: &[&Finding]) -> std::fmt::Result {
    writeln!(text, "\n{} ({}):", kind.title(), findings.len())?;
    for Finding { collection, id, detail, .. } in findings.iter().take(MAX_SHOWN) {
        writeln!(text, "  {} {id}: {detail}", collection.as_str())?;
    }
    if findings.len() > MAX_SHOWN {
        let more = findings.len() - MAX_SHOWN;
        writeln!(text, "  and {more} more, which `--format json` lists")?;
    }
    Ok(())
}

/// Returns the report as JSON, with every remark.
pub(super) fn json(report: &MigrationReport, options: &MigrationOptions) -> Value {
    let counts = |(collection, counts): (&OldCollection, _)| {
        let CollectionCounts { documents, converted, finished, unchanged, left } = counts;
        let counts = json!({
            "documents": documents,
            "converted": converted,
            "finished": finished,
            "unchanged": unchanged,
            "left": left,
        });
        (collection.as_str().to_owned(), counts)
    };
    let collections: serde_json::Map<_, _> =
        OldCollection::ALL.iter().zip(report.counts).map(counts).collect();
    let finding = |finding: &Finding| {
        json!({
            "kind": finding.kind.as_str(),
            "collection": finding.collection.as_str(),
            "id": finding.id,
            "detail": finding.detail,
        })
    };
    let index =
        |(collection, name): &(String, String)| json!({ "collection": collection, "name": name });
    json!({
        "dryRun": options.dry_run,
        "finish": options.finish,
        "changed": report.changed,
        "collections": collections,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "droppedIndexes": report.dropped_indexes.iter().map(index).collect::<Vec<_>>(),
    })
}
