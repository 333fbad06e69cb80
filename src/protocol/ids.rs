//! Ids and times of the protocol, each its own type so that one cannot stand in for another.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

/// A device's id within its group (the *mediator device id*), random, `fixed64` on the wire.
///
/// Printed as the eight little-endian bytes in hex, as the phone apps do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub u64);

/// The id of an end-to-end message, printed like a [`DeviceId`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// Names a message that we reflect, unique per connection; echoed in the acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ReflectId(pub u32);

/// Names a message in our reflection queue; rises per device slot, survives reconnects, and may wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ReflectedId(pub u32);

/// Milliseconds since 1970-01-01T00:00:00Z, the protocol's unit of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Millis(pub u64);

impl Millis {
    /// This time plus a span, capped at the end of time.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span_millis(span)))
    }

    /// The span from `earlier` to this time; zero if `earlier` is in fact later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This time moved by a signed number of milliseconds, as when correcting for a clock offset.
    #[must_use]
    pub const fn offset_by(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add_signed(milliseconds))
    }

    /// How far this time is ahead of `other` in milliseconds; negative if it is behind.
    #[must_use]
    pub fn ahead_of(self, other: Self) -> i64 {
        i64::try_from(i128::from(self.0) - i128::from(other.0)).unwrap_or(if self > other {
            i64::MAX
        } else {
            i64::MIN
        })
    }
}

impl From<SystemTime> for Millis {
    /// A clock that stands before 1970 counts as 0.
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, span_millis))
    }
}

/// A span in whole milliseconds, capped.
#[must_use]
pub fn span_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The text is not the sixteen hex digits of a device id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a device id is 16 hex digits, such as 8f3a19c2d0e1b477")]
pub struct NotADeviceId;

impl FromStr for DeviceId {
    type Err = NotADeviceId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotADeviceId)?;
        Ok(Self(u64::from_le_bytes(bytes)))
    }
}

macro_rules! little_endian_hex {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&hex::encode(self.0.to_le_bytes()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({self})", stringify!($name))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

little_endian_hex!(DeviceId, MessageId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_ids_print_little_endian() {
        let id = DeviceId(1_234_605_616_436_508_552);
        assert_eq!(id.to_string(), "8877665544332211");
        assert_eq!("8877665544332211".parse(), Ok(id));
        assert_eq!("88776655443322".parse::<DeviceId>(), Err(NotADeviceId));
    }

    #[test]
    fn times_never_overflow() {
        assert_eq!(Millis(u64::MAX).after(Duration::from_secs(1)), Millis(u64::MAX));
        assert_eq!(Millis(1).since(Millis(2)), Duration::ZERO);
        assert_eq!(Millis(0).ahead_of(Millis(u64::MAX)), i64::MIN);
        assert_eq!(Millis(5).ahead_of(Millis(7)), -2);
    }
}
