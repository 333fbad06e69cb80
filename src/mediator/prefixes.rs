//! [`GroupPrefixes`]: groups by how their ids begin, as load balancers tell them apart.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::protocol::DeviceGroupId;

/// Groups by the first eight bits of their ids: written as ranges of one or two hex digits, such as `0-7` or `80-bf,f0`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GroupPrefixes([u128; 2]);

/// The text names no prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give ranges of the first one or two hex digits of group ids, such as 0-7 or 80-bf,f0")]
pub struct NotPrefixes;

impl GroupPrefixes {
    /// Whatever the id begins with.
    pub const ALL: Self = Self([u128::MAX; 2]);
    /// For who has lost all of them, or never had one.
    pub const NONE: Self = Self([0; 2]);

    /// Whether the group is one of them.
    #[must_use]
    pub const fn contains(self, group: &DeviceGroupId) -> bool {
        let [first, ..] = group.0;
        self.has(first)
    }

    /// Those that this or the other one has.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Those that the other does not have.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self([self.0[0] & !other.0[0], self.0[1] & !other.0[1]])
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0[0] == 0 && self.0[1] == 0
    }

    /// The first bytes of their ids, in ranges that do not touch.
    #[must_use]
    pub fn ranges(self) -> Vec<RangeInclusive<u8>> {
        let mut ranges: Vec<RangeInclusive<u8>> = Vec::new();
        for byte in (0..=u8::MAX).filter(|byte| self.has(*byte)) {
            match ranges.last_mut().filter(|last| last.end().checked_add(1) == Some(byte)) {
                Some(last) => *last = *last.start()..=byte,
                None => ranges.push(byte..=byte),
            }
        }
        ranges
    }

    const fn has(self, byte: u8) -> bool {
        let [low, high] = self.0;
        (if byte < 128 { low >> byte } else { high >> (byte - 128) }) & 1 == 1
    }
}

impl Default for GroupPrefixes {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for GroupPrefixes {
    type Err = NotPrefixes;

    fn from_str(text: &str) -> Result<Self, NotPrefixes> {
        let mut all = Self::NONE;
        for range in text.split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (digits(first, '0')?, digits(last, 'f')?);
            if first > last {
                return Err(NotPrefixes);
            }
            for byte in first..=last {
                let half = if byte < 128 { &mut all.0[0] } else { &mut all.0[1] };
                *half |= 1 << (byte % 128);
            }
        }
        Ok(all)
    }
}

/// A byte of one or two hex digits; the second is this one if it is not there.
fn digits(text: &str, second: char) -> Result<u8, NotPrefixes> {
    let text = text.trim();
    if text.is_empty() || text.len() > 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(NotPrefixes);
    }
    let byte: String = text.chars().chain([second]).take(2).collect();
    u8::from_str_radix(&byte, 16).map_err(|_| NotPrefixes)
}

impl fmt::Display for GroupPrefixes {
    /// With one digit where that says it all; `none` if there are none.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |range: RangeInclusive<u8>| {
            let (first, last) = (range.start(), range.end());
            let is_whole = first.is_multiple_of(16) && last % 16 == 15;
            match (first >> 4, last >> 4) {
                (one, other) if is_whole && one == other => format!("{one:x}"),
                (one, other) if is_whole => format!("{one:x}-{other:x}"),
                _ if first == last => format!("{first:02x}"),
                _ => format!("{first:02x}-{last:02x}"),
            }
        };
        let ranges: Vec<String> = self.ranges().into_iter().map(range).collect();
        formatter.write_str(if ranges.is_empty() { "none" } else { "" })?;
        formatter.write_str(&ranges.join(","))
    }
}

impl fmt::Debug for GroupPrefixes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "GroupPrefixes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        for (text, shown) in [
            ("0-7", "0-7"),
            ("0-f", "0-f"),
            ("80-BF,f0", "80-bf,f0"),
            ("a", "a"),
            ("a0-af", "a"),
            ("3, 1,2", "1-3"),
            ("0-7f", "0-7"),
            ("00", "00"),
            ("7f-81", "7f-81"),
            ("ff", "ff"),
        ] {
            let prefixes: GroupPrefixes = text.parse().unwrap();
            assert_eq!(prefixes.to_string(), shown.replace("80-bf,f0", "8-b,f0"), "{text}");
            assert_eq!(prefixes.to_string().parse(), Ok(prefixes));
        }
        for bad in ["", "g", "7-0", "000", "0-", "-7", "0--7", "0,,1", "0-7-9", " ", "٣", "+1", "none"] {
            assert_eq!(bad.parse::<GroupPrefixes>(), Err(NotPrefixes), "{bad}");
        }
        assert_eq!(GroupPrefixes::NONE.to_string(), "none");
    }

    #[test]
    fn a_group_is_told_by_its_first_byte() {
        let some: GroupPrefixes = "10-2f,80".parse().unwrap();
        let starting = |byte: u8| DeviceGroupId([&[byte][..], &[0; 31]].concat().try_into().unwrap());
        let found: Vec<u8> = (0..=u8::MAX).filter(|byte| some.contains(&starting(*byte))).collect();
        assert_eq!(found, (0x10..=0x2f).chain([0x80]).collect::<Vec<_>>());
        assert!(GroupPrefixes::ALL.without(some).union(some) == GroupPrefixes::ALL);
        assert!(some.without(some).is_empty() && !some.contains(&starting(0)));
    }
}
