//! Authenticates requests: from the `Authorization` header to a verified identity.
//!
//! The name of every value that is not verified yet contains `unverified`. No error has a text for
//! the client. No part of a token is ever logged.
//!
//! `jsonwebtoken` makes keys and verifies signatures. Its checks of claims are not used, because they
//! read the system's clock and accept claims of any JSON type.
//!
//! Read the files in the order of a request. [`authenticator`] is the entry point for every
//! transport. [`bearer`] parses the header, and `unverified` takes the token apart. [`jwks_cache`]
//! supplies the key, and [`jwk`] decides which [`algorithm`] a key allows. [`token`] verifies the
//! token, and `claims` checks its claims. Then read how keys are fetched: `refresh` runs the task,
//! and [`discovery`] locates the key set and uses [`fetch`]. In `tenantry dev`, the keys come from
//! [`dev_issuer`]. [`error`] has the reasons for rejections and failed fetches, with help for the
//! operator.

pub mod algorithm;
pub mod authenticator;
pub mod bearer;
mod claims;
pub mod dev_issuer;
pub mod discovery;
pub mod error;
pub mod fetch;
mod json_object;
pub mod jwk;
pub mod jwks_cache;
mod refresh;
pub mod token;
mod unverified;
