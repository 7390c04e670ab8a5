//! Entities, lists and changes, and the pure rules of editing and syncing them.
//!
//! This module has no I/O and no async code, and derives nothing of a driver, of SQL or of GraphQL.
//! The current time and new identifiers are arguments. Other modules take them from a
//! [`Clock`](crate::clock::Clock). The files import each other without cycles.
//!
//! Start with [`tenant`], [`user`], [`subscription`] and [`invitation`] for the entities, and with [`edit`] and
//! [`sync`] for the rules.

pub mod audit;
pub mod change;
pub mod cors;
pub mod edit;
pub mod groups;
pub mod id;
pub mod idempotency;
pub mod input_error;
pub mod invitation;
pub mod limits;
pub mod list;
pub mod live;
pub mod migration;
pub mod outbox;
pub mod patch;
pub mod record;
pub mod search;
pub mod subscription;
pub mod sync;
pub mod tenant;
pub mod text;
pub mod time;
pub mod trusted_documents;
pub mod user;

/// Declares an enum with a fixed string for each variant. Stores and logs use these strings.
macro_rules! string_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $string:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// All variants, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the string of this variant, as it is stored and logged.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $string,)+ }
            }

            /// Returns the variant with exactly this string, or `None` if there is none.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($string => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use string_enum;
