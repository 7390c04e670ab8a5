//! The demo tenants of `seed --demo`: the generated data, and how the seeder stores it.

mod generator;
mod runner;
