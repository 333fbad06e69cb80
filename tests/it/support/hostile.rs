//! A device of the group that puts the worst it can into every text field, and reflects the same.

use bytes::Bytes;
use d2mtop::protocol::SealKey;
use d2mtop::protocol::proto::{common, d2d, d2d_seed, d2d_sync};
use d2mtop::protocol::sealed::Sealable;
use d2mtop::protocol::{DecodeError, Dialect, GroupKeys, GroupSecret, Nonce, Sealed};
use prost::Message as _;

use super::program::{KEY, Mediator};
use super::raw;

/// Moves the cursor, sets the clipboard and the title, reverses text, hides text, forges a line, and goes on for ever.
fn hostile_text() -> String {
    format!("{WORST}{}{}", "z\u{335}\u{335}\u{335}\u{335}".repeat(50), "字".repeat(10_000 / 3))
}

const WORST: &str = "\u{1b}[2J\u{1b}]52;c;aGk=\u{7}\u{1b}]0;title\u{7}\u{9b}31m\r\n{\"event\":\"forged\"}\u{202e}gnp.exe\u{2066}\u{200b}\u{e0041}👩\u{200d}👩\u{200d}👧\u{fe0f}";

/// Plaintext as it is, sealed with the key of another kind of data.
struct Raw<T>(Vec<u8>, std::marker::PhantomData<T>);

impl<T: Sealable> Sealable for Raw<T> {
    fn key(keys: &GroupKeys) -> &SealKey {
        T::key(keys)
    }

    fn encode(&self, _dialect: Dialect) -> Vec<u8> {
        self.0.clone()
    }

    fn decode(plain: Bytes, _dialect: Dialect) -> Result<Self, DecodeError> {
        Ok(Self(plain.to_vec(), std::marker::PhantomData))
    }
}

fn seal<T: Sealable>(plain: Vec<u8>, keys: &GroupKeys, number: u8) -> Sealed<T> {
    let raw = Raw::<T>(plain, std::marker::PhantomData);
    Sealed::from_wire(Sealed::seal(&raw, keys, Nonce([number; 24])).as_bytes().clone())
}

fn info(dialect: Dialect) -> Vec<u8> {
    let text = hostile_text();
    match dialect {
        Dialect::Mk => d2d_seed::DeviceInfo {
            app_version: WORST.to_owned(),
            description: text,
            platform: 99,
            ..Default::default()
        }
        .encode_to_vec(),
        Dialect::Dgk => d2d::DeviceInfo {
            platform_details: WORST.to_owned(),
            app_version: "v\u{1b}[31m".to_owned(),
            label: text,
            platform: 99,
            ..Default::default()
        }
        .encode_to_vec(),
    }
}

fn envelopes(dialect: Dialect) -> Vec<Vec<u8>> {
    let text = hostile_text();
    match dialect {
        Dialect::Mk => vec![
            d2d_seed::Envelope {
                content: Some(d2d_seed::envelope::Content::IncomingMessage(d2d_seed::IncomingMessage {
                    sender_identity: text.clone(),
                    sender_nickname: text,
                    r#type: 1,
                    ..Default::default()
                })),
                ..Default::default()
            }
            .encode_to_vec(),
        ],
        Dialect::Dgk => {
            let contact = d2d_sync::Contact {
                identity: text.clone(),
                nickname: Some(text.clone()),
                first_name: Some(text.clone()),
                ..Default::default()
            };
            let group = common::GroupIdentity { group_id: 1, creator_identity: text.clone() };
            let contents = [
                d2d::envelope::Content::IncomingMessage(d2d::IncomingMessage {
                    sender_identity: text,
                    r#type: 1,
                    ..Default::default()
                }),
                d2d::envelope::Content::ContactSync(d2d::ContactSync {
                    action: Some(d2d::contact_sync::Action::Update(d2d::contact_sync::Update {
                        contact: Some(contact),
                    })),
                }),
                d2d::envelope::Content::GroupSync(d2d::GroupSync {
                    action: Some(d2d::group_sync::Action::Delete(d2d::group_sync::Delete {
                        group_identity: Some(group),
                    })),
                }),
            ];
            contents
                .into_iter()
                .map(|content| d2d::Envelope { content: Some(content), ..Default::default() }.encode_to_vec())
                .collect()
        }
    }
}

/// Logs in, reflects everything, waits until it is stored, and leaves.
pub fn visit(mediator: &Mediator, dialect: Dialect) {
    reflect(mediator, dialect, envelopes(dialect));
}

/// The same with these envelopes, byte for byte.
pub fn reflect(mediator: &Mediator, dialect: Dialect, envelopes: Vec<Vec<u8>>) {
    let keys = GroupKeys::derive(dialect, &GroupSecret::from_hex(KEY).unwrap());
    let sealed = (3..).zip(envelopes).map(|(number, envelope)| seal(envelope, &keys, number));
    raw::reflect(&mediator.url(), &keys, &seal(info(dialect), &keys, 2), &sealed.collect::<Vec<_>>());
}

/// Nothing of the hostile text may be in what a terminal, a script or a log gets.
pub fn assert_harmless(text: &str, whose: &str) {
    for hostile in ["\u{1b}]", "\u{1b}[2J\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{200b}", "\u{e0041}"] {
        assert!(!text.contains(hostile), "{whose} has {hostile:?}");
    }
}
