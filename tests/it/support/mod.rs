//! What tests stand on: real servers, and data to put into them.

pub(crate) mod mongod;
