//! Input errors: the path and the message of each invalid value of an input.
//!
//! The validation of an input does not stop at the first error. It collects all of them.

/// One invalid value of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// The path of the value. It starts with the name of the argument: `input.domains.1`.
    pub path: String,
    /// The message, which says what is expected: `must be …`.
    pub message: String,
}

impl InputError {
    /// Creates an error for the value at `path`.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}
