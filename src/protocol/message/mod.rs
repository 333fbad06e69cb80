//! Every message of the protocol, as each side sends it.

mod client;
mod device_entry;
mod login;
mod payload;
mod reflection;
mod server;

pub use client::ClientMessage;
pub use device_entry::DeviceEntry;
pub use login::{ClientHello, ServerHello, ServerInfo};
pub use reflection::{Reflect, Reflected, ReflectedHeader, acknowledgements};
pub use server::ServerMessage;
