//! Pages over the panes: the help, and all facts of a device or a feed row.

use std::fmt::Display;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cut::{Align, wrap};
use super::dialog::frame;
use super::keymap::{self, Motion};
use super::pen::Pen;
use super::theme::Theme;
use super::view::View;
use super::{devices, format};
use crate::group::Row;
use crate::protocol::d2d::{Conversation, Direction};
use crate::protocol::{Activity, DeviceId, ExpirationPolicy};

/// A page that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) about: About,
    top: usize,
    /// How many lines there were, and how many were in sight.
    extent: (usize, usize),
}

/// What a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Help,
    Device(DeviceId),
    Row(u64),
}

/// A name and what belongs to it; without a name, a continuation or a remark.
type Line = (String, String);

impl Page {
    pub(super) const fn new(about: About) -> Self {
        Self { about, top: 0, extent: (0, 0) }
    }

    pub(super) fn scroll(&mut self, motion: Motion) {
        let (lines, shown) = self.extent;
        let page = shown.max(1);
        let top = match motion {
            Motion::Up => self.top.saturating_sub(1),
            Motion::Down => self.top + 1,
            Motion::HalfPageUp | Motion::PageUp => self.top.saturating_sub(page),
            Motion::HalfPageDown | Motion::PageDown => self.top + page,
            Motion::First => 0,
            Motion::Last => lines,
        };
        self.top = top.min(lines.saturating_sub(shown));
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: &View<'_>) {
        let (title, lines) = match self.about {
            About::Help => ("Keys", help()),
            About::Device(device) => ("Device", device_facts(view, device)),
            About::Row(number) => ("Reflected message", row_facts(view, number)),
        };
        let width = area.width.min(80);
        let name_width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let value_width = usize::from(width).saturating_sub(name_width + 6).max(1);
        let lines: Vec<Line> =
            lines.into_iter().flat_map(|(name, value)| continued(name, &value, value_width)).collect();
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
        let inner = frame(buffer, area, (width, height), title, view.theme.focus());
        self.extent = (lines.len(), usize::from(inner.height));
        self.top = self.top.min(lines.len().saturating_sub(usize::from(inner.height)));
        let mut pen = Pen::new(buffer, inner);
        for (name, value) in lines.iter().skip(self.top).take(usize::from(inner.height)) {
            pen.gap(1)
                .column(name, name_width, Align::Left, Theme::STRONG)
                .gap(2)
                .text(value, Theme::PLAIN)
                .next_line();
        }
        let hidden = lines.len().saturating_sub(self.top + usize::from(inner.height));
        if hidden > 0 {
            let corner = Rect { x: inner.x, y: inner.bottom(), width: inner.width, height: 1 };
            Pen::new(buffer, corner).gap(1).text(&format!(" {hidden} more "), view.theme.attention());
        }
    }
}

fn continued(name: String, value: &str, width: usize) -> Vec<Line> {
    let mut names = std::iter::once(name);
    wrap(value, width).into_iter().map(|line| (names.next().unwrap_or_default(), line)).collect()
}

fn help() -> Vec<Line> {
    let keys = keymap::help().map(|(key, does)| (key.to_owned(), does.to_owned()));
    let words = [
        ("", ""),
        ("on, off", "connected to the mediator now, or not"),
        ("keep, temp", "the slot is kept, or goes some minutes after disconnecting"),
        ("age", "from being stored by the mediator to being received, clocks corrected"),
        ("ack", "from being received until the acknowledgement left"),
        ("ephem.", "only for devices that are connected; nobody acknowledges it"),
        ("again", "delivered again after a reconnect"),
        ("same nonce", "another message used this nonce: a replay, or a broken sender"),
        ("← → ⇄", "incoming, outgoing, between own devices"),
    ];
    keys.chain(words.map(|(word, meaning)| (word.to_owned(), meaning.to_owned()))).collect()
}

fn fact(name: &str, value: &(impl Display + ?Sized)) -> Line {
    (name.to_owned(), value.to_string())
}

fn device_facts(view: &View<'_>, id: DeviceId) -> Vec<Line> {
    let exact = |at| view.clock.zone().exact(at);
    let Some(device) = view.group.devices().get(id) else {
        return vec![fact("id", &id), fact("", "no longer in the list")];
    };
    let mut facts = vec![fact("id", &id)];
    if view.is_own(id) {
        facts.push(fact("", "this is the device you are looking through"));
    }
    facts.extend(view.group.devices().change(id).map(|change| fact("! note", &change.sentence())));
    match &device.info {
        Ok(info) => facts.extend([
            fact("label", &info.label),
            fact("platform", &info.platform),
            fact("details", &info.platform_details),
            fact("app version", &info.app_version),
        ]),
        Err(error) => facts.push(fact("device info", &format!("cannot be read: {error}"))),
    }
    facts.extend(match device.activity {
        Activity::ConnectedSince(at) => {
            vec![fact("state", "on"), fact("last login", &exact(at)), fact("last seen", "now, it is connected")]
        }
        Activity::LastDisconnect(at) => vec![fact("state", "off"), fact("last seen", &exact(at))],
        Activity::LastLogin(at) => {
            vec![fact("last login", &exact(at)), fact("state", "not told by this server (dialect mk)")]
        }
        Activity::Unknown => vec![fact("state", "not told by the server")],
    });
    let slot = match device.expiration_policy {
        Some(ExpirationPolicy::Persistent) => "kept as long as possible",
        Some(ExpirationPolicy::Volatile) => "goes some minutes after the device disconnected",
        None => "a policy that d2mtop does not know",
    };
    facts.push(fact("slot", &format!("{} ({slot})", devices::keep_word(device.expiration_policy))));
    if let Some(as_of) = view.group.devices().as_of() {
        facts.push(fact("list as of", &exact(as_of)));
    }
    facts
}

fn row_facts(view: &View<'_>, number: u64) -> Vec<Line> {
    match view.group.feed().get(number) {
        Some(row) => [what_facts(view, &row), time_facts(view, &row), mark_facts(&row)].concat(),
        None => vec![fact("", "this row has fallen out of the feed")],
    }
}

fn what_facts(view: &View<'_>, row: &Row) -> Vec<Line> {
    let mut facts = vec![fact("", &row.sentence(view.group.names())), fact("id", &row.id.0)];
    facts.extend(row.author().map(|author| fact("from", &format!("{} ({author})", view.label(author)))));
    match &row.content {
        Ok(summary) => {
            let direction = match summary.direction() {
                Direction::Incoming => "incoming",
                Direction::Outgoing => "outgoing",
                Direction::Sync => "between own devices",
            };
            facts.extend([fact("kind", &format!("{:?}", summary.kind)), fact("direction", &direction)]);
        }
        Err(error) => facts.push(fact("unreadable", &error)),
    }
    facts.extend(row.conversation().map(|conversation| match conversation {
        Conversation::Contact(identity) => fact("contact", &identity),
        Conversation::Group { id, creator } => fact("group", &format!("{id}, created by {creator}")),
        Conversation::DistributionList(id) => fact("distribution list", &id),
    }));
    facts.extend(row.content.as_ref().ok().and_then(|summary| summary.message_id).map(|id| fact("message id", &id)));
    facts.push(fact("size", &format!("{} bytes, sealed", format::count(u64::from(row.size)))));
    facts
}

fn time_facts(view: &View<'_>, row: &Row) -> Vec<Line> {
    let exact = |at| view.clock.zone().exact(at);
    let age = format::span(view.group.age(row.stored_at, row.received_at));
    let mut facts: Vec<Line> = row
        .content
        .as_ref()
        .ok()
        .and_then(|summary| summary.created_at)
        .map(|at| fact("created", &exact(at)))
        .into_iter()
        .collect();
    facts.extend([
        fact("stored", &format!("{} by the server's clock", exact(row.stored_at))),
        fact("received", &format!("{}, {age} later", exact(row.received_at))),
    ]);
    facts.push(match row.acknowledged_after {
        Some(waited) => {
            fact("acknowledged", &format!("{}, {} later", exact(row.received_at.after(waited)), format::span(waited)))
        }
        None if row.marks.ephemeral => fact("acknowledged", "never: it is ephemeral"),
        None => fact("acknowledged", "not yet"),
    });
    facts
}

fn mark_facts(row: &Row) -> Vec<Line> {
    let marks = [
        (row.marks.ephemeral, "ephemeral", "only devices that were connected got it"),
        (row.marks.redelivered, "again", "it was delivered before, on an earlier connection"),
        (row.marks.repeated_nonce, "same nonce", "another message used this nonce: a replay, or a broken sender"),
    ];
    marks.into_iter().filter(|(marked, ..)| *marked).map(|(_, name, meaning)| fact(name, meaning)).collect()
}
