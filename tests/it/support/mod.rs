//! What the tests stand on.

pub(crate) mod app;
pub(crate) mod entities;
pub(crate) mod gate;
pub(crate) mod issuer;
pub(crate) mod mongod;
pub(crate) mod oidc;
pub(crate) mod printed;
pub(crate) mod world;
