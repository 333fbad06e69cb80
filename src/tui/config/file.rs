//! The shape of the file.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::output::device_order::DeviceOrder;
use crate::tui::preferences::FeedColumn;
use crate::tui::theme::Glyphs;

/// When only plain characters are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ascii {
    /// Where the terminal or the locale has no others.
    #[default]
    Auto,
    Always,
    Never,
}

impl Ascii {
    /// The characters; [`None`] if the terminal decides.
    #[must_use]
    pub const fn glyphs(self) -> Option<Glyphs> {
        match self {
            Self::Auto => None,
            Self::Always => Some(Glyphs::Ascii),
            Self::Never => Some(Glyphs::Unicode),
        }
    }
}

/// How the dashboard looks and behaves. Options of the command line go first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// The colours: auto (as the terminal's background) or the name of a theme.
    pub theme: String,
    /// When only plain characters are drawn: auto is where the terminal or the locale has no others.
    pub ascii: Ascii,
    /// Whether the mouse selects, scrolls and presses.
    pub mouse: bool,
    /// Where the focus is at the start: best, devices, lock, role, feed or latency.
    pub start_pane: String,
    /// The order of the devices at the start: name, seen, platform or id, with - before it reversed.
    pub sort: String,
    /// How many messages the feed keeps in memory.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub feed_rows: u32,
    /// The columns of the feed, where there is room.
    pub columns: Vec<String>,
    /// Whether sort, zoom and the sizes of panes are as they were left.
    pub remember: bool,
    /// How times are shown.
    pub time: TimeConfig,
    /// From when on a time is coloured.
    pub thresholds: ThresholdsConfig,
    /// Filters by name: @mine in the filter line.
    pub filters: BTreeMap<String, String>,
    /// Keys of one's own, by action.
    pub keys: BTreeMap<String, OneOrMore>,
}

/// How times are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TimeConfig {
    pub zone: String,
    /// The time of a row, as strftime writes it; empty for the default.
    pub format: String,
}

/// From when on times are coloured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ThresholdsConfig {
    /// How long a message waited at the mediator.
    pub waited: WaitedThreshold,
    /// How long its acknowledgement took.
    pub ack: AckThreshold,
}

/// From when on `waited` is coloured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct WaitedThreshold {
    /// From when on it is slow, such as 1s.
    pub slow: String,
    /// From when on it is late, such as 1m.
    pub late: String,
}

/// From when on `ack` is coloured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct AckThreshold {
    /// From when on it is slow, such as 100ms.
    pub slow: String,
    /// From when on it is late, such as 1s.
    pub late: String,
}

/// One key, or a list of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OneOrMore(pub Vec<String>);

impl Default for Config {
    fn default() -> Self {
        Self {
            theme: "auto".to_owned(),
            ascii: Ascii::Auto,
            mouse: true,
            start_pane: "best".to_owned(),
            sort: DeviceOrder::default().name(),
            feed_rows: 100_000,
            columns: FeedColumn::names(),
            remember: false,
            time: TimeConfig::default(),
            thresholds: ThresholdsConfig::default(),
            filters: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }
}

impl Default for TimeConfig {
    fn default() -> Self {
        Self { zone: "local".to_owned(), format: String::new() }
    }
}

impl Default for WaitedThreshold {
    fn default() -> Self {
        Self { slow: "1s".to_owned(), late: "1m".to_owned() }
    }
}

impl Default for AckThreshold {
    fn default() -> Self {
        Self { slow: "100ms".to_owned(), late: "1s".to_owned() }
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysVisitor;
        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key such as \"x\", or a list of keys")
            }

            fn visit_str<E>(self, key: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![key.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMore, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = list.next_element()? {
                    keys.push(key);
                }
                Ok(OneOrMore(keys))
            }
        }
        deserializer.deserialize_any(KeysVisitor)
    }
}

impl JsonSchema for OneOrMore {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Keys".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "One key, several, or none.",
            "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        })
    }
}
