//! Drawing primitives: text in columns and lines, cut to the room that there is.

pub mod chart;
pub mod text_run;
pub mod window;
