//! Commands without a terminal: a file or a folder each. What several share:
//!
//! | room | has |
//! |---|---|
//! | `arguments` | the command line as the types that the other rooms take |
//! | `connection` | opening a profile, one-shot logins, connecting again, how long a leader stays |
//! | `leave` | leaving the group, and which devices remain |
//! | `background` | work beside the event loop |

pub mod arguments;
mod background;
mod connection;
pub mod demo;
pub mod devices;
pub mod doctor;
pub mod drop;
pub mod history;
pub mod leave;
pub mod lock;
pub mod manual;
pub mod mediator;
pub mod probe;
pub mod profile;
pub mod proxy;
pub mod shared_data;
pub mod watch;
