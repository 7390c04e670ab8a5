//! An export that is imported into the other store and exported again has the same bytes.

use std::os::unix::fs::PermissionsExt;

use super::{Workplace, rich_data};
use crate::support::mongod::FreshDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn export_has_the_same_bytes_on_both_stores() {
    let place = Workplace::new();
    let sqlite = place.sqlite("a.db", &rich_data()).await;
    place.succeed(&sqlite, &["seed", "--demo", "20"]);
    let first = place.succeed(&sqlite, &["export"]);
    assert!(
        first.starts_with("{\"format\":\"tenantry\",\"version\":1,\"scope\":\"all\"}\n"),
        "{first}"
    );
    insta::assert_snapshot!(
        "export",
        first
            .lines()
            .filter(|line| !line.contains("emo-"))
            .filter(|line| {
                // Identifiers of the seed are random. Those of the rich data are not.
                line.contains("7465737473")
                    || line.contains("\"format\"")
                    || line.contains("\"tombstone\"")
            })
            .collect::<Vec<_>>()
            .join("\n")
    );
    place.succeed(&sqlite, &["export", "--output", "a.ndjson"]);
    let file = place.path().join("a.ndjson");
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), first);
    let mode = std::fs::metadata(&file).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only the owner can read personal data");

    let fresh = FreshDatabase::new().await;
    // The tenant of the bootstrap alone counts as empty.
    place.succeed(&fresh.uri, &["seed"]);
    let printed = place.succeed(&fresh.uri, &["import", "a.ndjson"]);
    assert_eq!(printed, format!("imported {} records\n", first.lines().count() - 1));
    let second = place.succeed(&fresh.uri, &["export"]);
    assert!(second == first, "MongoDB exports other bytes than SQLite");

    place.write("b.ndjson", second);
    place.succeed("sqlite://b.db", &["seed"]);
    place.succeed("sqlite://b.db", &["import", "b.ndjson"]);
    assert!(place.succeed("sqlite://b.db", &["export"]) == first, "the way back changes bytes");
    place.succeed("sqlite://b.db", &["seed"]);
    assert!(
        place.succeed("sqlite://b.db", &["export"]) == first,
        "the default tenant was restored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_read_to_its_end_first() {
    let place = Workplace::new();
    let sqlite = place.sqlite("a.db", &rich_data()).await;
    let export = place.succeed(&sqlite, &["export"]);
    place.write("a.ndjson", &export);
    let import = format!("{} import - < a.ndjson", env!("CARGO_BIN_EXE_tenantry"));
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("cat a.ndjson | {}", import.replace(" < a.ndjson", ""))]);
    shell.current_dir(place.path()).env("TENANTRY_DATABASE_URL", "sqlite://b.db");
    let output = shell.output().expect("a shell");
    assert!(output.status.success(), "{}", super::text(&output.stderr));
    assert_eq!(place.succeed("sqlite://b.db", &["export"]), export);
}
