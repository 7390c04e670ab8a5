//! What the tests of every concern share.

pub(crate) mod issuer;
