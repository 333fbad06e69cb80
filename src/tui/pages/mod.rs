//! Pages over the panes: the help, and all facts of a device, a feed row or the latency.

pub mod detail;
pub mod help;
mod latency;

use std::fmt::Display;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::protocol::{Activity, DeviceId, ExpirationPolicy};
use crate::tui::context::View;
use crate::tui::draw::text_run::Pen;
use crate::tui::draw::text_width::{Align, wrap};
use crate::tui::input::keymap::Motion;
use crate::tui::pages::detail::Opened;
use crate::tui::state::dialog::frame;
use crate::tui::state::feed::Reading;
use crate::tui::theme::{SELECTED, Theme};
use crate::tui::view::devices;

/// The columns of most pages, where there is room.
const WIDTH: u16 = 80;

/// A page that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub about: About,
    top: usize,
    /// How many lines there were, and how many were in sight.
    extent: (usize, usize),
    /// Whether what people wrote is shown; only ever by a key, and only until the page is closed.
    revealed: bool,
    /// The lines that lead to a row of the feed, and which of them Enter follows.
    targets: Vec<(usize, u64)>,
    chosen: usize,
}

/// What a page is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Help,
    Device(DeviceId),
    Row(Box<Opened>),
    Latency,
}

/// A name and what belongs to it; without a name, a continuation or a remark.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    pub name: String,
    pub value: String,
    pub style: Style,
    /// The row of the feed that it leads to.
    pub target: Option<u64>,
}

impl Fact {
    pub fn new(name: impl Into<String>, value: impl Display) -> Self {
        Self { name: name.into(), value: value.to_string(), ..Self::default() }
    }

    /// Words above what follows.
    pub fn heading(words: &str) -> Self {
        Self { value: words.to_owned(), style: Theme::STRONG, ..Self::default() }
    }

    pub fn blank() -> Self {
        Self::default()
    }

    pub const fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

impl Page {
    pub const fn new(about: About) -> Self {
        Self { about, top: 0, extent: (0, 0), revealed: false, targets: Vec::new(), chosen: 0 }
    }

    /// Whether there is something that [`Self::reveal`] shows.
    pub const fn has_text(&self) -> bool {
        matches!(&self.about, About::Row(opened) if opened.has_text())
    }

    /// Shows what was written in a row, or hides it again.
    pub const fn reveal(&mut self) {
        self.revealed = !self.revealed;
        if self.revealed {
            // It stands at the top.
            self.top = 0;
        }
    }

    /// The row of the feed that Enter leads to.
    pub fn target(&self) -> Option<u64> {
        self.targets.get(self.chosen).map(|(_, number)| *number)
    }

    pub fn scroll(&mut self, motion: Motion) {
        let (lines, shown) = self.extent;
        let page = shown.max(1);
        if let (Motion::Up | Motion::Down, false) = (motion, self.targets.is_empty()) {
            self.choose(motion == Motion::Down);
            return;
        }
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

    /// The next line that leads somewhere, or the one before, and puts it in sight.
    fn choose(&mut self, next: bool) {
        let last = self.targets.len().saturating_sub(1);
        self.chosen = if next { (self.chosen + 1).min(last) } else { self.chosen.saturating_sub(1) };
        if let Some((line, _)) = self.targets.get(self.chosen) {
            // From the first one on, everything before is reached, too.
            let first = if self.chosen == 0 { 0 } else { *line };
            self.top = self.top.min(first).max((line + 1).saturating_sub(self.extent.1));
        }
    }

    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: &View<'_>, reading: &Reading) {
        if let About::Row(opened) = &mut self.about {
            opened.renew(reading, view.group);
        }
        let width = area.width.min(if matches!(self.about, About::Row(_)) { 100 } else { WIDTH });
        let facts = facts(view, reading, &self.about, self.revealed, width);
        let longest = usize::from(width) / 2;
        let name_width =
            facts.iter().map(|fact| crate::tui::draw::text_width::width(&fact.name)).max().unwrap_or(0).min(longest);
        let value_width = usize::from(width).saturating_sub(name_width + 6).max(1);
        let lines: Vec<Fact> = facts.into_iter().flat_map(|fact| continued(fact, value_width)).collect();
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
        let inner = frame(buffer, area, (width, height), title(&self.about), view.theme.focus());
        self.extent = (lines.len(), usize::from(inner.height));
        self.top = self.top.min(lines.len().saturating_sub(usize::from(inner.height)));
        self.targets =
            lines.iter().enumerate().filter_map(|(index, line)| line.target.map(|number| (index, number))).collect();
        self.chosen = self.chosen.min(self.targets.len().saturating_sub(1));
        let chosen = self.targets.get(self.chosen).map(|(line, _)| *line);
        let mut pen = Pen::new(buffer, inner);
        for (index, line) in lines.iter().enumerate().skip(self.top).take(usize::from(inner.height)) {
            let mark = if chosen == Some(index) { SELECTED } else { " " };
            pen.text(mark, view.theme.focus())
                .column(&line.name, name_width, Align::Left, Theme::STRONG)
                .gap(2)
                .text(&line.value, line.style)
                .next_line();
        }
        let hidden = lines.len().saturating_sub(self.top + usize::from(inner.height));
        if hidden > 0 {
            let corner = Rect { x: inner.x, y: inner.bottom(), width: inner.width, height: 1 };
            Pen::new(buffer, corner).gap(1).text(&format!(" {hidden} more "), view.theme.attention());
        }
    }
}

const fn title(about: &About) -> &'static str {
    match about {
        About::Help => "Keys",
        About::Device(_) => "Device",
        About::Row(_) => "Reflected message",
        About::Latency => "Latency",
    }
}

fn facts(view: &View<'_>, reading: &Reading, about: &About, revealed: bool, width: u16) -> Vec<Fact> {
    match about {
        About::Help => help::facts(),
        About::Device(device) => device_facts(view, *device),
        About::Row(opened) => detail::facts(view, reading, opened, revealed),
        About::Latency => latency::facts(view, width),
    }
}

/// The page as text, for the clipboard; without what people wrote.
pub fn plain(view: &View<'_>, reading: &Reading, about: &About) -> String {
    let line = |fact: Fact| match (fact.name.is_empty(), fact.value.is_empty()) {
        (true, _) => fact.value,
        (false, true) => fact.name,
        (false, false) => format!("{}: {}", fact.name, fact.value),
    };
    facts(view, reading, about, false, WIDTH).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn continued(fact: Fact, width: usize) -> Vec<Fact> {
    // What fits stays as it is, columns and all.
    if crate::tui::draw::text_width::width(&fact.value) <= width {
        return vec![fact];
    }
    let Fact { name, value, style, target } = fact;
    let (mut names, mut targets) = (std::iter::once(name), std::iter::once(target));
    wrap(&value, width)
        .into_iter()
        .map(|value| Fact { name: names.next().unwrap_or_default(), value, style, target: targets.next().flatten() })
        .collect()
}

/// Whether a device is on, and when it was there; of a list that is no longer kept up to date, as of when.
fn state_facts(view: &View<'_>, id: DeviceId, activity: Activity) -> Vec<Fact> {
    let exact = |at| view.clock.zone().exact(at);
    let ended = view.stale_since();
    let as_of = view.group.devices().as_of().map(|as_of| view.clock.minute(as_of)).unwrap_or_default();
    match (activity, ended) {
        (Activity::ConnectedSince(at), None) => vec![
            Fact::new("state", "on"),
            Fact::new("last login", exact(at)),
            Fact::new("last seen", "now, it is connected"),
        ],
        (Activity::ConnectedSince(at), Some(since)) if view.is_own(id) => vec![
            Fact::new("state", "off: not connected"),
            Fact::new("last login", exact(at)),
            Fact::new("last seen", exact(since)),
        ],
        (Activity::ConnectedSince(at), Some(_)) => {
            vec![Fact::new("state", format!("was on, as of {as_of}")), Fact::new("last login", exact(at))]
        }
        (Activity::LastDisconnect(at), ended) => {
            let state = if ended.is_some() { format!("was off, as of {as_of}") } else { "off".to_owned() };
            vec![Fact::new("state", state), Fact::new("last seen", exact(at))]
        }
        (Activity::LastLogin(at), _) => {
            vec![Fact::new("last login", exact(at)), Fact::new("state", "not told by this server (dialect mk)")]
        }
        (Activity::Unknown, _) => vec![Fact::new("state", "not told by the server")],
    }
}

fn device_facts(view: &View<'_>, id: DeviceId) -> Vec<Fact> {
    let exact = |at| view.clock.zone().exact(at);
    let Some(device) = view.group.devices().get(id) else {
        return vec![Fact::new("id", id), Fact::new("", "no longer in the list")];
    };
    let mut facts = vec![Fact::new("id", id)];
    if view.is_own(id) {
        facts.push(Fact::new("", "this is the device you are looking through"));
    }
    facts.extend(view.group.devices().change(id).map(|change| Fact::new("! note", change.sentence())));
    match &device.info {
        Ok(info) => facts.extend([
            Fact::new("label", &info.label),
            Fact::new("platform", info.platform),
            Fact::new("details", &info.platform_details),
            Fact::new("app version", &info.app_version),
        ]),
        Err(error) => facts.push(Fact::new("device info", format!("cannot be read: {error}"))),
    }
    facts.extend(state_facts(view, id, device.activity));
    let slot = match device.expiration_policy {
        Some(ExpirationPolicy::Persistent) => "kept as long as possible",
        Some(ExpirationPolicy::Volatile) => "goes some minutes after the device disconnected",
        None => "a policy that d2mtop does not know",
    };
    facts.push(Fact::new("slot", format!("{} ({slot})", devices::keep_word(device.expiration_policy))));
    if let Some(as_of) = view.group.devices().as_of() {
        facts.push(Fact::new("list as of", exact(as_of)));
    }
    facts
}
