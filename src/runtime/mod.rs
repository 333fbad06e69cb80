//! The loops that join the rooms.

pub mod screen;

pub use screen::{Reaction, Screen};
