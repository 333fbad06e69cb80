//! [`FilterKey`]: what a filter can ask for by a key.

/// What a filter can ask for by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilterKey {
    Kind,
    From,
    Conversation,
    Id,
    Size,
    Age,
    Ack,
    Since,
    Until,
    Is,
}

/// The names of keys; of several, the first is written.
pub(super) const KEYS: [(&str, FilterKey); 13] = [
    ("kind", FilterKey::Kind),
    ("type", FilterKey::Kind),
    ("from", FilterKey::From),
    ("conversation", FilterKey::Conversation),
    ("with", FilterKey::Conversation),
    ("id", FilterKey::Id),
    ("size", FilterKey::Size),
    ("waited", FilterKey::Age),
    ("age", FilterKey::Age),
    ("ack", FilterKey::Ack),
    ("since", FilterKey::Since),
    ("until", FilterKey::Until),
    ("is", FilterKey::Is),
];

impl FilterKey {
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Kind => "kind:text",
            Self::From => "from:desktop",
            Self::Conversation => "conversation:ECHOECHO",
            Self::Id => "id:101",
            Self::Size => "size>1k",
            Self::Age => "waited>2s",
            Self::Ack => "ack>10ms",
            Self::Since => "since:14:05",
            Self::Until => "until:14:05",
            Self::Is => "is:replay",
        }
    }

    pub(super) const fn has_order(self) -> bool {
        matches!(self, Self::Id | Self::Size | Self::Age | Self::Ack)
    }

    /// The name by which it is offered.
    pub(super) fn first_name(self) -> &'static str {
        KEYS.into_iter().find(|(_, key)| *key == self).map_or("", |(name, _)| name)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        KEYS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, key)| key)
    }
}

/// The keys, as a sentence lists them.
pub(super) fn key_names() -> String {
    KEYS.map(|(name, _)| name).join(", ")
}
