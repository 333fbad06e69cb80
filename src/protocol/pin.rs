//! [`SpkiPin`]: the key that a mediator must have, whoever vouches for it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// SHA-256 of a certificate's public key (its `SubjectPublicKeyInfo`). A renewed certificate keeps it if it keeps its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpkiPin(pub [u8; 32]);

/// The text is not a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPin {
    /// Not base64 at all.
    #[error("a pin is the SHA-256 of the server's public key in base64, 44 characters; this is not base64")]
    NotBase64,
    /// Base64 of something else.
    #[error("a pin is the SHA-256 of the server's public key in base64, 32 bytes; this has {0}")]
    Length(usize),
}

impl FromStr for SpkiPin {
    type Err = NotAPin;

    fn from_str(text: &str) -> Result<Self, NotAPin> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| NotAPin::NotBase64)?;
        let length = bytes.len();
        bytes.try_into().map(Self).map_err(|_| NotAPin::Length(length))
    }
}

impl fmt::Display for SpkiPin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for SpkiPin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SpkiPin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_and_written_the_same() {
        let text = "vGQZ8hm2h+km+q7rnJ7kF9S17BwSY0rbhwjz6nIupf0=";
        assert_eq!(text.parse::<SpkiPin>().unwrap().to_string(), text);
        assert_eq!(format!(" {text}\n").parse::<SpkiPin>().unwrap().to_string(), text);
    }

    #[test]
    fn what_is_no_pin_is_told_apart() {
        assert_eq!("AAAA".parse::<SpkiPin>(), Err(NotAPin::Length(3)));
        assert_eq!("".parse::<SpkiPin>(), Err(NotAPin::Length(0)));
        for text in ["not base64!", "0f0f0", "vGQZ8hm2h+km+q7rnJ7kF9S17BwSY0rbhwjz6nIupf0"] {
            assert_eq!(text.parse::<SpkiPin>(), Err(NotAPin::NotBase64), "{text}");
        }
    }
}
