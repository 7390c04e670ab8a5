//! The nouns and the rules, pure: no I/O, no async, no derive of a driver, of SQL or of GraphQL.
//!
//! Time and new identifiers are arguments here; whoever calls has a [`Clock`](crate::clock::Clock).

pub mod audit;
pub mod change;
pub mod cors;
pub mod edit;
pub mod id;
pub mod idempotency;
pub mod input_error;
pub mod limits;
pub mod list;
pub mod patch;
pub mod subscription;
pub mod sync;
pub mod tenant;
pub mod text;
pub mod time;
pub mod trusted_documents;
pub mod user;

/// Declares an enumeration whose values are stored, logged and compared as lower-case words.
macro_rules! string_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stored word: lower case, words joined by `_`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The value of a stored word, or `None` where there is none such.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use string_enum;
