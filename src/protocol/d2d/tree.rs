//! The tree of all decoded fields of an envelope, in the words of the specification.
//!
//! What people wrote or are shows itself only to who asks for it, and what is secret to nobody.

mod body;
mod message;
mod settings;
mod sync;

use std::fmt;

use crate::protocol::ids::{DeviceId, MessageId, Millis};
use crate::protocol::proto::{common, d2d, d2d_seed};
use crate::text::{Clean, PrivateText};

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
    /// A boolean, `true` or `false`.
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
    /// What somebody wrote or is: a text, a name, a place. Displayed by its length only.
    Private(PrivateText),
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
            Self::Private(text) if text.is_empty() => formatter.write_str("empty"),
            Self::Private(text) if text.len() == 1 => formatter.write_str("1 byte, private"),
            Self::Private(text) => write!(formatter, "{} bytes, private", text.len()),
            Self::Hidden { length: 1, reason } => write!(formatter, "1 byte, {reason}"),
            Self::Hidden { length, reason } => write!(formatter, "{length} bytes, {reason}"),
        }
    }
}

impl fmt::Display for HiddenField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
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

    fn private(text: &str) -> Self {
        Self::Private(PrivateText::new(text))
    }

    fn private_bytes(text: &[u8]) -> Self {
        Self::Private(PrivateText::from_bytes(text))
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
    /// What of it and of what is in it somebody wrote or is, with the names of the fields. Empty texts are not among it.
    #[must_use]
    pub fn private(&self) -> Vec<(&Clean, &PrivateText)> {
        let own = match &self.value {
            TreeValue::Private(text) if !text.is_empty() => Some((&self.name, text)),
            _ => None,
        };
        own.into_iter().chain(self.children.iter().flat_map(Self::private)).collect()
    }

    /// Whether there is anything of the kind.
    #[must_use]
    pub fn has_private(&self) -> bool {
        !self.private().is_empty()
    }

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

    fn private(&mut self, name: &'static str, value: Option<&String>) {
        self.maybe(name, value.map(|value| TreeValue::private(value)));
    }

    /// A time of 0 is one that was not said.
    fn time(&mut self, name: &'static str, value: Option<u64>) {
        self.maybe(name, value.filter(|at| *at != 0).map(|at| TreeValue::Time(Millis(at))));
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
    fn unknown(&mut self, paths: Vec<Clean>) {
        for path in paths {
            self.put("unknown field", TreeValue::Text(path));
        }
    }
}

pub(super) fn seed(envelope: &d2d_seed::Envelope, unknown_fields: Vec<Clean>) -> Vec<TreeBranch> {
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
    fields.unknown(unknown_fields);
    fields.0
}

pub(super) fn today(envelope: &d2d::Envelope, unknown_fields: Vec<Clean>) -> Vec<TreeBranch> {
    use d2d::envelope::Content;
    let mut fields = Fields::default();
    // iOS leaves it out of most envelopes.
    fields.maybe("device id", (envelope.device_id != 0).then_some(TreeValue::Device(DeviceId(envelope.device_id))));
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
    fields.unknown(unknown_fields);
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
