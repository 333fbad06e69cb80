//! Questions before something is done. A dialog names the object, says the consequence, and defaults to doing nothing; it
//! is the only place that turns an agreement into a [`Confirmed`] command.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Clear, Widget as _};

use crate::group::LockState;
use crate::protocol::d2d::Platform;
use crate::protocol::{Activity, CloseCode, DeviceId, SlotState, TransactionScope};
use crate::session::{Command, command::Confirmed};
use crate::tui::close_help::last_list;
use crate::tui::context::View;
use crate::tui::draw::text_run::Pen;
use crate::tui::draw::text_width::{cut, width, wrap};
use crate::tui::theme::{SELECTED, Theme};
use crate::tui::view::lock::scope_words;

/// For how long the lock is taken at most; whoever forgets it must not keep the group from changing for ever.
const LOCK_LIMIT: Duration = Duration::from_mins(1);

/// A question, or an explanation that only can be closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialog {
    title: &'static str,
    /// What it is about.
    object: String,
    /// What would happen.
    consequence: &'static str,
    /// What is worse than usual this time.
    warnings: Vec<String>,
    answers: Vec<Answer>,
    chosen: usize,
    /// As what it is asked anew whenever the group changes, if what it says follows from the group.
    renewed: Option<Renewed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renewed {
    Drop(DeviceId),
    TakeLock,
}

#[derive(Clone, Debug, PartialEq)]
struct Answer {
    label: String,
    /// [`None`] closes the dialog and does nothing.
    agreed: Option<Agreed>,
}

/// What a person can agree to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreed {
    Drop(DeviceId),
    Leave,
    Take(TransactionScope),
    Release,
    ConnectAs(SlotState),
    Probe,
}

impl Answer {
    fn nothing(label: &str) -> Self {
        Self { label: label.to_owned(), agreed: None }
    }

    fn to(label: &str, agreed: Agreed) -> Self {
        Self { label: label.to_owned(), agreed: Some(agreed) }
    }
}

impl Dialog {
    /// Drop this device?
    pub fn drop(view: &View<'_>, device: DeviceId) -> Self {
        let own = view.is_own(device);
        let (title, consequence, answer, agreed) = if own {
            let consequence = "d2mtop gives its slot and its queued messages up, and this session ends; to come back it \
                               joins as a new device. The group is locked while this runs.";
            ("Leave the group", consequence, "Leave", Agreed::Leave)
        } else {
            let consequence = "It loses its slot and its queued messages, and must be linked again. The group is locked \
                               while this runs.";
            ("Drop device", consequence, "Drop", Agreed::Drop(device))
        };
        Self {
            title,
            object: device_words(view, device),
            consequence,
            warnings: drop_warnings(view, device).into_iter().map(str::to_owned).collect(),
            answers: vec![Answer::nothing("Cancel"), Answer::to(answer, agreed)],
            chosen: 0,
            renewed: Some(Renewed::Drop(device)),
        }
    }

    /// Take the lock, and for which scope?
    pub fn take_lock(view: &View<'_>) -> Self {
        let scopes = TransactionScope::ALL.map(|scope| Answer::to(&scope.to_string(), Agreed::Take(scope)));
        Self {
            title: "Take the lock",
            object: "The group's lock, for the scope:".to_owned(),
            consequence: if view.settings.dialect.limits_transactions() {
                "No other device can sync or link meanwhile. After at most 60 s the server closes the connection (4011); \
                 d2mtop comes back by itself."
            } else {
                "No other device can sync or link meanwhile. d2mtop gives it back after 60 s; the server may take it back \
                 sooner."
            },
            warnings: match view.group.lock().state() {
                LockState::Held { holder, .. } => {
                    vec![format!("{} holds it: d2mtop waits for its end; L stops the waiting.", view.label(*holder))]
                }
                _ => Vec::new(),
            },
            answers: std::iter::once(Answer::nothing("Cancel")).chain(scopes).collect(),
            chosen: 0,
            renewed: Some(Renewed::TakeLock),
        }
    }

    /// Release the lock, or stop waiting for it?
    pub fn release_lock(view: &View<'_>) -> Self {
        const RELEASE: &str = "Release the lock";
        let (title, object, consequence, answer) = match view.group.lock().state() {
            LockState::Ours { scope, .. } => {
                let consequence = "The transaction is committed, and other devices can take the lock.";
                (RELEASE, scope_words(*scope), consequence, "Release")
            }
            LockState::Requested { scope, .. } | LockState::Held { wanted: Some(scope), .. } => {
                let consequence = "d2mtop no longer waits for the lock.";
                ("Stop waiting for the lock", scope_words(*scope), consequence, "Stop waiting")
            }
            LockState::Held { wanted: None, .. } | LockState::Free => {
                let consequence = "This device does not hold it any more.";
                (RELEASE, "The lock of this group".to_owned(), consequence, "Release")
            }
        };
        Self {
            title,
            object,
            consequence,
            warnings: Vec::new(),
            answers: vec![Answer::nothing("Cancel"), Answer::to(answer, Agreed::Release)],
            chosen: 0,
            renewed: None,
        }
    }

    /// Connect although the server no longer knows this device, or knows it already?
    pub fn reconnect(code: CloseCode, expected: SlotState, view: &View<'_>) -> Self {
        let new = Answer::to("Connect as new", Agreed::ConnectAs(SlotState::New));
        let known = Answer::to("Connect as known", Agreed::ConnectAs(SlotState::Existing));
        // Where we expected our slot, it is gone; else it is there, or the id is another device's.
        let undecided = code == CloseCode::SLOT_STATE_MISMATCH && expected == SlotState::New;
        let mut answers = vec![Answer::nothing("Cancel"), new];
        if undecided {
            answers.push(known);
        }
        Self {
            title: "Connect again",
            object: format!("The server said: {} ({code}); {}.", code.meaning(), last_list(view)),
            consequence: "As a new device it takes a slot; the messages that waited for it before are gone. The other \
                          devices see it appear.",
            warnings: Vec::new(),
            answers,
            chosen: 0,
            renewed: None,
        }
    }

    /// Measure with a reflection, although devices that are off will get it, too?
    pub fn probe(view: &View<'_>) -> Self {
        let devices = view.group.devices();
        let off = devices.len().saturating_sub(devices.connected());
        let off = match (view.tells_who_is_on(), off) {
            (false, _) => "the devices that are off".to_owned(),
            (true, 0) => "devices that are off (none now)".to_owned(),
            (true, 1) => "1 device that is off".to_owned(),
            (true, off) => format!("{off} devices that are off"),
        };
        Self {
            title: "Probe",
            object: "Reflect a message that changes nothing, and measure until it is stored".to_owned(),
            consequence: "Every other device gets it, and acknowledges it.",
            warnings: vec![format!("The server keeps it for {off} until they come back.")],
            answers: vec![Answer::nothing("Cancel"), Answer::to("Probe", Agreed::Probe)],
            chosen: 0,
            renewed: None,
        }
    }

    /// Why something cannot be done in this session.
    pub fn read_only(what: &'static str) -> Self {
        Self {
            title: "Read-only",
            object: what.to_owned(),
            consequence: "This session was started with --read-only: it looks, and changes nothing. Start d2mtop without \
                          it to do this.",
            warnings: Vec::new(),
            answers: vec![Answer::nothing("Close")],
            chosen: 0,
            renewed: None,
        }
    }

    /// Says what follows from the group as it is now.
    pub fn renew(&mut self, view: &View<'_>) {
        let anew = match self.renewed {
            Some(Renewed::Drop(device)) => Self::drop(view, device),
            Some(Renewed::TakeLock) => Self::take_lock(view),
            None => return,
        };
        *self = Self { chosen: self.chosen, ..anew };
    }

    /// Whether there is more than one answer.
    pub const fn is_a_choice(&self) -> bool {
        self.answers.len() > 1
    }

    pub fn choose(&mut self, step: isize) {
        let last = self.answers.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(step).min(last);
    }

    /// What follows from the chosen answer.
    pub fn answer(&self) -> Option<Command> {
        let agreed = self.answers.get(self.chosen)?.agreed?;
        Some(match agreed {
            Agreed::Drop(device) => Command::DropDevice(Confirmed::after_asking(device)),
            Agreed::Leave => Command::LeaveGroup(Confirmed::after_asking(())),
            Agreed::Take(scope) => Command::TakeLock { scope, ttl: Some(LOCK_LIMIT) },
            Agreed::Release => Command::ReleaseLock,
            Agreed::ConnectAs(state) => Command::Reconnect { expect: Some(state) },
            Agreed::Probe => Command::Probe(Confirmed::after_asking(())),
        })
    }

    pub fn draw(&self, buffer: &mut Buffer, area: Rect, view: &View<'_>) {
        let width = area.width.min(64);
        let as_list = self.answers.len() > 3;
        let answer_lines = if as_list { self.answers.len() } else { 1 };
        let lines = self.lines(usize::from(width).saturating_sub(4), usize::from(area.height), answer_lines, view);
        let wanted = lines.len() + answer_lines + 3;
        let height = u16::try_from(wanted).unwrap_or(u16::MAX).min(area.height);
        let inner = frame(buffer, area, (width, height), self.title, view.theme.attention());
        let room_for_text = usize::from(inner.height).saturating_sub(answer_lines.min(usize::from(inner.height) / 2));
        let mut pen = Pen::new(buffer, inner);
        for (index, (line, style)) in lines.iter().take(room_for_text).enumerate() {
            let is_cut = index + 1 == room_for_text && lines.len() > room_for_text;
            let line = if is_cut {
                cut(&format!("{line} …"), pen.room().saturating_sub(2)).into_owned()
            } else {
                line.clone()
            };
            pen.gap(1).text(&line, *style).next_line();
        }
        let answers_top = u16::try_from(lines.len().min(room_for_text)).unwrap_or(0);
        let spare = inner.height.saturating_sub(answers_top + u16::try_from(answer_lines).unwrap_or(0)).min(1);
        let top = inner.y + answers_top + spare;
        let place = Rect { y: top, height: inner.bottom().saturating_sub(top), ..inner };
        if as_list { self.list(buffer, place, view) } else { self.buttons(buffer, place) }
    }

    /// The text: the object, warnings, the consequence; with air between where there is room.
    fn lines(&self, columns: usize, height: usize, answer_lines: usize, view: &View<'_>) -> Vec<(String, Style)> {
        let styled = |text: &str, style| wrap(text, columns).into_iter().map(move |line| (line, style));
        let warnings = self.warnings.iter().flat_map(|warning| styled(&format!("! {warning}"), view.theme.bad()));
        let mut lines: Vec<_> = styled(&self.object, Theme::STRONG).chain(warnings).collect();
        let consequence: Vec<_> = styled(self.consequence, Theme::PLAIN).collect();
        if lines.len() + consequence.len() + answer_lines + 4 <= height {
            lines.push((String::new(), Theme::PLAIN));
        }
        lines.extend(consequence);
        lines
    }

    /// How high it would like to be in so many columns.
    pub fn wanted_height(&self, columns: u16, view: &View<'_>) -> usize {
        let columns = usize::from(columns.min(64)).saturating_sub(4);
        self.lines(columns, 0, self.answers.len(), view).len()
            + if self.answers.len() > 3 { self.answers.len() } else { 1 }
            + 2
    }

    fn buttons(&self, buffer: &mut Buffer, area: Rect) {
        let taken: usize = self.answers.iter().map(|answer| width(&answer.label) + 6).sum();
        let mut pen = Pen::new(buffer, area);
        let before = pen.room().saturating_sub(taken) / 2;
        pen.gap(before);
        for (index, answer) in self.answers.iter().enumerate() {
            // The brackets say in any terminal which answer Enter gives.
            let (text, style) = if index == self.chosen {
                (format!("[ {} ]", answer.label), Theme::CHOSEN)
            } else {
                (format!("  {}  ", answer.label), Theme::PLAIN)
            };
            pen.gap(1).text(&text, style).gap(1);
        }
    }

    fn list(&self, buffer: &mut Buffer, area: Rect, view: &View<'_>) {
        let rows = usize::from(area.height);
        let first = (self.chosen + 1).saturating_sub(rows);
        let mut pen = Pen::new(buffer, area);
        for (index, answer) in self.answers.iter().enumerate().skip(first).take(rows) {
            let chosen = index == self.chosen;
            pen.gap(2).text(if chosen { SELECTED } else { " " }, view.theme.focus()).gap(1);
            pen.text(&answer.label, if chosen { Theme::CHOSEN } else { Theme::PLAIN }).next_line();
        }
    }
}

/// `iPad · iOS 7.2.2 · last seen 3 d ago · 8f3a19c2d0e1b477`
fn device_words(view: &View<'_>, id: DeviceId) -> String {
    let Some(device) = view.group.devices().get(id) else { return format!("{id} · no longer in the list") };
    let mut words = Vec::new();
    match &device.info {
        Ok(info) => {
            words.extend((!info.label.is_empty()).then(|| info.label.to_string()));
            words.push(info.app());
        }
        Err(_) => words.push("a device whose description cannot be read".to_owned()),
    }
    words.push(match device.activity {
        Activity::ConnectedSince(_) => "connected".to_owned(),
        Activity::LastDisconnect(at) => format!("last seen {}", view.clock.minute(at)),
        Activity::LastLogin(at) => format!("last login {}", view.clock.minute(at)),
        Activity::Unknown => "last seen: not told".to_owned(),
    });
    words.push(id.to_string());
    words.join(" · ")
}

fn drop_warnings(view: &View<'_>, device: DeviceId) -> Vec<&'static str> {
    let own = view.is_own(device);
    let devices = view.group.devices();
    let others_left = devices.iter().filter(|(id, _)| *id != device && !view.is_own(*id)).count();
    let phone = devices
        .get(device)
        .and_then(|listed| listed.info.as_ref().ok())
        .is_some_and(|info| matches!(info.platform, Platform::Android | Platform::Ios));
    let mut warnings = Vec::new();
    if own {
        warnings.push("This is the device you look through.");
    }
    if others_left == 0 && !own {
        warnings.push("It is the last other device: a phone that is alone ends multi-device.");
    } else if others_left == 1 && own {
        warnings.push("Only one other device stays. If that is a phone, it is alone then, and ends multi-device.");
    }
    if phone && !own {
        warnings.push("It is a phone: it stays cut off until its owner acts.");
    }
    warnings
}

/// Draws an empty box in the middle of the area, and gives its inside.
pub fn frame(buffer: &mut Buffer, area: Rect, (width, height): (u16, u16), title: &str, style: Style) -> Rect {
    let area = area.intersection(buffer.area);
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let outer = Rect { x, y, width, height };
    Clear.render(outer, buffer);
    // A wide character that the box cuts in half would be drawn over its border.
    if let Some(cell) = x.checked_sub(1).filter(|x| *x >= area.x) {
        for y in outer.top()..outer.bottom() {
            clear_wide(buffer, cell, y);
        }
    }
    let rule = "─".repeat(usize::from(width.saturating_sub(2)));
    let sides = " ".repeat(usize::from(width.saturating_sub(2)));
    let mut pen = Pen::new(buffer, outer);
    for row in 0..height {
        let line = match row {
            0 => format!("┌{rule}┐"),
            row if row + 1 == height => format!("└{rule}┘"),
            _ => format!("│{sides}│"),
        };
        pen.text(&line, style).next_line();
    }
    Pen::new(buffer, Rect { x: x + 1.min(width), width: width.saturating_sub(2), ..outer })
        .text(&format!("─ {title} "), style);
    Rect { x: x + 1.min(width), y: y + 1.min(height), width: width.saturating_sub(2), height: height.saturating_sub(2) }
}

fn clear_wide(buffer: &mut Buffer, x: u16, y: u16) {
    if let Some(cell) = buffer.cell_mut((x, y)).filter(|cell| crate::tui::draw::text_width::width(cell.symbol()) > 1) {
        cell.set_symbol(" ");
    }
}
