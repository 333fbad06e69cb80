//! Who is in the group.

use std::cmp::Reverse;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::group::{DeviceChange, Group, ListedDevice};
use crate::protocol::{Activity, DeviceId, ExpirationPolicy, Millis};
use crate::runtime::ANOTHER_GROUP;
use crate::tui::context::{Piece, View};
use crate::tui::draw::text_run::Pen;
use crate::tui::draw::text_width::Align::{Left, Right};
use crate::tui::draw::text_width::wrap;
use crate::tui::theme::{ATTENTION, OFF, ON, OWN, SELECTED, Theme, UNKNOWN};

/// What devices are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// Connected ones first, then as last seen.
    #[default]
    State,
    Name,
    Platform,
    Id,
}

impl SortBy {
    pub const fn next(self) -> Self {
        match self {
            Self::State => Self::Name,
            Self::Name => Self::Platform,
            Self::Platform => Self::Id,
            Self::Id => Self::State,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::State => "by state",
            Self::Name => "by name",
            Self::Platform => "by platform",
            Self::Id => "by id",
        }
    }
}

/// From which age on the list counts as old: it is asked for every minute.
const LIST_AGE: Duration = Duration::from_mins(2);

/// The order of the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub by: SortBy,
    pub reversed: bool,
}

impl Order {
    /// `by name ↑`
    pub fn words(self) -> String {
        let arrow = if self.reversed { " ↑" } else { "" };
        format!("{}{arrow}", self.by.word())
    }

    /// The devices in this order.
    pub fn of(self, group: &Group) -> Vec<DeviceId> {
        let mut devices: Vec<(DeviceId, &ListedDevice)> = group.devices().iter().collect();
        let name = |id| group.devices().label(id).as_str().to_lowercase();
        match self.by {
            SortBy::State => devices.sort_by_cached_key(|(id, device)| (seen(device), name(*id))),
            SortBy::Name => devices.sort_by_cached_key(|(id, _)| name(*id)),
            SortBy::Platform => {
                devices.sort_by_cached_key(|(id, device)| {
                    (device.info.as_ref().ok().map(|info| info.platform), name(*id))
                });
            }
            SortBy::Id => devices.sort_by_cached_key(|(id, _)| id.to_string()),
        }
        if self.reversed {
            devices.reverse();
        }
        devices.into_iter().map(|(id, _)| id).collect()
    }
}

/// Connected first and longest ago last.
const fn seen(device: &ListedDevice) -> (u8, Reverse<Millis>) {
    match device.activity {
        Activity::ConnectedSince(at) => (0, Reverse(at)),
        Activity::LastDisconnect(at) => (1, Reverse(at)),
        Activity::LastLogin(at) => (2, Reverse(at)),
        Activity::Unknown => (3, Reverse(Millis(0))),
    }
}

/// A device in words.
struct Words {
    glyph: &'static str,
    state: &'static str,
    style: Style,
    label: String,
    label_style: Style,
    app: String,
    details: String,
    /// When it was seen, for a narrow column.
    seen: String,
    /// The same, with room.
    since: String,
    keep: &'static str,
}

fn words(view: &View<'_>, id: DeviceId, device: &ListedDevice) -> Words {
    let own = view.is_own(id);
    let (glyph, state, style) = state(view, own, device.activity);
    let (label, label_style, app, details) = match &device.info {
        Ok(info) if info.label.is_empty() => {
            ("(no label)".to_owned(), Theme::QUIET, info.app(), info.platform_details.to_string())
        }
        Ok(info) => (info.label.to_string(), Theme::PLAIN, info.app(), info.platform_details.to_string()),
        Err(error) => (id.to_string(), view.theme.attention(), "! unreadable".to_owned(), error.to_string()),
    };
    // By a mark and a word, so that it stands out without colour.
    let (label, label_style, app) = match view.group.devices().change(id) {
        Some(DeviceChange::Undecryptable { .. }) => (format!("{ATTENTION} {label}"), view.theme.attention(), app),
        Some(change) => (format!("{ATTENTION} {label}"), view.theme.attention(), format!("{} · {app}", change.word())),
        None => (label, label_style, app),
    };
    Words {
        glyph,
        state,
        style,
        label,
        label_style,
        app,
        details,
        seen: seen_words(view, own, device.activity),
        since: since_words(view, own, device.activity),
        keep: keep_word(device.expiration_policy),
    }
}

fn state(view: &View<'_>, own: bool, activity: Activity) -> (&'static str, &'static str, Style) {
    match activity {
        _ if own && view.group.connection().is_logged_in() => (OWN, "on", view.theme.good()),
        _ if own => (OWN, "off", Theme::QUIET),
        Activity::ConnectedSince(_) if view.stale_since().is_some() => (UNKNOWN, "", Theme::QUIET),
        Activity::ConnectedSince(_) => (ON, "on", view.theme.good()),
        Activity::LastDisconnect(_) => (OFF, "off", Theme::QUIET),
        Activity::LastLogin(_) | Activity::Unknown => (UNKNOWN, "", Theme::QUIET),
    }
}

fn seen_words(view: &View<'_>, own: bool, activity: Activity) -> String {
    match activity {
        _ if own => "here".to_owned(),
        Activity::ConnectedSince(_) if view.stale_since().is_some() => "was on".to_owned(),
        Activity::ConnectedSince(_) => "now".to_owned(),
        Activity::LastDisconnect(at) | Activity::LastLogin(at) => {
            view.clock.lasting(at).unwrap_or_else(|| "<1 min".to_owned())
        }
        Activity::Unknown => "?".to_owned(),
    }
}

fn since_words(view: &View<'_>, own: bool, activity: Activity) -> String {
    let who = if own { "this device, " } else { "" };
    let when = match activity {
        Activity::ConnectedSince(at) if view.stale_since().is_some() => {
            let was_on = if own { "" } else { "was on, " };
            format!("{was_on}last login {}", view.clock.minute(at))
        }
        Activity::ConnectedSince(at) => format!("connected since {}", view.clock.minute(at)),
        Activity::LastDisconnect(at) => format!("last seen {}", view.clock.minute(at)),
        Activity::LastLogin(at) => format!("last login {}", view.clock.minute(at)),
        Activity::Unknown => "the server does not say when it was here".to_owned(),
    };
    format!("{who}{when}")
}

/// How long the server keeps the slot, in a word.
pub const fn keep_word(policy: Option<ExpirationPolicy>) -> &'static str {
    match policy {
        Some(ExpirationPolicy::Persistent) => "keep",
        Some(ExpirationPolicy::Volatile) => "temp",
        None => "?",
    }
}

pub fn title(view: &View<'_>, order: Order) -> Vec<Piece> {
    let devices = view.group.devices();
    let Some(as_of) = devices.as_of() else { return vec![Piece::new("no list yet", Theme::QUIET)] };
    let figure = if view.tells_who_is_on() {
        let are = if view.stale_since().is_some() { "were on" } else { "on" };
        format!("{} of {} {are}", devices.connected(), devices.len())
    } else {
        format!("{}, who is on is not told", devices.len())
    };
    let mut pieces = vec![Piece::new(figure, Theme::STRONG)];
    if devices.alarms() > 0 {
        let mut words: Vec<&str> = devices.changes().map(DeviceChange::word).collect();
        words.dedup();
        let words = if let [word] = words.as_slice() { word } else { "new or changed" };
        pieces.push(Piece::new(format!("{ATTENTION} {} {words}", devices.alarms()), view.theme.attention()));
    }
    if view.stale_since().is_some() {
        pieces.push(Piece::new(format!("as of {}", view.clock.minute(as_of)), view.theme.attention()));
    } else if let Some(age) = view.clock.overdue(as_of, LIST_AGE) {
        pieces.push(Piece::new(format!("{age} old"), view.theme.attention()));
    }
    if order != Order::default() {
        pieces.push(Piece::new(order.words(), Theme::QUIET));
    }
    pieces
}

pub fn draw(buffer: &mut Buffer, area: Rect, view: &View<'_>, order: &[DeviceId], selected: Option<DeviceId>) {
    if order.is_empty() {
        let text = match view.group.devices().as_of() {
            Some(_) => " no devices",
            None => " the list comes with the first login",
        };
        Pen::new(buffer, area).text(text, Theme::QUIET);
        return;
    }
    let rows = usize::from(area.height);
    // A block of lines for each device where that leaves none out; a table otherwise.
    let lines = if rows >= 16 && area.width >= 40 { (rows / order.len()).min(5) } else { 1 };
    if lines > 1 {
        blocks(buffer, area, view, order, selected, lines);
    } else {
        table(buffer, area, view, order, selected);
    }
}

/// The part of the list that shows the selected device.
fn visible(order: &[DeviceId], selected: Option<DeviceId>, places: usize) -> impl Iterator<Item = DeviceId> {
    let index = order.iter().position(|id| Some(*id) == selected).unwrap_or(0);
    order.iter().copied().skip((index + 1).saturating_sub(places)).take(places)
}

fn put_state(pen: &mut Pen<'_>, view: &View<'_>, words: &Words, selected: bool) {
    pen.text(if selected { SELECTED } else { " " }, view.theme.focus());
    pen.text(words.glyph, words.style).gap(1).column(words.state, 4, Left, words.style);
}

fn blocks(
    buffer: &mut Buffer,
    area: Rect,
    view: &View<'_>,
    order: &[DeviceId],
    selected: Option<DeviceId>,
    lines: usize,
) {
    const INDENT: usize = 7;
    let mut pen = Pen::new(buffer, area);
    for id in visible(order, selected, usize::from(area.height) / lines) {
        let Some(device) = view.group.devices().get(id) else { continue };
        let words = words(view, id, device);
        let chosen = Some(id) == selected;
        put_state(&mut pen, view, &words, chosen);
        let style = if chosen { words.label_style.patch(Theme::STRONG) } else { words.label_style };
        let room = pen.room().saturating_sub(13);
        pen.column(&words.label, room, Left, style).gap(1).column(&words.seen, 6, Right, Theme::PLAIN);
        pen.gap(1).column(words.keep, 4, Right, Theme::QUIET).next_line();
        let details = if words.details.is_empty() { String::new() } else { format!(" · {}", words.details) };
        if lines == 2 {
            pen.gap(INDENT).text(&format!("{}{details} · {id}", words.app), Theme::QUIET).next_line();
            continue;
        }
        pen.gap(INDENT).text(&format!("{}{details}", words.app), Theme::QUIET).next_line();
        if lines < 5 {
            pen.gap(INDENT).text(&format!("{} · {id}", words.since), Theme::QUIET).next_line();
        } else {
            pen.gap(INDENT).text(&words.since, Theme::QUIET).next_line();
            pen.gap(INDENT).text(&id.to_string(), Theme::QUIET).next_line();
        }
        if lines > 3 {
            pen.next_line();
        }
    }
    say_alone(&mut pen, view);
}

/// Where there is room.
fn say_alone(pen: &mut Pen<'_>, view: &View<'_>) {
    if !view.is_alone() {
        return;
    }
    let lines = wrap(&format!("alone in the group; {ANOTHER_GROUP}"), pen.room().saturating_sub(2));
    if lines.len() <= pen.lines_left() {
        for line in lines {
            pen.gap(1).text(&line, Theme::QUIET).next_line();
        }
    }
}

fn table(buffer: &mut Buffer, area: Rect, view: &View<'_>, order: &[DeviceId], selected: Option<DeviceId>) {
    let width = usize::from(area.width);
    let columns = Columns::that_fit(width);
    let mut pen = Pen::new(buffer, area);
    let with_heading = usize::from(area.height) > order.len().min(3);
    if with_heading {
        pen.gap(7);
        let seen = if view.tells_who_is_on() { "seen" } else { "login" };
        columns.put(&mut pen, ["device", "app", seen, "slot", "details", "id"], [Theme::QUIET; 2]);
        pen.next_line();
    }
    for id in visible(order, selected, usize::from(area.height).saturating_sub(usize::from(with_heading))) {
        let Some(device) = view.group.devices().get(id) else { continue };
        let words = words(view, id, device);
        let chosen = Some(id) == selected;
        put_state(&mut pen, view, &words, chosen);
        let style = if chosen { words.label_style.patch(Theme::STRONG) } else { words.label_style };
        let cells = [&words.label, &words.app, &words.seen, words.keep, &words.details, &id.to_string()];
        columns.put(&mut pen, cells, [style, Theme::PLAIN]);
        pen.next_line();
    }
    say_alone(&mut pen, view);
}

/// The columns of the table, by their widths; 0 is left out. They leave in this order: details, id, policy, app.
struct Columns {
    label: usize,
    app: usize,
    seen: usize,
    keep: usize,
    details: usize,
    id: usize,
}

impl Columns {
    fn that_fit(width: usize) -> Self {
        let keep = if width >= 36 { 4 } else { 0 };
        let app = if width >= 44 { 18 } else { 0 };
        let id = if width >= 84 { 16 } else { 0 };
        let details = if width >= 104 { 26 } else { 0 };
        let (mark, seen) = (7, 6);
        let taken: usize =
            [app, seen, keep, details, id].iter().filter(|width| **width > 0).map(|width| width + 2).sum();
        Self { label: width.saturating_sub(mark + taken + 1), app, seen, keep, details, id }
    }

    fn put(&self, pen: &mut Pen<'_>, [label, app, seen, keep, details, id]: [&str; 6], [first, rest]: [Style; 2]) {
        pen.column(label, self.label, Left, first);
        let columns = [
            (app, self.app, Left),
            (details, self.details, Left),
            (seen, self.seen, Right),
            (keep, self.keep, Left),
            (id, self.id, Left),
        ];
        for (text, width, align) in columns.into_iter().filter(|(_, width, _)| *width > 0) {
            pen.gap(2).column(text, width, align, rest);
        }
    }
}
