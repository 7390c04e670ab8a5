//! The options of `tenantry migrate`.

use clap::{Args, ValueEnum};

use super::error::ConfigError;
use crate::domain::migration::{FieldMapping, MigrationOptions, OldCollection};

const MAP: &str = "--map";
const MAP_EXPECTED: &str = "COLLECTION.OLD=NAME, e.g. users.sub=authentikSubjectId";

/// Options of the migration from the former Node service.
#[derive(Args, Clone, Debug)]
pub struct MigrateOptions {
    /// Report what the migration would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Also remove the fields that only the former service reads. Use it when that service is stopped.
    #[arg(long)]
    pub finish: bool,
    /// Field of the database that stands for a known name: `users.sub=authentikSubjectId` says that
    /// the users have their subject in `sub`. Repeat the option for each field.
    #[arg(long, value_name = "COLLECTION.OLD=NAME")]
    pub map: Vec<String>,
    /// Format of the report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text, value_name = "FORMAT")]
    pub format: ReportFormat,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A table for people.
    Text,
    /// JSON for programs, with every remark.
    Json,
}

impl MigrateOptions {
    /// Validates the mappings of fields.
    ///
    /// # Errors
    ///
    /// Returns an error if a mapping has another form, or an unknown collection or name.
    pub fn validate(&self) -> Result<MigrationOptions, ConfigError> {
        let mappings = self.map.iter().map(|mapping| parse_mapping(mapping));
        Ok(MigrationOptions {
            dry_run: self.dry_run,
            finish: self.finish,
            mappings: mappings.collect::<Result<_, _>>()?,
        })
    }
}

fn parse_mapping(text: &str) -> Result<FieldMapping, ConfigError> {
    let invalid = |expected: &str| ConfigError::invalid(MAP, "mapping", text, expected.to_owned());
    let (path, name) = text.split_once('=').ok_or_else(|| invalid(MAP_EXPECTED))?;
    let (collection, stored) = path.split_once('.').ok_or_else(|| invalid(MAP_EXPECTED))?;
    let collection = OldCollection::parse(collection)
        .ok_or_else(|| invalid("the collection tenants, users or subscriptions"))?;
    let is_field = |field: &str| !field.is_empty() && !field.starts_with('$');
    if !stored.split('.').all(is_field) || stored == "_id" {
        return Err(invalid(MAP_EXPECTED));
    }
    let known = collection.fields();
    let name = known.iter().find(|known| **known == name);
    let name = name.ok_or_else(|| invalid(&format!("one of the names {}", known.join(", "))))?;
    Ok(FieldMapping { collection, stored: stored.to_owned(), name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_names_a_collection_a_path_and_a_known_field() {
        let mapping = parse_mapping("tenants.sso.group=authentikGroup").expect("valid");
        assert_eq!(mapping.collection, OldCollection::Tenants);
        assert_eq!((mapping.stored.as_str(), mapping.name), ("sso.group", "authentikGroup"));
        for (invalid, expected) in [
            ("users.sub", "e.g. users.sub=authentikSubjectId"),
            ("sub=authentikSubjectId", "e.g. users.sub=authentikSubjectId"),
            ("orders.sub=name", "tenants, users or subscriptions"),
            ("users.sub=subject", "one of the names authentikSubjectId, tenantIds"),
            ("users.=name", "COLLECTION.OLD=NAME"),
            ("users.$x=name", "COLLECTION.OLD=NAME"),
            ("users.a..b=name", "COLLECTION.OLD=NAME"),
            ("users._id=name", "COLLECTION.OLD=NAME"),
        ] {
            let error = parse_mapping(invalid).expect_err("invalid").to_string();
            assert!(error.contains(expected) && error.contains(invalid), "{error}");
        }
    }
}
