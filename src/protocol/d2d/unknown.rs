//! Which fields of an envelope the schema does not have, found by walking its bytes.
//!
//! A comparison with a re-encoding would be wrong: explicit defaults and split messages are valid and encode shorter.

use std::collections::BTreeSet;

use bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::text::Clean;

/// The most paths that are told of one envelope.
const MAX_PATHS: usize = 100;
/// The deepest nesting that is walked; prost refuses what is deeper.
const MAX_DEPTH: usize = 100;

/// A field of the schema.
struct Field {
    number: u32,
    /// The wire type of one value.
    wire: u8,
    /// Whether a run of values may stand in one length-delimited field.
    packable: bool,
    /// The index of its message.
    message: Option<usize>,
}

mod table {
    use super::Field;
    include!(concat!(env!("OUT_DIR"), "/fields_table.rs"));
}

/// The numbers of a field and of those that it stands in, from the outside, with dots between them: `4.1.99`.
pub(super) fn paths(plain: &[u8], message: &str) -> Vec<Clean> {
    let mut found = BTreeSet::new();
    if let Some(index) = table::MESSAGES.iter().position(|(name, _)| *name == message) {
        // Decoding has refused what is malformed; a walk that stops early finds less.
        let _ = walk(plain, index, &mut Vec::new(), &mut found);
    }
    let path = |numbers: Vec<u32>| Clean::new(&numbers.iter().map(u32::to_string).collect::<Vec<_>>().join("."));
    found.into_iter().map(path).collect()
}

fn walk(mut bytes: &[u8], message: usize, above: &mut Vec<u32>, found: &mut BTreeSet<Vec<u32>>) -> Option<()> {
    let (_, fields) = table::MESSAGES.get(message)?;
    while bytes.has_remaining() {
        let (number, wire) = decode_key(&mut bytes).ok()?;
        let known = fields.iter().find(|field| {
            let packed = field.packable && wire == WireType::LengthDelimited;
            field.number == number && (field.wire == wire as u8 || packed)
        });
        above.push(number);
        match known {
            Some(Field { message: Some(inner), .. }) if above.len() < MAX_DEPTH => {
                let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
                let (inside, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                walk(inside, *inner, above, found)?;
            }
            Some(_) => skip_field(wire, number, &mut bytes, DecodeContext::default()).ok()?,
            None => {
                if found.len() < MAX_PATHS {
                    found.insert(above.clone());
                }
                skip_field(wire, number, &mut bytes, DecodeContext::default()).ok()?;
            }
        }
        above.pop();
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::text::Clean;

    fn paths(plain: &[u8], message: &str) -> Vec<String> {
        super::paths(plain, message).iter().map(Clean::to_string).collect()
    }

    const TODAY: &str = ".d2d.Envelope";
    const SEED: &str = ".d2d_seed.Envelope";

    #[test]
    fn valid_encodings_of_known_fields_have_nothing_unknown() {
        // Explicit defaults: empty padding, device id 0, and a map entry with key and value written out.
        let member = [0x12, 0x04, 0x0a, 0x00, 0x10, 0x00];
        for plain in [
            vec![0x0a, 0x00],
            [&[0x0a, 0x00, 0x0a, 0x00][..], &[0x69, 0, 0, 0, 0, 0, 0, 0, 0]].concat(),
            member.to_vec(),
        ] {
            let root = if plain == member { ".d2d.GroupSync.Update" } else { TODAY };
            assert_eq!(paths(&plain, root), Vec::<String>::new(), "{plain:02x?}");
        }
        assert_eq!(paths(&[0x0a, 0x00, 0x0a, 0x00], SEED), Vec::<String>::new());
    }

    #[test]
    fn unknown_numbers_and_wire_types_are_named_in_both_dialects() {
        for root in [TODAY, SEED] {
            // Field 99 twice, known padding between, and padding with the wire type of a number.
            let plain = [0x9a, 0x06, 0x02, 0x08, 0x01, 0x0a, 0x00, 0x98, 0x06, 0x01, 0x08, 0x05];
            assert_eq!(paths(&plain, root), ["1", "99"]);
        }
        // An unknown field 7 behind the key and the value of a map entry.
        assert_eq!(paths(&[0x12, 0x04, 0x0a, 0x00, 0x38, 0x01], ".d2d.GroupSync.Update"), ["2.7"]);
    }
}
