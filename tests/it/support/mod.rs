//! What the tests stand on.

pub mod entities;
pub mod issuer;
pub mod mongod;
