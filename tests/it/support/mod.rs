//! The fixtures that all tests share: a gateway, a provider, a MongoDB server and stored data.

pub(crate) mod app;
pub(crate) mod entities;
pub(crate) mod event_stream;
pub(crate) mod generated_docs;
pub(crate) mod issuer;
pub(crate) mod mongo_proxy;
pub(crate) mod mongod;
pub(crate) mod oidc;
pub(crate) mod smtp;
pub(crate) mod store_gate;
pub(crate) mod tcp;
pub(crate) mod time;
pub(crate) mod websocket;
pub(crate) mod world;
