//! What a key means: actions by name, the table of keys, and lines that are typed into.

pub mod actions;
pub mod keymap;
pub mod pane;
pub mod prompt;
pub mod time_input;
