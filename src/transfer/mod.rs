//! Exports all data or one tenant as NDJSON, and imports it.
//!
//! `line` and `line_types` have the form of each line, and `scope` the parts that belong to one tenant. `export` writes a
//! file. `reader` reads the lines of one, `validate` checks it, `conflicts` compares it with the
//! database, and `import` writes it.
//!
//! **Invariants:** the same data gives the same bytes on both stores. Memory does not grow with the
//! data, except for a few bytes for each tenant and for each unique value. An import that finds a fault
//! writes nothing.

mod conflicts;
mod error;
mod export;
mod import;
mod line;
mod line_types;
mod reader;
mod scope;
mod unique;
mod validate;

pub use error::TransferError;
pub use export::{ExportCounts, Exporter};
pub use import::{ImportCounts, Importer};
pub use validate::{ImportFile, validate};
