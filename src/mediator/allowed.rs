//! Which groups a mediator serves.

use std::collections::BTreeSet;

use crate::protocol::DeviceGroupId;

/// The groups that may enter: any, or those of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedGroups(Option<BTreeSet<DeviceGroupId>>);

/// A line of a list of groups that is no group id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no group id: 64 hex digits, such as the log and `d2mtop profile show` print them")]
pub struct NotAGroupId {
    /// The number of the line, from 1.
    pub line: usize,
}

impl AllowedGroups {
    /// Whoever has a group key may enter.
    pub const ANY: Self = Self(None);

    /// Reads a list: a group id a line, in hex; empty lines and what follows a `#` do not count.
    ///
    /// # Errors
    /// If a line has something else.
    pub fn parse(text: &str) -> Result<Self, NotAGroupId> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let ids = lines.enumerate().filter(|(_, line)| !line.is_empty()).map(|(at, line)| {
            let mut id = [0; 32];
            hex::decode_to_slice(line, &mut id).map_err(|_| NotAGroupId { line: at + 1 })?;
            Ok(DeviceGroupId(id))
        });
        Ok(Self(Some(ids.collect::<Result<_, _>>()?)))
    }

    /// Whether a group is one of them.
    #[must_use]
    pub fn contains(&self, group: &DeviceGroupId) -> bool {
        self.0.as_ref().is_none_or(|listed| listed.contains(group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_an_id_a_line() {
        let id = "ab".repeat(32);
        let list = format!("# ours\n\n  {id} # the office\r\n{}\n", "00".repeat(32));
        let allowed = AllowedGroups::parse(&list).unwrap();
        assert!(allowed.contains(&DeviceGroupId([0xab; 32])) && allowed.contains(&DeviceGroupId([0; 32])));
        assert!(!allowed.contains(&DeviceGroupId([1; 32])));
        assert!(AllowedGroups::ANY.contains(&DeviceGroupId([1; 32])));
        assert!(!AllowedGroups::parse("").unwrap().contains(&DeviceGroupId([1; 32])), "an empty list allows none");
    }

    #[test]
    fn a_line_that_is_no_id_is_named() {
        for bad in ["ab", &"ab".repeat(31), &"ab".repeat(33), &"zz".repeat(32)] {
            assert_eq!(AllowedGroups::parse(&format!("#\n{bad}\n")), Err(NotAGroupId { line: 2 }), "{bad}");
        }
    }
}
