//! The tree of all decoded fields of an envelope, in the words of the specification.
//!
//! What people wrote and what is secret is told by its length only; see [`PrivateText`](super::PrivateText) for the former.

mod body;
mod message;
mod settings;
mod sync;

use std::fmt;

use crate::protocol::ids::{DeviceId, MessageId, Millis};
use crate::protocol::proto::{common, d2d, d2d_seed};
use crate::text::Clean;

/// The most children of one branch; of more only their number is told.
pub const MAX_CHILDREN: usize = 1_000;
/// The most bytes that are shown in hex.
pub const MAX_HEX: usize = 32;

/// A field with its value, and the fields within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeBranch {
    /// What the specification calls it.
    pub name: Clean,
    /// What it holds itself.
    pub value: TreeValue,
    /// The fields of a message; empty for a value.
    pub children: Vec<Self>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeValue {
    /// Nothing itself: it is there, or has children.
    Present,
    /// A text, or a word for a value.
    Text(Clean),
    /// A time, for the screen to put into its zone.
    Time(Millis),
    /// An unsigned integer.
    Number(u64),
    /// A boolean.
    Flag(bool),
    /// The id of a message, group, list or poll.
    Id(MessageId),
    /// The id of a device.
    Device(DeviceId),
    /// Bytes: how many, and the first of them in hex.
    Bytes {
        /// The length in bytes.
        length: usize,
        /// The first of them; all of a few.
        hex: Clean,
    },
    /// A number that the specification gives no word for.
    UnknownWord(i64),
    /// Told by its length only.
    Hidden {
        /// The length in bytes.
        length: usize,
        /// The reason for which it is not shown.
        reason: HiddenField,
    },
}

/// Why a value is told by its length only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiddenField {
    /// Somebody wrote it: a text, a name, a file.
    Private,
    /// It opens something.
    Secret,
    /// Nobody knows the format.
    Opaque,
}

impl fmt::Display for TreeValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => Ok(()),
            Self::Text(text) => write!(formatter, "{text}"),
            Self::Time(at) => write!(formatter, "{} ms since 1970", at.0),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Flag(flag) => formatter.write_str(if *flag { "yes" } else { "no" }),
            Self::Id(id) => write!(formatter, "{id}"),
            Self::Device(id) => write!(formatter, "{id}"),
            Self::Bytes { length, hex } if *length <= MAX_HEX => write!(formatter, "{hex}"),
            Self::Bytes { length, hex } => write!(formatter, "{hex}… ({length} bytes)"),
            Self::UnknownWord(number) => write!(formatter, "unknown value {number}"),
            Self::Hidden { length: 1, reason } => write!(formatter, "1 byte, {reason}"),
            Self::Hidden { length, reason } => write!(formatter, "{length} bytes, {reason}"),
        }
    }
}

impl fmt::Display for HiddenField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Private => "private",
            Self::Secret => "secret",
            Self::Opaque => "of a format that is not known",
        })
    }
}

impl TreeValue {
    fn text(untrusted: &str) -> Self {
        Self::Text(Clean::new(untrusted))
    }

    fn bytes(bytes: &[u8]) -> Self {
        let head = bytes.get(..MAX_HEX).unwrap_or(bytes);
        Self::Bytes { length: bytes.len(), hex: Clean::new(&hex::encode(head)) }
    }

    const fn private(length: usize) -> Self {
        Self::Hidden { length, reason: HiddenField::Private }
    }

    const fn secret(length: usize) -> Self {
        Self::Hidden { length, reason: HiddenField::Secret }
    }

    const fn opaque(length: usize) -> Self {
        Self::Hidden { length, reason: HiddenField::Opaque }
    }

    /// The specification's name of an enum's value, as words.
    fn word<E: TryFrom<i32>>(number: i32, name: impl Fn(&E) -> &'static str) -> Self {
        match E::try_from(number) {
            Ok(known) => Self::Text(Clean::new(&name(&known).to_lowercase().replace('_', " "))),
            Err(_) => Self::UnknownWord(number.into()),
        }
    }
}

impl TreeBranch {
    const fn new(name: &'static str, value: TreeValue, children: Vec<Self>) -> Self {
        Self { name: Clean::literal(name), value, children }
    }
}

/// Branches in the making. Absent fields make none.
#[derive(Default)]
struct Fields(Vec<TreeBranch>);

impl Fields {
    fn put(&mut self, name: &'static str, value: TreeValue) {
        self.0.push(TreeBranch::new(name, value, Vec::new()));
    }

    fn maybe(&mut self, name: &'static str, value: Option<TreeValue>) {
        self.0.extend(value.map(|value| TreeBranch::new(name, value, Vec::new())));
    }

    fn text(&mut self, name: &'static str, value: Option<&String>) {
        self.maybe(name, value.map(|value| TreeValue::text(value)));
    }

    fn time(&mut self, name: &'static str, value: Option<u64>) {
        self.maybe(name, value.map(|at| TreeValue::Time(Millis(at))));
    }

    fn word<E: TryFrom<i32>>(&mut self, name: &'static str, value: Option<i32>, word: impl Fn(&E) -> &'static str) {
        self.maybe(name, value.map(|number| TreeValue::word(number, word)));
    }

    fn under(&mut self, name: &'static str, children: Self) {
        self.0.push(TreeBranch::new(name, TreeValue::Present, children.0));
    }

    /// So many things of a kind, each a branch of its own.
    fn list(&mut self, name: &'static str, things: impl ExactSizeIterator<Item = TreeBranch>) {
        let count = things.len();
        let mut children: Vec<TreeBranch> = things.take(MAX_CHILDREN).collect();
        if count > MAX_CHILDREN {
            children.push(TreeBranch::new(
                "more, not shown",
                TreeValue::Number((count - MAX_CHILDREN) as u64),
                Vec::new(),
            ));
        }
        self.0.push(TreeBranch::new(name, TreeValue::Number(count as u64), children));
    }

    fn identities(&mut self, name: &'static str, value: Option<&common::Identities>) {
        let Some(identities) = value else { return };
        let identity = |identity: &String| TreeBranch::new("identity", TreeValue::text(identity), Vec::new());
        self.list(name, identities.identities.iter().map(identity));
    }

    fn group(&mut self, name: &'static str, value: Option<&common::GroupIdentity>) {
        let Some(identity) = value else { return };
        let mut fields = Self::default();
        fields.put("group id", TreeValue::Id(MessageId(identity.group_id)));
        fields.put("creator identity", TreeValue::text(&identity.creator_identity));
        self.under(name, fields);
    }

    /// What was in the bytes and is in none of the branches.
    fn not_understood(&mut self, bytes: usize) {
        if bytes > 0 {
            self.put("bytes not understood", TreeValue::Number(bytes as u64));
        }
    }
}

pub(super) fn seed(envelope: &d2d_seed::Envelope, not_understood: usize) -> Vec<TreeBranch> {
    use d2d_seed::envelope::Content;
    let mut fields = Fields::default();
    fields.put("padding bytes", TreeValue::Number(envelope.padding.len() as u64));
    let mut opaque = |name, body: &[u8]| fields.put(name, TreeValue::opaque(body.len()));
    match &envelope.content {
        Some(Content::UserProfileSync(body)) => opaque("user profile sync", body),
        Some(Content::ContactSync(body)) => opaque("contact sync", body),
        Some(Content::GroupSync(body)) => opaque("group sync", body),
        Some(Content::DistributionListSync(body)) => opaque("distribution list sync", body),
        Some(Content::SettingsSync(body)) => opaque("settings sync", body),
        Some(Content::MdmParameters(body)) => opaque("MDM parameters", body),
        Some(Content::OutgoingMessage(message)) => fields.under("outgoing message", message::seed_outgoing(message)),
        Some(Content::IncomingMessage(message)) => fields.under("incoming message", message::seed_incoming(message)),
        None => {}
    }
    fields.not_understood(not_understood);
    fields.0
}

pub(super) fn today(envelope: &d2d::Envelope, not_understood: usize) -> Vec<TreeBranch> {
    use d2d::envelope::Content;
    let mut fields = Fields::default();
    fields.put("device id", TreeValue::Device(DeviceId(envelope.device_id)));
    fields.put("protocol version", protocol_version(envelope.protocol_version));
    fields.put("padding bytes", TreeValue::Number(envelope.padding.len() as u64));
    if let Some(content) = &envelope.content {
        let (name, content) = match content {
            Content::OutgoingMessage(message) => ("outgoing message", message::outgoing(message)),
            Content::OutgoingMessageUpdate(update) => ("outgoing message update", message::outgoing_update(update)),
            Content::IncomingMessage(message) => ("incoming message", message::incoming(message)),
            Content::IncomingMessageUpdate(update) => ("incoming message update", message::incoming_update(update)),
            Content::UserProfileSync(sync) => ("user profile sync", settings::user_profile_sync(sync)),
            Content::ContactSync(sync) => ("contact sync", sync::contact_sync(sync)),
            Content::GroupSync(sync) => ("group sync", sync::group_sync(sync)),
            Content::DistributionListSync(sync) => ("distribution list sync", sync::distribution_list_sync(sync)),
            Content::SettingsSync(sync) => ("settings sync", settings::settings_sync(sync)),
            Content::MdmParameterSync(sync) => ("MDM parameter sync", settings::mdm_parameter_sync(sync)),
        };
        fields.under(name, content);
    }
    fields.not_understood(not_understood);
    fields.0
}

fn protocol_version(number: u32) -> TreeValue {
    match number {
        0 => TreeValue::Text(Clean::literal("0.1, unspecified")),
        1 => TreeValue::Text(Clean::literal("0.1")),
        2 => TreeValue::Text(Clean::literal("0.2")),
        3 => TreeValue::Text(Clean::literal("0.3")),
        other => TreeValue::UnknownWord(other.into()),
    }
}
