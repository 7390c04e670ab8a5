//! Who is asking: from the `Authorization` header to a verified identity, and the issuer's keys.
//!
//! Read in the order of a request: [`authenticator`] (the one way in, for every transport), [`bearer`]
//! (the credential), [`token`] (the one function that every token passes), [`keys`] (the issuer's key set and when it is fetched), [`jwk`] (which key is
//! usable for which [`algorithm`]). Then where keys come from: [`discovery`] over [`fetch`], or
//! [`dev_issuer`]; and [`fault`], why they do not.
//!
//! What is not trusted yet has `unverified` in its name. No error here has a text for the client, and
//! nothing of a token is ever logged.
//!
//! The signature is checked with `aws-lc-rs` directly: of a JWT library every claim check would be
//! off (it reads the system's clock and takes claims of any JSON type), and what would be left of it
//! parses the key anew for each token.

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
pub mod token;
mod unverified;
