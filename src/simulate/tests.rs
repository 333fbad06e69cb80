//! The story: the same for the same seed, representable, at the asked rate, with all that real devices do.

use std::time::Duration;

use super::*;
use crate::protocol::d2d::{ContentKind, Direction, EnvelopeSummary, MessageType};
use crate::protocol::sealed::Sealable;
use crate::protocol::{Dialect, ExpirationPolicy, MAX_ENVELOPE_PLAIN, Millis, TransactionScope};

const NOW: Millis = Millis(1_700_000_000_000);
const BOTH: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

fn steps(part: Part, dialect: Dialect, seed: u64, rate: u32) -> impl Iterator<Item = (Duration, ScriptStep)> {
    let member = cast(seed).into_iter().find(|member| member.part == part).unwrap();
    Script::new(&member, dialect, seed, rate)
}

fn lines(step: &ScriptStep) -> &[ScriptLine] {
    match step {
        ScriptStep::Reflect { line, .. } => std::slice::from_ref(line),
        ScriptStep::Transaction { lines, .. } => lines,
        ScriptStep::Leave { .. } => &[],
    }
}

fn summaries(part: Part, dialect: Dialect) -> Vec<EnvelopeSummary> {
    let steps: Vec<ScriptStep> = steps(part, dialect, 1, 2).take(2_000).map(|(_, step)| step).collect();
    steps.iter().flat_map(lines).map(|line| line.envelope(NOW).summary()).collect()
}

#[test]
fn the_same_seed_tells_the_same_story() {
    assert_eq!(cast(7), cast(7));
    assert_ne!(cast(7), cast(8));
    for member in cast(7) {
        for dialect in BOTH {
            let story = |seed| steps(member.part, dialect, seed, 2).take(300).collect::<Vec<_>>();
            assert_eq!(story(7), story(7), "{:?}", member.part);
            assert_ne!(story(7), story(8), "{:?}", member.part);
        }
    }
}

#[test]
fn one_device_leads_and_one_is_volatile() {
    let cast = cast(1);
    assert_eq!(cast.iter().filter(|member| member.leads).count(), 1);
    assert!(cast[0].leads, "and it comes first");
    let volatile = cast.iter().filter(|member| member.expiration_policy == ExpirationPolicy::Volatile);
    assert_eq!(volatile.map(|member| member.part).collect::<Vec<_>>(), [Part::Web]);
    let mut ids: Vec<_> = cast.iter().map(|member| member.device_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn every_line_can_be_sent_in_its_dialect() {
    for dialect in BOTH {
        for member in cast(3) {
            for (_, step) in steps(member.part, dialect, 3, 2).take(2_000) {
                for line in lines(&step) {
                    let envelope = line.envelope(NOW);
                    assert!(envelope.representable_in(dialect));
                    assert!(envelope.encode(dialect).len() <= MAX_ENVELOPE_PLAIN);
                    let summary = envelope.summary();
                    assert_ne!(summary.kind, ContentKind::Unknown);
                    assert_eq!(summary.author, (dialect == Dialect::Dgk).then_some(member.device_id));
                    assert!(summary.created_at.is_none_or(|at| at == NOW), "the time is that of playing");
                }
            }
        }
    }
}

#[test]
fn typing_comes_before_text_and_is_ephemeral_where_there_is_such_a_thing() {
    for dialect in BOTH {
        let steps: Vec<ScriptStep> = steps(Part::Phone, dialect, 1, 2).take(2_000).map(|(_, step)| step).collect();
        let mut seen = 0;
        for pair in steps.windows(2) {
            let [ScriptStep::Reflect { line, ephemeral }, next] = pair else { continue };
            let summary = line.envelope(NOW).summary();
            let typing = summary.message_type == Some(MessageType::TYPING_INDICATOR);
            assert_eq!(*ephemeral, typing && dialect == Dialect::Dgk);
            if typing {
                seen += 1;
                let next = lines(next)[0].envelope(NOW).summary();
                assert_eq!(next.message_type, Some(MessageType::TEXT));
                assert_eq!(next.conversation, summary.conversation);
            }
        }
        assert!(seen > 100, "{seen}");
    }
}

#[test]
fn the_phone_receives_and_never_leaves() {
    let summaries = summaries(Part::Phone, Dialect::Dgk);
    let incoming = summaries.iter().filter(|summary| summary.direction() == Direction::Incoming).count();
    assert!(incoming * 2 > summaries.len());
    for part in [Part::Phone, Part::Laptop] {
        assert!(steps(part, Dialect::Dgk, 1, 2).take(5_000).all(|(_, step)| !matches!(step, ScriptStep::Leave { .. })));
    }
    for wanted in [
        MessageType::TEXT,
        MessageType::GROUP_TEXT,
        MessageType::FILE,
        MessageType::REACTION,
        MessageType::GROUP_REACTION,
        MessageType::DELIVERY_RECEIPT,
    ] {
        assert!(summaries.iter().any(|summary| summary.message_type == Some(wanted)), "no {wanted}");
    }
}

#[test]
fn the_laptop_syncs_in_transactions_and_writes() {
    for dialect in BOTH {
        let scopes: Vec<TransactionScope> = steps(Part::Laptop, dialect, 1, 2)
            .take(2_000)
            .filter_map(|(_, step)| match step {
                ScriptStep::Transaction { scope, lines } => {
                    assert!(!lines.is_empty());
                    Some(scope)
                }
                _ => None,
            })
            .collect();
        for scope in [
            TransactionScope::ContactSync,
            TransactionScope::GroupSync,
            TransactionScope::SettingsSync,
            TransactionScope::UserProfileSync,
        ] {
            assert!(scopes.contains(&scope), "no {scope}");
        }
    }
    let summaries = summaries(Part::Laptop, Dialect::Dgk);
    for pair in summaries.windows(2) {
        let [message, update] = pair else { continue };
        if message.kind == ContentKind::OutgoingMessage && message.message_type != Some(MessageType::DELIVERY_RECEIPT) {
            assert_eq!((update.kind, update.message_id), (ContentKind::OutgoingMessageUpdate, message.message_id));
            assert_eq!(update.conversation, message.conversation);
        }
    }
}

#[test]
fn tablet_and_web_session_come_and_go_at_any_rate() {
    for part in [Part::Tablet, Part::Web] {
        for rate in [2, 1_000] {
            let mut there = Duration::ZERO;
            let left = steps(part, Dialect::Dgk, 1, rate).find_map(|(pause, step)| {
                there += pause;
                if let ScriptStep::Leave { away_for } = step { Some(away_for) } else { None }
            });
            assert!(left.unwrap() >= Duration::from_secs(8));
            assert!((Duration::from_secs(20)..Duration::from_secs(80)).contains(&there), "{part:?}: {there:?}");
        }
    }
}

#[test]
fn all_devices_together_keep_the_rate() {
    for dialect in BOTH {
        for rate in [2, 10_000, 100_000] {
            let mut total = 0.0;
            for member in cast(1) {
                let (mut messages, mut time) = (0_u32, Duration::ZERO);
                for (pause, step) in steps(member.part, dialect, 1, rate).take(3_000) {
                    messages += u32::try_from(lines(&step).len()).unwrap();
                    time += pause;
                }
                total += f64::from(messages) / time.as_secs_f64();
            }
            let share = total / f64::from(rate);
            assert!((0.9..1.1).contains(&share), "{dialect} at {rate}/s: {total}");
        }
    }
}
