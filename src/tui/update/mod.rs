//! What an action does to the state of the dashboard.

pub mod clipboard;
pub mod feed;
pub mod prompt;
