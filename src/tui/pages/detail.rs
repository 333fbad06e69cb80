//! All that is known of one reflected message: what it says, when, what is unusual, how it differs from the marked one,
//! and every field of its envelope as long as that is in memory.

use crate::group::FeedRow;
use crate::output::figures;
use crate::protocol::d2d::{Conversation, Direction, Envelope, TreeBranch, TreeValue};
use crate::protocol::{Millis, Sealed};
use crate::text::{Clean, PrivateText};
use crate::tui::context::FrameContext;
use crate::tui::pages::fact::Fact;
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::state::feed::{FeedState, MarkedRow};
use crate::tui::state::opened_row::OpenedRow;
use crate::tui::theme::Role;

/// The page about a row.
pub fn facts(ctx: &FrameContext<'_>, feed_state: &FeedState, opened: &OpenedRow, revealed: bool) -> Vec<Fact> {
    let OpenedRow { spot, row, .. } = opened;
    let mut facts = vec![Fact::heading(ctx.sentence(row).as_str())];
    let remark = match spot {
        RowKey::Journal(_) => Some("out of the journal"),
        RowKey::Memory(_) if !opened.is_there => Some("it has left memory since; this page keeps it"),
        RowKey::Memory(_) => None,
    };
    facts.extend(remark.map(|words| Fact::new("", words).styled(Role::Muted)));
    facts.extend(what_facts(ctx, row));
    facts.extend(time_facts(ctx, row));
    facts.extend(mark_facts(row));
    if let Some(mark) = feed_state.marked().filter(|mark| mark.spot != *spot) {
        facts.extend(differences(ctx, mark, row));
    }
    facts.extend(wire_facts(row));
    facts.extend(envelope_facts(ctx, opened.envelope.as_ref(), revealed));
    facts
}

fn what_facts(ctx: &FrameContext<'_>, row: &FeedRow) -> Vec<Fact> {
    let mut facts = vec![Fact::new("id", row.id.0)];
    facts.extend(row.author().map(|author| Fact::new("from", ctx.device(author))));
    match &row.content {
        Ok(summary) => {
            let direction = match summary.direction() {
                Direction::Incoming => "incoming",
                Direction::Outgoing => "outgoing",
                Direction::Sync => "between own devices",
            };
            facts.extend([Fact::new("kind", format!("{:?}", summary.kind)), Fact::new("direction", direction)]);
        }
        Err(error) => facts.push(Fact::new("unreadable", error)),
    }
    facts.extend(row.conversation().map(|conversation| named(ctx, conversation)));
    facts
        .extend(row.content.as_ref().ok().and_then(|summary| summary.message_id).map(|id| Fact::new("message id", id)));
    facts
}

/// With whom, by name where one is known, and always by identity.
fn named(ctx: &FrameContext<'_>, conversation: &Conversation) -> Fact {
    let (kind, identity) = match conversation {
        Conversation::Contact(identity) => ("contact", identity.to_string()),
        Conversation::Group { creator, .. } if conversation.is_stand_in() => ("group", creator.to_string()),
        Conversation::Group { id, creator } if creator.is_empty() => ("group", id.to_string()),
        Conversation::Group { id, creator } => ("group", format!("{id}, created by {creator}")),
        Conversation::DistributionList(id) => ("distribution list", id.to_string()),
    };
    match ctx.group.names().of(conversation) {
        Some(name) => Fact::new(kind, format!("{name} ({identity})")),
        None => Fact::new(kind, identity),
    }
}

/// Each time with how long it took since the one before.
fn time_facts(ctx: &FrameContext<'_>, row: &FeedRow) -> Vec<Fact> {
    let exact = |at| ctx.clock.zone().exact(at);
    let age = figures::span(ctx.group.age(row.stored_at, row.received_at));
    let created = row.content.as_ref().ok().and_then(|summary| summary.created_at);
    let stored = created
        .map_or_else(String::new, |created| format!(", {} from its creation", figures::apart(created, row.stored_at)));
    let mut facts: Vec<Fact> = created.map(|at| Fact::new("created", exact(at))).into_iter().collect();
    facts.extend([
        Fact::new("stored", format!("{} by the mediator's clock{stored}", exact(row.stored_at))),
        Fact::new("received", format!("{}, {age} later, clocks corrected", exact(row.received_at))),
    ]);
    facts.push(match row.acknowledged_after {
        Some(waited) => {
            let at = exact(row.received_at.after(waited));
            Fact::new("acknowledged", format!("{at}, {} later", figures::span(waited)))
        }
        None if row.marks.ephemeral => Fact::new("acknowledged", "never: it is ephemeral"),
        None => Fact::new("acknowledged", "not yet"),
    });
    facts
}

fn mark_facts(row: &FeedRow) -> Vec<Fact> {
    let marks = [
        (row.marks.ephemeral, "ephemeral", "only devices that were connected got it", Role::Text),
        (row.marks.redelivered, "again", "it was delivered before, on an earlier connection", Role::Text),
        (
            row.marks.repeated_nonce,
            "same nonce",
            "another message used this nonce: a replay, or a broken sender",
            Role::Alarm,
        ),
    ];
    marks
        .into_iter()
        .filter(|(marked, ..)| *marked)
        .map(|(_, name, meaning, style)| Fact::new(name, meaning).styled(style))
        .chain(row.marks.gap.map(|missing| {
            let words = format!("{} ids are missing before it", figures::count(u64::from(missing)));
            Fact::new("gap", words).styled(Role::Notice)
        }))
        .collect()
}

/// What travelled: bytes, header, nonce.
fn wire_facts(row: &FeedRow) -> Vec<Fact> {
    let header = row.header;
    let nonce = row.nonce.map_or_else(|| "none: too short to be sealed".to_owned(), |nonce| hex::encode(nonce.0));
    vec![
        Fact::new("size", format!("{} bytes, sealed", figures::count(u64::from(row.size)))),
        Fact::new("header", format!("{} bytes, flags {:#06x}", header.length, header.flags)),
        Fact::new("nonce", nonce),
    ]
}

/// How this row differs from the marked one.
fn differences(ctx: &FrameContext<'_>, mark: &MarkedRow, row: &FeedRow) -> Vec<Fact> {
    let apart = |of: fn(&FeedRow) -> Millis| figures::apart(of(&mark.row), of(row));
    let bytes = i64::from(row.size) - i64::from(mark.row.size);
    let mut facts = vec![
        Fact::blank(),
        Fact::heading(&format!("Compared with the marked row: {}", ctx.sentence(&mark.row))),
        Fact::new("stored", format!("{} from it", apart(|row| row.stored_at))),
        Fact::new("received", format!("{} from it", apart(|row| row.received_at))),
        Fact::new("size", format!("{bytes:+} bytes")),
    ];
    let (before, now) = (fields(ctx, &mark.row), fields(ctx, row));
    let mut same = Vec::new();
    for ((name, before), (_, now)) in before.into_iter().zip(now) {
        if before == now {
            same.push(name);
        } else {
            facts.push(Fact::new(name, format!("{now}; there {before}")));
        }
    }
    if !same.is_empty() {
        facts.push(Fact::new("the same", same.join(", ")));
    }
    facts.push(Fact::blank());
    facts
}

/// What two rows are compared by.
fn fields(ctx: &FrameContext<'_>, row: &FeedRow) -> Vec<(&'static str, String)> {
    let none = || "none".to_owned();
    let summary = row.content.as_ref().ok();
    let word = |is: bool| if is { "yes" } else { "no" }.to_owned();
    vec![
        ("from", row.author().map_or_else(none, |author| ctx.label(author).to_string())),
        ("kind", summary.map_or_else(|| "unreadable".to_owned(), |summary| format!("{:?}", summary.kind))),
        ("conversation", row.conversation().map_or_else(none, |with| named(ctx, with).value)),
        ("type", summary.and_then(|summary| summary.message_type).map_or_else(none, |of| of.name().into_owned())),
        ("message id", summary.and_then(|summary| summary.message_id).map_or_else(none, |id| id.to_string())),
        ("ephemeral", word(row.marks.ephemeral)),
        ("again", word(row.marks.redelivered)),
        ("nonce", row.nonce.map_or_else(none, |nonce| hex::encode(nonce.0))),
    ]
}

/// Every field of the envelope, opened only to be shown.
fn envelope_facts(ctx: &FrameContext<'_>, sealed: Option<&Sealed<Envelope>>, revealed: bool) -> Vec<Fact> {
    let mut facts = vec![Fact::blank(), Fact::heading("The envelope")];
    let Some(sealed) = sealed else {
        facts.push(Fact::new("", "no longer in memory: only the newest are, and they are never written to disk"));
        return facts;
    };
    let Some(keys) = &ctx.settings.keys else {
        facts.push(Fact::new("", "cannot be opened here: there is no key"));
        return facts;
    };
    match sealed.open(keys) {
        Ok(envelope) => {
            let tree = envelope.tree();
            facts.extend(private_facts(ctx, &tree, revealed));
            for branch in &tree {
                grow(ctx, branch, 0, &mut facts);
            }
        }
        Err(error) => facts.push(Fact::new("", error)),
    }
    facts
}

/// A branch and what is in it, two columns further in at each step.
fn grow(ctx: &FrameContext<'_>, branch: &TreeBranch, depth: usize, facts: &mut Vec<Fact>) {
    let value = match &branch.value {
        TreeValue::Time(at) => ctx.clock.zone().exact(*at),
        TreeValue::Device(device) => ctx.device(*device),
        value => value.to_string(),
    };
    facts.push(Fact::new(format!("{}{}", "  ".repeat(depth), branch.name), value));
    for child in &branch.children {
        grow(ctx, child, depth + 1, facts);
    }
}

/// What people wrote or are: only after a key, and only on the screen.
fn private_facts(ctx: &FrameContext<'_>, tree: &[TreeBranch], revealed: bool) -> Vec<Fact> {
    let private: Vec<_> = tree.iter().flat_map(TreeBranch::private).collect();
    match private.as_slice() {
        [] => Vec::new(),
        [(name, _)] if !revealed => {
            vec![Fact::new(name.as_str(), ctx.keyed("{show-text} shows it")).styled(Role::Muted)]
        }
        several if !revealed => {
            let mut names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            names.dedup();
            vec![
                Fact::new("private", format!("{} {}", ctx.keyed("{show-text} shows"), names.join(", ")))
                    .styled(Role::Muted),
            ]
        }
        all => all.iter().flat_map(|(name, text)| revealed_facts(name, text)).collect(),
    }
}

fn revealed_facts(name: &Clean, text: &PrivateText) -> Vec<Fact> {
    let mut names = std::iter::once(name.as_str());
    let line = |line| Fact::new(names.next().unwrap_or_default(), line).styled(Role::Notice);
    text.reveal().into_iter().map(line).collect()
}
