//! The takeover of a database that the former Node service wrote with Mongoose.

mod interrupted;
mod rights;
mod shapes;
mod takeover;

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Output, Stdio},
};

use futures_util::TryStreamExt;
use mongodb::{
    Database,
    bson::{Document, doc},
};
use serde_json::Value;

use crate::{
    cli::{run, text},
    support::mongod::FreshDatabase,
};

/// Runs the former service, which ends after one command.
fn service(arguments: &[&str]) -> String {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mongoose");
    assert!(
        home.join("node_modules/mongoose").exists(),
        "these tests need Mongoose. Run: scripts/lay-out-npm tests/mongoose"
    );
    let mut node = Command::new("node");
    node.current_dir(home).arg("service.mjs").args(arguments).stdin(Stdio::null());
    let output = node.output().expect("node");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// A database of the former service.
struct OldDatabase {
    fresh: FreshDatabase,
    folder: tempfile::TempDir,
}

impl OldDatabase {
    /// Writes a database with this number of users, and with damaged documents.
    async fn write(users: u32) -> Self {
        let (fresh, folder) = (FreshDatabase::new().await, tempfile::tempdir().expect("a folder"));
        service(&["write", &fresh.uri, &users.to_string()]);
        Self { fresh, folder }
    }

    /// Returns what the former service reads.
    fn read(&self) -> Value {
        serde_json::from_str(&service(&["read", &self.fresh.uri])).expect("JSON")
    }

    /// Runs a command of the program on this database.
    fn run(&self, arguments: &[&str]) -> Output {
        let variables = [
            ("TENANTRY_DATABASE_URL", self.fresh.uri.as_str()),
            ("TENANTRY_OIDC_ISSUER", "http://127.0.0.1:9/"),
            ("TENANTRY_OIDC_AUDIENCE", "portal"),
            ("TENANTRY_BIND", "127.0.0.1:0"),
            ("TENANTRY_ADMIN_BIND", "127.0.0.1:0"),
        ];
        run(self.folder.path(), arguments, &variables)
    }

    /// Runs `migrate` and returns its report.
    fn migrate(&self, arguments: &[&str], exit_code: i32) -> Value {
        let arguments = [&["migrate", "--format", "json"], arguments].concat();
        let output = self.run(&arguments);
        assert_eq!(output.status.code(), Some(exit_code), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

/// Every document and index of a database.
type Dump = BTreeMap<String, Vec<String>>;

/// Returns all documents in the order of their identifiers, and all indexes.
async fn dump(database: &Database) -> Dump {
    let mut dump = Dump::new();
    for name in database.list_collection_names().await.expect("names") {
        let collection = database.collection::<Document>(&name);
        let documents = collection.find(doc! {}).sort(doc! { "_id": 1 }).await.expect("documents");
        let documents: Vec<_> = documents.try_collect().await.expect("documents");
        let mut lines: Vec<_> = documents.iter().map(|found| format!("{found:?}")).collect();
        let indexes = collection.list_indexes().await.expect("indexes");
        let indexes: Vec<_> = indexes.try_collect().await.expect("indexes");
        let mut indexes: Vec<_> = indexes.iter().map(|index| format!("{index:?}")).collect();
        indexes.sort_unstable();
        lines.extend(indexes);
        dump.insert(name, lines);
    }
    dump
}

/// Returns the documents of a collection that match a filter.
async fn find(database: &Database, collection: &str, filter: Document) -> Vec<Document> {
    let collection = database.collection::<Document>(collection);
    let found = collection.find(filter).sort(doc! { "_id": 1 }).await.expect("documents");
    found.try_collect().await.expect("documents")
}
