//! What is wrong with an input: every fault of it at once, each with its place.

/// One fault of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// Where: the argument's name, and dotted from there: `input.domains.1`.
    pub path: String,
    /// What would be right.
    pub message: String,
}

impl InputError {
    /// A fault at that place.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}
