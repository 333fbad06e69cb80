//! Any order of appending, acknowledging, disconnecting and crashing.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::group::FeedRow;
use crate::journal::code::Shape;
use crate::protocol::d2d::SyncAction;

fn conversation() -> impl Strategy<Value = Conversation> {
    let text = || "\\PC{0,12}".prop_map(|text| Clean::new(&text));
    prop_oneof![
        text().prop_map(Conversation::Contact),
        (any::<u64>(), text()).prop_map(|(id, creator)| Conversation::Group { id: MessageId(id), creator }),
        any::<u64>().prop_map(|id| Conversation::DistributionList(MessageId(id))),
    ]
}

fn summary() -> impl Strategy<Value = EnvelopeSummary> {
    let actions = prop_oneof![Just(SyncAction::Create), Just(SyncAction::Update), Just(SyncAction::Delete)];
    let text = || option::of("\\PC{0,12}".prop_map(|text| Clean::new(&text)));
    let who = (option::of(any::<u64>()), option::of(conversation()), text(), text());
    let what = (0..ContentKind::ALL.len(), option::of(any::<u8>()), option::of(any::<u64>()), option::of(actions));
    (who, what, option::of(any::<u64>()), any::<[u32; 3]>()).prop_map(
        |(
            (author, conversation, sender, detail),
            (kind, message_type, id, action),
            created_at,
            [version, length, count],
        )| {
            EnvelopeSummary {
                author: author.map(DeviceId),
                protocol_version: version,
                conversation,
                message_type: message_type.map(MessageType),
                message_id: id.map(MessageId),
                created_at: created_at.map(Millis),
                action,
                body_length: length,
                count,
                sender,
                detail: detail.map(|words| Detail::of_words(&words)),
                ..EnvelopeSummary::blank(ContentKind::ALL[kind])
            }
        },
    )
}

fn any_message() -> impl Strategy<Value = ReflectedMessage> {
    let content = prop_oneof![
        4 => summary().prop_map(Ok),
        1 => Just(Err(OpenError::DoesNotDecrypt)),
    ];
    let header = (any::<u8>(), any::<u16>()).prop_map(|(length, flags)| ReflectedHeader { length, flags });
    (any::<u32>(), any::<[u64; 2]>(), any::<u32>(), header, any::<[bool; 2]>(), option::of(any::<[u8; 24]>()), content)
        .prop_map(|(id, [stored_at, received_at], size, header, [ephemeral, repeated_nonce], nonce, content)| {
            ReflectedMessage {
                id: ReflectedId(id),
                stored_at: Millis(stored_at),
                received_at: Millis(received_at),
                size,
                header,
                ephemeral,
                redelivered: false,
                repeated_nonce,
                nonce: nonce.map(Nonce),
                content,
                unknown_fields: Vec::new(),
                envelope: Sealed::default(),
            }
        })
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<ReflectedMessage>),
    Acknowledge(usize),
    /// The connection ends, and all that is not acknowledged comes again.
    Reconnect,
    /// The program ends without a word, and all that is not acknowledged comes again.
    Crash,
    Flush,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => vec(any_message(), 0..5).prop_map(Step::Append),
        4 => (0..6_usize).prop_map(Step::Acknowledge),
        1 => Just(Step::Reconnect),
        1 => Just(Step::Crash),
        1 => Just(Step::Flush),
    ];
    vec(step, 1..25)
}

/// What the row of a message must say.
fn expected(message: &ReflectedMessage, how: &Conversations) -> HistoryRow {
    let mut row = HistoryRow {
        number: 0,
        acknowledged_at: None,
        conversation: None,
        shape: Shape::Contact,
        sender: None,
        row: FeedRow::new(message),
    };
    if let Ok(summary) = &mut row.row.content {
        summary.nickname = None;
        match how {
            Conversations::Plain => {}
            Conversations::None => (summary.conversation, summary.sender) = (None, None),
            Conversations::Hashed(key) => {
                row.shape = match summary.conversation {
                    Some(Conversation::Group { .. }) => Shape::Group,
                    Some(Conversation::DistributionList(_)) => Shape::DistributionList,
                    Some(Conversation::Contact(_)) | None => Shape::Contact,
                };
                row.conversation = summary.conversation.take().map(|conversation| key.conversation(&conversation));
                row.sender = summary.sender.take().map(|sender| key.contact(&sender));
            }
        }
    }
    row
}

fn kept(how: usize, dialect: Dialect) -> Conversations {
    match how {
        0 => Conversations::Plain,
        1 => Conversations::None,
        _ => Conversations::Hashed(key(dialect)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_appended_is_what_history_returns(steps in steps(), how in 0..3_usize, today in any::<bool>()) {
        let dialect = if today { Dialect::Dgk } else { Dialect::Mk };
        let home = Home::new();
        let open = || home.open_with(Options { conversations: kept(how, dialect), ..options(dialect) }).journal;
        let mut journal = open();
        let mut all: Vec<(ReflectedMessage, bool)> = Vec::new();
        // The indexes of what waits for its acknowledgement, in the order of receipt.
        let mut waiting: Vec<usize> = Vec::new();
        for step in steps {
            let again = match step {
                Step::Append(mut messages) => {
                    // An id and a nonce of its own each, as a server gives them.
                    for (message, number) in messages.iter_mut().zip(all.len()..) {
                        message.id = ReflectedId(u32::try_from(number).unwrap());
                        if let Some(nonce) = &mut message.nonce {
                            nonce.0[..8].copy_from_slice(&(number as u64).to_le_bytes());
                        }
                    }
                    journal.append(&messages).unwrap();
                    for message in messages {
                        if !message.ephemeral {
                            waiting.push(all.len());
                        }
                        all.push((message, false));
                    }
                    false
                }
                Step::Acknowledge(count) => {
                    journal.acknowledged(count, NOW, WAITED);
                    waiting.drain(..count.min(waiting.len()));
                    false
                }
                Step::Flush => {
                    journal.flush().unwrap();
                    false
                }
                Step::Reconnect => {
                    journal.disconnected();
                    true
                }
                Step::Crash => {
                    drop(journal);
                    journal = open();
                    true
                }
            };
            if again {
                // What has no nonce is not recognised, and would be a row of its own.
                waiting.retain(|index| all[*index].0.nonce.is_some());
                let messages: Vec<_> = waiting.iter().map(|index| all[*index].0.clone()).collect();
                journal.append(&messages).unwrap();
                for index in &waiting {
                    all[*index].1 = true;
                }
            }
        }
        journal.flush().unwrap();
        let rows = home.rows();
        prop_assert_eq!(rows.len(), all.len());
        for ((row, (message, redelivered)), number) in rows.into_iter().zip(&all).zip(1..) {
            let mut wanted = expected(message, &kept(how, dialect));
            wanted.number = number;
            wanted.row.marks.redelivered = *redelivered;
            let waits = message.ephemeral || waiting.contains(&usize::try_from(number - 1).unwrap());
            if waits {
                prop_assert_eq!(row.acknowledged_at, None);
            } else if let Some(at) = row.acknowledged_at {
                // After a crash it may not be known.
                prop_assert_eq!((at, row.row.acknowledged_after), (NOW, Some(WAITED)));
            }
            (wanted.acknowledged_at, wanted.row.acknowledged_after) = (row.acknowledged_at, row.row.acknowledged_after);
            prop_assert_eq!(row, wanted);
        }
        let nonces = all.iter().filter(|(message, _)| message.nonce.is_some() && !message.repeated_nonce).count();
        drop(journal);
        prop_assert_eq!(home.open().nonces.len(), nonces);
    }
}
