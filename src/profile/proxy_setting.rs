//! What options and profiles say of the network on the way: a proxy, and how long a connection may be silent.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use crate::session::DEFAULT_KEEP_ALIVE;

/// A proxy's URL, or `none`, as it was written; it may have a password in it, and so is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProxySetting(String);

impl ProxySetting {
    /// What was written.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// What was written, to be read; not to be shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is a password in it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.rsplit_once('@').is_some_and(|(userinfo, _)| userinfo.contains(':'))
    }
}

impl Drop for ProxySetting {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for ProxySetting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ProxySetting(…)")
    }
}

/// How long a connection is silent before a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive(pub Duration);

/// Not a span that keeps a connection alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a connection is kept alive by a ping after 1s to 10m of silence, such as 15s")]
pub struct NotAKeepAlive;

impl Default for KeepAlive {
    fn default() -> Self {
        Self(DEFAULT_KEEP_ALIVE)
    }
}

impl FromStr for KeepAlive {
    type Err = NotAKeepAlive;

    fn from_str(text: &str) -> Result<Self, NotAKeepAlive> {
        let span = humantime::parse_duration(text).map_err(|_| NotAKeepAlive)?;
        let allowed = Duration::from_secs(1)..=Duration::from_secs(600);
        if allowed.contains(&span) { Ok(Self(span)) } else { Err(NotAKeepAlive) }
    }
}

impl fmt::Display for KeepAlive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&humantime::format_duration(self.0).to_string().replace(' ', ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_noticed_and_never_shown() {
        for (text, has) in [
            ("http://me:hunter2@proxy:1", true),
            ("me:hunter2@proxy:1", true),
            ("socks5h://me:@proxy", true),
            ("http://me@proxy:1", false),
            ("http://proxy:3128", false),
            ("none", false),
        ] {
            let setting = ProxySetting::new(text.to_owned());
            assert_eq!(setting.has_password(), has, "{text}");
            assert!(!format!("{setting:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_keep_alive_is_a_second_to_ten_minutes() {
        for (text, shown) in [
            ("15s", Some("15s")),
            ("1s", Some("1s")),
            ("90s", Some("1m30s")),
            ("10m", Some("10m")),
            ("0s", None),
            ("999ms", None),
            ("11m", None),
            ("often", None),
        ] {
            assert_eq!(text.parse::<KeepAlive>().ok().map(|span| span.to_string()).as_deref(), shown, "{text}");
        }
    }
}
