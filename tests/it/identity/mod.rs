//! A token only identifies the caller. All rights come from the database, also after a manual edit.
//!
//! `claims.rs` varies the other claims of a token, `revocation.rs` removes rights in the database,
//! and `watermark.rs` presents older tokens after a removal. `actor_cache.rs` tests the option that
//! lets a query use a user for a second.

mod actor_cache;
mod claims;
mod revocation;
mod watermark;

use mongodb::bson::{Document, doc};
use tenantry::domain::user::User;

use crate::support::app::App;

/// Changes a stored user as a manual edit does. On MongoDB, this is an update that ignores
/// versions.
async fn edit_manually(app: &App, subject: &str, update: Document, change: impl FnOnce(&mut User)) {
    let Some(mongo) = &app.mongo else { return app.edit_user(subject, change).await };
    let users = mongo.database.collection::<Document>("users");
    let result = users.update_one(doc! { "subject": subject }, update).await.expect("an update");
    assert_eq!(result.modified_count, 1, "{subject}");
}
