//! The error of every access to data.

use crate::{
    domain::{
        edit::{EditError, invitation::InvitationError},
        input_error::InputError,
        list::UnreadableDocument,
        search::MAX_SORTED_MATCHES,
    },
    store::StoreError,
};

/// The reason why an access is rejected or fails, as a client may see it.
///
/// The type has no `Display` on purpose. So no text of a store or a driver can reach a client in
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// The request has no token.
    Unauthenticated,
    /// The caller has no user, or the token is from before a deletion of its user. Without a
    /// deletion, `me` creates the user.
    NotProvisioned,
    /// The caller's user is disabled.
    Disabled,
    /// The target of the mutation does not exist, or the viewer cannot see it.
    NotFound,
    /// The viewer can see the target and is not authorized for the action.
    Forbidden,
    /// The tenant is suspended or archived, so its members cannot change it.
    Suspended,
    /// The input is invalid. The list has every input error.
    BadInput(Vec<InputError>),
    /// The input names another version than the stored one. The value is the stored version.
    StaleVersion(i32),
    /// The input conflicts with stored data. The value is the name of the input field.
    Conflict(&'static str),
    /// The change would exceed a limit on stored data.
    LimitExceeded {
        /// The name of the limit.
        limit: &'static str,
        /// The maximum number.
        max: u64,
        /// The number that the change would lead to.
        actual: u64,
    },
    /// The store is unreachable or not prepared yet, or other commits were faster each time.
    Unavailable,
    /// The gateway or the stored data has a defect. The log has the cause.
    Internal,
}

impl From<EditError> for AccessError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::InvalidInput(errors) => Self::BadInput(errors),
            EditError::StaleVersion(stored) => Self::StaleVersion(stored),
        }
    }
}

impl From<InvitationError> for AccessError {
    fn from(error: InvitationError) -> Self {
        match error {
            InvitationError::Edit(error) => error.into(),
            InvitationError::Status => Self::Conflict("id"),
        }
    }
}

impl From<StoreError> for AccessError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the store is unavailable");
                Self::Unavailable
            }
            StoreError::TooManyMatches => {
                let message = format!(
                    "must match at most {MAX_SORTED_MATCHES} elements if the list has an `orderBy`: \
                     narrow the search, or omit `orderBy`"
                );
                Self::BadInput(vec![InputError::at("filter.search", message)])
            }
            StoreError::Internal(_) => {
                tracing::error!(%error, "a store operation failed");
                Self::Internal
            }
        }
    }
}

/// An unreadable document becomes an internal error. The store has already logged the reason.
impl From<UnreadableDocument> for AccessError {
    fn from(_: UnreadableDocument) -> Self {
        Self::Internal
    }
}
