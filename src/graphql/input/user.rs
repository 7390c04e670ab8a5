//! Defines the inputs of mutations that create, update and delete users.

use std::convert::identity;

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::patch::update_patch;
use crate::domain::{edit::user::UserPatch, patch::Patch};

/// The input of the mutation `createUser`.
#[derive(InputObject)]
pub(in crate::graphql) struct CreateUserInput {
    /// The subject of the user at the identity provider (the claim `sub`): 1 to 255 characters.
    pub(in crate::graphql) subject: String,
    /// The issuer URL of the identity provider (the claim `iss`). It must be configured in the
    /// gateway. If omitted, it is the first configured one.
    pub(in crate::graphql) issuer: Option<String>,
    /// The e-mail address of the user: at most 254 bytes. The user's next query of `me` replaces it
    /// with the address in the user's token, if the token has a valid one.
    email: String,
    /// The display name of the user: 1 to 200 characters. The user's next query of `me` replaces it
    /// with the name in the user's token, if the token has a valid one.
    name: String,
    /// True to make the user a platform admin.
    #[graphql(default)]
    platform_admin: bool,
    /// True to reject all requests of the user.
    #[graphql(default)]
    disabled: bool,
}

/// The input of the mutation `updateUser`. Omitted fields keep their value.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateUserInput {
    /// The identifier of the user (`usr_…`).
    pub(in crate::graphql) id: ID,
    /// The version of the user that the client has read. If it is not the stored version, the
    /// mutation fails with `STALE_VERSION` and changes nothing. If omitted, the version is not
    /// checked.
    pub(in crate::graphql) version: Option<i32>,
    /// The e-mail address of the user: at most 254 bytes. Null clears it. The user's next query of
    /// `me` replaces it with the address in the user's token, if the token has a valid one.
    email: MaybeUndefined<String>,
    /// The display name of the user: 1 to 200 characters. Must not be null. The user's next query
    /// of `me` replaces it with the name in the user's token, if the token has a valid one.
    name: MaybeUndefined<String>,
    /// True to make the user a platform admin, independently of the user's groups. False revokes
    /// that right, until the groups of a token that is issued later grant it again. Must not be
    /// null.
    platform_admin: MaybeUndefined<bool>,
    /// True to reject all requests of the user, false to allow them again. Must not be null.
    disabled: MaybeUndefined<bool>,
}

/// The input of the mutation `deleteUser`.
#[derive(InputObject)]
pub(in crate::graphql) struct DeleteUserInput {
    /// The identifier of the user (`usr_…`).
    pub(in crate::graphql) id: ID,
    /// The version of the user that the client has read. If it is not the stored version, the
    /// mutation fails with `STALE_VERSION` and deletes nothing. If omitted, the version is not
    /// checked.
    pub(in crate::graphql) version: Option<i32>,
}

impl CreateUserInput {
    /// Returns the subject, the issuer, and a patch of an empty user.
    pub(in crate::graphql) fn into_parts(self) -> (String, Option<String>, UserPatch) {
        let patch = UserPatch {
            email: Patch::Set(self.email),
            name: Patch::Set(self.name),
            platform_admin: Patch::Set(self.platform_admin),
            disabled: Patch::Set(self.disabled),
        };
        (self.subject, self.issuer, patch)
    }
}

impl UpdateUserInput {
    /// Converts the input into a patch of the stored user.
    pub(in crate::graphql) fn into_patch(self) -> UserPatch {
        UserPatch {
            email: update_patch(self.email, identity),
            name: update_patch(self.name, identity),
            platform_admin: update_patch(self.platform_admin, identity),
            disabled: update_patch(self.disabled, identity),
        }
    }
}
