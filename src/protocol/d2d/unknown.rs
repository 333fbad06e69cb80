//! Which fields of a message the schema does not have, found by walking its bytes.
//!
//! A comparison with a re-encoding would be wrong: explicit defaults and split messages are valid and encode shorter.

use std::collections::BTreeSet;

use bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_varint, skip_field};
use prost::{DecodeError, Message, Name};

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

/// The numbers of a field and of those that it stands in, from the outside.
pub(super) type FieldPath = Vec<u32>;

/// The fields of a message that the schema does not have. None of one that is malformed.
pub(super) fn paths<M: Name>(plain: &[u8]) -> BTreeSet<FieldPath> {
    SchemaWalk::over::<M>(plain, None).map(|walk| walk.found).unwrap_or_default()
}

/// Decodes as the specification of the wire format says: a known number with the wire type of another field is an
/// unknown field. The decoder takes it for damage, so such fields are taken out for it.
pub(super) fn decode<M: Message + Name + Default>(plain: &(impl Buf + AsRef<[u8]> + Clone)) -> Result<M, DecodeError> {
    M::decode(plain.clone()).or_else(|malformed| {
        let walk = SchemaWalk::over::<M>(plain.as_ref(), Some(Vec::new())).filter(|walk| !walk.found.is_empty());
        M::decode(walk.and_then(|walk| walk.known).ok_or(malformed)?.as_slice())
    })
}

struct SchemaWalk {
    /// The numbers of the fields around the current one, and its own.
    at: FieldPath,
    found: BTreeSet<FieldPath>,
    /// The same message without its unknown fields, if somebody wants it.
    known: Option<Vec<u8>>,
}

impl SchemaWalk {
    /// [`None`] if the message is malformed.
    fn over<M: Name>(plain: &[u8], known: Option<Vec<u8>>) -> Option<Self> {
        let name = M::full_name();
        let message = table::MESSAGES.iter().position(|(known, _)| *known == name)?;
        let mut walk = Self { at: FieldPath::new(), found: BTreeSet::new(), known };
        walk.message(plain, message)?;
        Some(walk)
    }

    fn message(&mut self, mut bytes: &[u8], message: usize) -> Option<()> {
        let (_, fields) = table::MESSAGES.get(message)?;
        while bytes.has_remaining() {
            let start = bytes;
            let (number, wire) = decode_key(&mut bytes).ok()?;
            let key = start.get(..start.len() - bytes.len())?;
            let known = fields.iter().find(|field| {
                let packed = field.packable && wire == WireType::LengthDelimited;
                field.number == number && (field.wire == wire as u8 || packed)
            });
            self.at.push(number);
            match known {
                Some(Field { message: Some(inner), .. }) if self.at.len() < MAX_DEPTH => {
                    let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
                    let (inside, rest) = bytes.split_at_checked(length)?;
                    bytes = rest;
                    let around = self.known.as_mut().map(std::mem::take);
                    self.message(inside, *inner)?;
                    let inside = std::mem::replace(&mut self.known, around);
                    if let (Some(known), Some(inside)) = (&mut self.known, inside) {
                        known.extend_from_slice(key);
                        encode_varint(inside.len() as u64, known);
                        known.extend_from_slice(&inside);
                    }
                }
                _ => {
                    skip_field(wire, number, &mut bytes, DecodeContext::default()).ok()?;
                    if known.is_some() {
                        let field = start.get(..start.len() - bytes.len())?;
                        self.known.iter_mut().for_each(|known| known.extend_from_slice(field));
                    } else if self.found.len() < MAX_PATHS {
                        self.found.insert(self.at.clone());
                    }
                }
            }
            self.at.pop();
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::table::MESSAGES;
    use super::*;
    use crate::protocol::proto::{csp_e2e, d2d, d2d_seed};

    /// Bytes that decide what is made; when they have run out, the answer is 0.
    struct Choices(std::vec::IntoIter<u8>);

    impl Choices {
        fn next(&mut self, below: usize) -> usize {
            usize::from(self.0.next().unwrap_or(0)) % below
        }

        fn varint(&mut self) -> u64 {
            [0, 1, 2, 300, u64::MAX][self.next(5)]
        }

        fn bytes(&mut self) -> Vec<u8> {
            vec![b'a'; [0, 1, 2, 130][self.next(4)]]
        }
    }

    /// A field as it stands on the wire.
    enum OnWire {
        Value(u32, u8, Vec<u8>),
        Message { number: u32, message: usize, fields: Vec<Self> },
    }

    /// Fields of a message in any order, any of them any number of times: so messages in it are split.
    fn fields_of(message: usize, depth: usize, choices: &mut Choices) -> Vec<OnWire> {
        let known = MESSAGES[message].1;
        if known.is_empty() || depth == 0 {
            return Vec::new();
        }
        (0..choices.next(6)).map(|_| value_of(&known[choices.next(known.len())], depth, choices)).collect()
    }

    fn value_of(field: &Field, depth: usize, choices: &mut Choices) -> OnWire {
        if let Some(message) = field.message {
            let fields = fields_of(message, depth - 1, choices);
            return OnWire::Message { number: field.number, message, fields };
        }
        let scalar = |wire, choices: &mut Choices| match wire {
            0 => varint(choices.varint()),
            1 => choices.varint().to_le_bytes().to_vec(),
            5 => [0; 4].to_vec(),
            _ => prefixed(&choices.bytes()),
        };
        if field.packable && choices.next(2) == 1 {
            let run: Vec<u8> = (0..choices.next(4)).flat_map(|_| scalar(field.wire, choices)).collect();
            return OnWire::Value(field.number, 2, prefixed(&run));
        }
        OnWire::Value(field.number, field.wire, scalar(field.wire, choices))
    }

    fn varint(number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_varint(number, &mut bytes);
        bytes
    }

    fn prefixed(bytes: &[u8]) -> Vec<u8> {
        [&varint(bytes.len() as u64), bytes].concat()
    }

    fn key(number: u32, wire: u8) -> Vec<u8> {
        varint(u64::from(number) << 3 | u64::from(wire))
    }

    fn encode(fields: &[OnWire]) -> Vec<u8> {
        let field = |field: &OnWire| match field {
            OnWire::Value(number, wire, bytes) => [&key(*number, *wire), bytes.as_slice()].concat(),
            OnWire::Message { number, fields, .. } => [key(*number, 2), prefixed(&encode(fields))].concat(),
        };
        fields.iter().flat_map(field).collect()
    }

    /// Puts an unknown field into one of the messages; its path.
    fn spoil(message: usize, fields: &mut Vec<OnWire>, choices: &mut Choices) -> FieldPath {
        let inner: Vec<usize> = (0..fields.len()).filter(|at| matches!(fields[*at], OnWire::Message { .. })).collect();
        if !inner.is_empty() && choices.next(3) > 0 {
            let at = inner[choices.next(inner.len())];
            let OnWire::Message { number, message, fields } = &mut fields[at] else { unreachable!() };
            return [vec![*number], spoil(*message, fields, choices)].concat();
        }
        let (wire, bytes) = match choices.next(5) {
            0 => (0, varint(choices.varint())),
            1 => (1, vec![7; 8]),
            2 => (2, prefixed(&choices.bytes())),
            // A group, with a field of its own.
            3 => (3, key(1, 0)),
            _ => (5, vec![7; 4]),
        };
        let known = MESSAGES[message].1;
        // A known number with the wire type of another field is unknown just as well.
        let mistyped = known.iter().filter(|field| field.wire != wire && !(field.packable && wire == 2));
        let numbers: Vec<u32> = mistyped
            .map(|field| field.number)
            .chain([99, 15_000, (1 << 29) - 1].into_iter().filter(|new| known.iter().all(|old| old.number != *new)))
            .collect();
        let number = numbers[choices.next(numbers.len())];
        let bytes = if wire == 3 { [bytes, varint(5), key(number, 4)].concat() } else { bytes };
        let place = choices.next(fields.len() + 1);
        fields.insert(place, OnWire::Value(number, wire, bytes));
        vec![number]
    }

    fn check<M: Message + Name + Default>(choices: Vec<u8>) {
        let name = M::full_name();
        let root = MESSAGES.iter().position(|(known, _)| *known == name).unwrap();
        let mut choices = Choices(choices.into_iter());
        let mut fields = fields_of(root, 8, &mut choices);
        let plain = encode(&fields);
        assert_eq!(paths::<M>(&plain), BTreeSet::new(), "{name} {plain:02x?}");
        let whole = decode::<M>(&plain.as_slice()).unwrap();
        let unknown = spoil(root, &mut fields, &mut choices);
        let spoilt = encode(&fields);
        assert_eq!(paths::<M>(&spoilt), BTreeSet::from([unknown]), "{name} {spoilt:02x?}");
        assert_eq!(
            decode::<M>(&spoilt.as_slice()).unwrap().encode_to_vec(),
            whole.encode_to_vec(),
            "{name} {spoilt:02x?}"
        );
    }

    proptest! {
        #[test]
        fn valid_encodings_have_nothing_unknown_and_each_unknown_field_is_named(choices in vec(any::<u8>(), 0..300)) {
            check::<d2d::Envelope>(choices.clone());
            check::<d2d_seed::Envelope>(choices.clone());
            check::<d2d::GroupSync>(choices.clone());
            check::<d2d::ContactSync>(choices.clone());
            check::<d2d::MdmParameterSync>(choices.clone());
            check::<csp_e2e::Reaction>(choices.clone());
            check::<csp_e2e::GroupCallStart>(choices);
        }
    }

    #[test]
    fn explicit_defaults_are_known() {
        // Empty padding twice, and device id 0; a map entry with key and value written out, and one with neither.
        let envelope = [&[0x0a, 0x00, 0x0a, 0x00][..], &[0x69, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(paths::<d2d::Envelope>(&envelope), BTreeSet::new());
        let member = [0x12, 0x04, 0x0a, 0x00, 0x10, 0x00, 0x12, 0x00];
        assert_eq!(paths::<d2d::group_sync::Update>(&member), BTreeSet::new());
        assert_eq!(paths::<d2d_seed::Envelope>(&[0x0a, 0x00, 0x0a, 0x00]), BTreeSet::new());
    }

    #[test]
    fn unknown_numbers_and_wire_types_are_named_in_both_dialects() {
        // Field 99 twice, known padding between, and padding with the wire type of a number.
        let plain = [0x9a, 0x06, 0x02, 0x08, 0x01, 0x0a, 0x00, 0x98, 0x06, 0x01, 0x08, 0x05];
        let expected = BTreeSet::from([vec![1], vec![99]]);
        assert_eq!(paths::<d2d::Envelope>(&plain), expected);
        assert_eq!(paths::<d2d_seed::Envelope>(&plain), expected);
        // An unknown field 7 behind the key and the value of a map entry.
        let member = [0x12, 0x04, 0x0a, 0x00, 0x38, 0x01];
        assert_eq!(paths::<d2d::group_sync::Update>(&member), BTreeSet::from([vec![2, 7]]));
    }

    #[test]
    fn what_is_malformed_stays_so() {
        for plain in [&[0x0a, 0x05, 0x00][..], &[0x00], &[0x98, 0x06], &[0x9c, 0x06]] {
            assert!(decode::<d2d::Envelope>(&plain).is_err(), "{plain:02x?}");
            assert_eq!(paths::<d2d::Envelope>(plain), BTreeSet::new());
        }
    }
}
