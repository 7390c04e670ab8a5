//! The demo tenants of `seed --demo`: what they are, and how they come into a store.

mod generator;
mod runner;
