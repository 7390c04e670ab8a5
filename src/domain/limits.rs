//! Limits on the document of one request.

/// The limits on one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of levels of fields. A root field is at level 1.
    pub depth: u64,
    /// The maximum cost. A field costs 1. The cost below a connection is multiplied by its page
    /// size, the cost below any other list by 20.
    pub complexity: u64,
    /// The maximum number of response keys of one field in one selection set.
    pub aliases: u64,
    /// The maximum number of root fields.
    pub root_fields: u64,
    /// The maximum number of lexical tokens.
    pub tokens: u64,
    /// The maximum number of directives.
    pub directives: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 12,
            complexity: 5000,
            aliases: 30,
            root_fields: 20,
            tokens: 2000,
            directives: 50,
        }
    }
}
