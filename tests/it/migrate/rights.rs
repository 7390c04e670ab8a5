//! Database users with too few rights.

use mongodb::{Client, bson::doc};

use super::{OldDatabase, dump, service};
use crate::{
    cli::text,
    support::mongod::{FreshDatabase, Mongod},
};

/// The role `read` is sufficient for a dry run, and `readWrite` for a migration. A missing right is
/// named without the values of the command.
#[tokio::test(flavor = "multi_thread")]
async fn missing_right_is_named() {
    let mongod = Mongod::secured("root").await;
    let host = mongod.host();
    let direct = format!("mongodb://root:root@{host}/?directConnection=true");
    let admin = Client::with_uri_str(&direct).await.expect("a URL").database("admin");
    let set = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": &host }] };
    admin.run_command(doc! { "replSetInitiate": set }).await.expect("initiated");
    let uri = |user: &str| format!("mongodb://{user}@{host}/old?replicaSet=rs0&authSource=admin");
    let fresh = FreshDatabase::at(&uri("root:root")).await;
    for (user, role) in [("reader", "read"), ("writer", "readWrite")] {
        let role = doc! { "role": role, "db": "old" };
        let create = doc! { "createUser": user, "pwd": "pw", "roles": [role] };
        let admin = fresh.database.client().database("admin");
        admin.run_command(create).await.expect("a user");
    }
    service(&["write", &fresh.uri, "10"]);
    let mut old = OldDatabase { fresh, folder: tempfile::tempdir().expect("a folder") };
    let before = dump(&old.fresh.database).await;
    old.fresh.uri = uri("reader:pw");
    assert_eq!(old.migrate(&["--dry-run"], 1)["collections"]["users"]["converted"], 14);
    let refused = old.run(&["migrate"]);
    let error = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{error}");
    let expected = "the database user may not run `update: \"migrations\"`; the role `readWrite` is \
        sufficient\n";
    assert!(error.ends_with(expected), "{error}");
    assert_eq!(dump(&old.fresh.database).await, before, "nothing is changed");
    old.fresh.uri = uri("writer:pw");
    assert_eq!(old.migrate(&[], 1)["collections"]["users"]["converted"], 14);
}
