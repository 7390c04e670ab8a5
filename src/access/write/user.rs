//! Making, changing and deleting users. All of it is for platform admins.

use super::{AccessError, Command, Session, Viewer};
use crate::{
    domain::{
        edit::{
            self, Edit,
            user::{NewUser, UserPatch},
        },
        id::UserId,
        user::User,
    },
    policy::PlatformAction,
};

/// Makes a user.
#[derive(Clone, Debug)]
pub struct CreateUser {
    /// The subject at the issuer.
    pub subject: String,
    /// The issuer; the first configured one where none is named.
    pub issuer: Option<String>,
    /// The rest.
    pub patch: UserPatch,
}

/// Changes a user.
#[derive(Clone, Debug)]
pub struct UpdateUser {
    /// Who.
    pub id: UserId,
    /// Only where the stored version is this one.
    pub version: Option<i32>,
    /// The change.
    pub patch: UserPatch,
}

/// Deletes a user with the memberships, and leaves a tombstone.
#[derive(Clone, Copy, Debug)]
pub struct DeleteUser {
    /// Who.
    pub id: UserId,
    /// Only where the stored version is this one.
    pub version: Option<i32>,
}

impl Command for CreateUser {
    type Outcome = User;

    async fn decide(&self, session: &Session, viewer: &Viewer) -> Result<Edit<User>, AccessError> {
        viewer.authorize_platform(PlatformAction::ManageUsers)?;
        let new = NewUser {
            id: UserId::new(session.access.clock.object_id()),
            subject: self.subject.clone(),
            issuer: self.issuer.clone(),
            patch: self.patch.clone(),
        };
        let deed = session.audit_context(viewer);
        let user = edit::user::validate_and_build(new, &session.access.rules.issuers, &deed)?;
        let tombstone = session.counted_store()?.tombstone(&user.identity).await?;
        Ok(edit::user::create(user, tombstone.as_ref(), &deed))
    }
}

impl Command for UpdateUser {
    type Outcome = User;

    async fn decide(&self, session: &Session, viewer: &Viewer) -> Result<Edit<User>, AccessError> {
        viewer.authorize_platform(PlatformAction::ManageUsers)?;
        let stored = session.require_user(self.id).await?;
        let deed = session.audit_context(viewer);
        Ok(edit::user::update(&stored, self.version, self.patch.clone(), &deed)?)
    }
}

impl Command for DeleteUser {
    type Outcome = UserId;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<UserId>, AccessError> {
        viewer.authorize_platform(PlatformAction::ManageUsers)?;
        let stored = session.require_user(self.id).await?;
        Ok(edit::user::delete(&stored, self.version, &session.audit_context(viewer))?)
    }
}
