//! Device-to-device contents: what the devices of a group tell each other, sealed, through the mediator.

mod body;
mod compose;
mod content;
mod detail;
mod device_info;
mod envelope;
mod fields;
mod message_type;
mod scope;
mod shared;
mod summarize;
mod summary;
mod tree;
mod unknown;

pub use body::{MessageDraft, ReceiptStatus};
pub use compose::Composer;
pub use detail::{CallAnswer, Detail, Media};
pub use device_info::{DeviceForm, DeviceInfo, Platform};
pub use envelope::Envelope;
pub use message_type::MessageType;
pub use scope::TransactionScope;
pub use shared::SharedDeviceData;
pub use summary::{ContentKind, Conversation, Direction, EnvelopeSummary, NameChange, SyncAction};
pub use tree::{HiddenField, MAX_CHILDREN, TreeBranch, TreeValue};
