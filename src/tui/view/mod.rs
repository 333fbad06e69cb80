//! The panes, and what stands around them: each reads the state and draws itself.

pub mod devices;
pub mod feed;
pub mod header;
pub mod latency;
pub mod layout;
pub mod lock;
pub mod role;
