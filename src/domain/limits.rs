//! How much one request may ask for.

/// The limits on one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep fields may lie; a root field is at 1.
    pub depth: u64,
    /// What it may cost: a field 1, a connection its children by its page size, a list by 20.
    pub complexity: u64,
    /// How many response keys one field may have in one selection set.
    pub aliases: u64,
    /// How many root fields.
    pub root_fields: u64,
    /// How many lexical tokens.
    pub tokens: u64,
    /// How many directives.
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
