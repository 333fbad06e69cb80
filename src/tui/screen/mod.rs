//! The terminal and what is drawn on it: the only part of the dashboard with a device behind it.

pub mod alarm;
pub mod canvas;
pub mod dashboard;
pub mod first_run;
pub mod frame;
pub mod input;
pub mod open;
pub mod replay;
pub mod snapshot;
pub mod tab_opener;
pub mod tabs;
pub mod terminal;
pub mod terminal_events;
pub mod work;
