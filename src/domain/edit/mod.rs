//! The rules of mutations: how an input changes a stored entity, and the audit event of the change.
//!
//! Each rule is a pure function. It takes the stored entity and the input, and returns an [`Edit`]:
//! the new state and the changes to commit. If nothing differs, an edit has no changes and no audit
//! event.
//!
//! The rules check the input in the order that `docs/API.md` documents: first all input errors,
//! then the version.

mod fields;
pub mod invitation;
pub mod membership;
mod parse;
pub mod subscription;
pub mod tenant;
pub mod user;

use super::{change::Change, input_error::InputError};

/// The new state of an entity, and the changes to commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit<T> {
    /// The entity after the edit.
    pub value: T,
    /// The changes to commit. Empty if the stored entity already has this state.
    pub changes: Vec<Change>,
}

impl<T> Edit<T> {
    /// Creates an edit that changes nothing.
    pub const fn unchanged(value: T) -> Self {
        Self { value, changes: Vec::new() }
    }
}

/// The reason why a rule rejects an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// The input is invalid. The list has every input error.
    InvalidInput(Vec<InputError>),
    /// The input names another version than the stored one. The value is the stored version.
    StaleVersion(i32),
}

/// Rejects an input with errors, then a version that is not the stored one.
///
/// `docs/API.md` documents this order.
fn check_input(
    errors: Vec<InputError>,
    requested: Option<i32>,
    stored: i32,
) -> Result<(), EditError> {
    if !errors.is_empty() {
        return Err(EditError::InvalidInput(errors));
    }
    check_version(requested, stored)
}

/// Rejects a requested version that is not the stored one. Without a version, accepts any.
pub fn check_version(requested: Option<i32>, stored: i32) -> Result<(), EditError> {
    match requested {
        Some(requested) if requested != stored => Err(EditError::StaleVersion(stored)),
        _ => Ok(()),
    }
}
