//! The room's tests that need more than one of its files.

mod generators;
mod limits;
mod properties;
mod summaries;
mod tree;
mod vectors;
