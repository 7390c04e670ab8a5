//! What the tests stand on.

pub mod issuer;
pub mod mongod;
