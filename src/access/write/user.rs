//! The commands that create, update and delete users, for platform admins.

use super::command::Command;
use crate::{
    access::{error::AccessError, session::Session, viewer::Viewer},
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

/// Creates a user before the user's first sign-in.
#[derive(Clone, Debug)]
pub struct CreateUser {
    /// The subject at the issuer.
    pub subject: String,
    /// The issuer, or `None` for the first configured one.
    pub issuer: Option<String>,
    /// The other fields of the new user.
    pub patch: UserPatch,
}

/// Updates a user, including the platform admin right.
#[derive(Clone, Debug)]
pub struct UpdateUser {
    /// The user to update.
    pub id: UserId,
    /// The version that must be stored, or `None` to accept any.
    pub version: Option<i32>,
    /// The fields to change.
    pub patch: UserPatch,
}

/// Deletes a user with all memberships, and leaves a tombstone.
#[derive(Clone, Copy, Debug)]
pub struct DeleteUser {
    /// The user to delete.
    pub id: UserId,
    /// The version that must be stored, or `None` to accept any.
    pub version: Option<i32>,
}

impl Command for CreateUser {
    type Action = PlatformAction;
    type Output = User;

    const ACTION: PlatformAction = PlatformAction::ManageUsers;

    fn target(&self) {}

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        (): (),
    ) -> Result<Edit<User>, AccessError> {
        let new = NewUser {
            id: UserId::new(session.access.clock.object_id()),
            subject: self.subject.clone(),
            issuer: self.issuer.clone(),
            patch: self.patch.clone(),
        };
        let context = session.audit_context().with_actor(viewer.user());
        let user = edit::user::validate_and_build(new, &session.access.config.issuers, &context)?;
        let tombstone = session.counted_store()?.tombstone(&user.identity).await?;
        Ok(edit::user::create(user, tombstone.as_ref(), &context))
    }
}

impl Command for UpdateUser {
    type Action = PlatformAction;
    type Output = User;

    const ACTION: PlatformAction = PlatformAction::ManageUsers;

    fn target(&self) {}

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        (): (),
    ) -> Result<Edit<User>, AccessError> {
        let stored = session.require_user(self.id).await?;
        let context = session.audit_context().with_actor(viewer.user());
        Ok(edit::user::update(&stored, self.version, self.patch.clone(), &context)?)
    }
}

impl Command for DeleteUser {
    type Action = PlatformAction;
    type Output = UserId;

    const ACTION: PlatformAction = PlatformAction::ManageUsers;

    fn target(&self) {}

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        (): (),
    ) -> Result<Edit<UserId>, AccessError> {
        let stored = session.require_user(self.id).await?;
        let context = session.audit_context().with_actor(viewer.user());
        Ok(edit::user::delete(&stored, self.version, &context)?)
    }
}
