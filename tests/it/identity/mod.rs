//! A token says who, and the database says what: whatever else a token says, and whoever changes
//! the database.

mod claims;
mod revocation;
mod watermark;

use mongodb::bson::{Document, doc};
use tenantry::domain::user::User;

use crate::support::app::App;

/// Changes a stored user as a hand in the database would: on MongoDB with an update of its own, that
/// knows nothing of versions.
async fn by_hand(app: &App, subject: &str, update: Document, change: impl FnOnce(&mut User)) {
    let Some(mongo) = &app.mongo else { return app.change(subject, change).await };
    let users = mongo.database.collection::<Document>("users");
    let updated = users.update_one(doc! { "subject": subject }, update).await.expect("an update");
    assert_eq!(updated.modified_count, 1, "{subject}");
}
