//! What the subjects share.

pub mod certificates;
pub mod disk;
pub mod envelopes;
pub mod held;
pub mod hostile;
pub mod network;
pub mod new_device;
pub mod noting;
pub mod one_shot;
pub mod openmetrics;
pub mod phone;
pub mod pipe;
pub mod program;
pub mod raw;
pub mod schema;
pub mod silent_bus;
pub mod terminal;
pub mod watching;
pub mod xterm;
