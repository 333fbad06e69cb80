//! Device-to-device contents: what the devices of a group tell each other, sealed, through the mediator.

mod device_info;
mod envelope;
mod scope;
mod shared;
mod summary;

pub use device_info::{DeviceInfo, Platform};
pub use envelope::Envelope;
pub use scope::TransactionScope;
pub use shared::SharedDeviceData;
pub use summary::{Conversation, Direction, Kind, MessageType, Summary, SyncAction};
