//! Creates the data that the gateway needs at startup, and demo data.
//!
//! - `bootstrap` creates the default tenant. Production uses it.
//! - `dev_data` has the demo identities and the demo tenants of `tenantry dev`.
//! - `generator` computes the demo tenants of `seed --demo` from the names in `vocabulary`, and `runner`
//!   writes them to a store.
//!
//! A second run leaves existing data unchanged. Several instances may run at the same time.

mod bootstrap;
mod dev_data;
pub mod generator;
pub mod runner;
mod vocabulary;

pub use bootstrap::Seeder;
pub use dev_data::{DEV_AUDIENCE, DemoIdentity, IDENTITIES};
