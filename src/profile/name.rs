//! [`ProfileName`]: the name of a profile. It becomes part of file names, so its characters are checked here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MOST: usize = 32;

/// The name of a profile: 1 to 32 letters, digits, `-`, `_` and `.`, the first of them a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileName(String);

/// The text is no profile name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a profile name has 1 to 32 letters (a to z), digits, hyphens, underscores and dots, and begins with a letter or \
     digit"
)]
pub struct NotAProfileName;

impl ProfileName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both would share files on a file system that ignores case.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl FromStr for ProfileName {
    type Err = NotAProfileName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() <= MOST
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAProfileName) }
    }
}

impl TryFrom<String> for ProfileName {
    type Error = NotAProfileName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ProfileName> for String {
    fn from(name: ProfileName) -> Self {
        name.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_a_file_and_a_command_line_can_bear() {
        for name in ["home", "a", "7", "work-2", "on.prem_1", &"x".repeat(32)] {
            assert_eq!(name.parse::<ProfileName>().map(String::from).as_deref(), Ok(name));
        }
        let hostile = [
            "",
            ".",
            "..",
            ".hidden",
            "-x",
            "_x",
            "../up",
            "a/b",
            "a\\b",
            "a b",
            "a\nb",
            "a\0b",
            "\u{1b}[2J",
            "é",
            "日本",
            "a\u{202e}b",
            &"x".repeat(33),
        ];
        for name in hostile {
            assert_eq!(name.parse::<ProfileName>(), Err(NotAProfileName), "{name:?}");
        }
    }
}
