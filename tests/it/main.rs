//! The tests from outside, in one binary: one file for each concern.

mod mongo;
mod support;
