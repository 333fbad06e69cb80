//! What the user is looking at, and what the keys do with it.

use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyEvent, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub mod dialog;
pub mod feed;
mod selection;

use crate::group::{Connection, DisconnectCause, Group, NextStep, NoticeKind, Refusal};
use crate::protocol::{CloseCode, DeviceId, Dialect, Millis};
use crate::runtime::Reaction;
use crate::session::Command;
use crate::text::Clean;
use crate::tui::close_help;
use crate::tui::context::{View, clock_apart};
use crate::tui::format;
use crate::tui::format::clock::Clock;
use crate::tui::input::keymap::{self, Action, Motion, Place};
use crate::tui::input::pane::Pane;
use crate::tui::pages::detail::Opened;
use crate::tui::pages::{self, About, Page};
use crate::tui::screen::frame;
use crate::tui::settings::{Keeping, Settings};
use crate::tui::state::dialog::Dialog;
use crate::tui::state::feed::Reading;
use crate::tui::state::selection::Selection;
use crate::tui::theme::Theme;
use crate::tui::update::prompt::Line;
use crate::tui::view::devices::Order;
use crate::tui::view::feed::rows_in;

/// What the user is looking at.
#[derive(Debug)]
pub struct Ui {
    pub settings: Settings,
    pub focus: Pane,
    /// Whether the user has chosen it.
    pub focus_chosen: bool,
    pub zoomed: bool,
    pub order: Order,
    pub selection: Selection,
    pub refreshed: Option<Refreshed>,
    pub reading: Reading,
    pub overlay: Overlay,
    pub notice: Option<Told>,
    /// How many of the group's notices were read.
    pub notices_read: u64,
    /// The disconnection whose explanation was read, by its time.
    pub explained: Option<Millis>,
    /// The last disconnection that was noticed, by its time.
    pub ended: Option<Millis>,
    /// Whether the user has accepted that the clocks differ.
    pub clock_accepted: bool,
    /// How many devices a page shows.
    pub device_page: usize,
    pub wrong_at: Option<Millis>,
    pub room: Room,
    /// What is to be put into the clipboard.
    pub copied: Option<String>,
}

/// What is said here, and not by the group.
#[derive(Clone, Debug)]
struct Told {
    kind: NoticeKind,
    text: Clean,
    /// How many notices the group had when it was first drawn: what the group says later is newer.
    after: Option<u64>,
}

/// That the user asked for a device list which has not come.
#[derive(Clone, Copy, Debug)]
struct Refreshed {
    /// When.
    at: Millis,
    /// Of which time the list was then, if there was one.
    before: Option<Millis>,
}

/// Whether the last frame had room for more than saying that it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Enough,
    TooLittle,
}

/// What lies over the panes.
#[derive(Clone, Debug, Default)]
pub enum Overlay {
    #[default]
    None,
    Page(Page),
    Dialog(Dialog),
    Line(Box<Line>),
}

/// When the connection that is waited for ended.
const fn disconnected_at(group: &Group) -> Option<Millis> {
    match group.connection() {
        Connection::Waiting { since, .. } => Some(*since),
        _ => None,
    }
}

impl Ui {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            focus: Pane::default(),
            focus_chosen: false,
            zoomed: false,
            order: Order::default(),
            selection: Selection::default(),
            refreshed: None,
            reading: Reading::default(),
            overlay: Overlay::None,
            notice: None,
            notices_read: 0,
            explained: None,
            ended: None,
            clock_accepted: false,
            device_page: 0,
            wrong_at: None,
            room: Room::Enough,
            copied: None,
        }
    }

    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Draws one frame.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, group: &Group, now: Millis) {
        if area.is_empty() {
            return;
        }
        self.forget_what_has_ended(group);
        self.reading.catch_up(group);
        if self.reading.keep_in_memory(group) {
            self.say(Clean::literal(match self.settings.keeping {
                Keeping::Journal => "the selected row has left memory: k reads on in the journal",
                Keeping::Never | Keeping::Declined => {
                    "the selected row has left memory: this is the oldest that is left"
                }
            }));
        }
        if self.reading.close_gap(group) {
            self.say(Clean::literal("older rows have left memory: k reads them from the journal"));
        }
        self.selection.follow(&self.order.of(group));
        let settings = self.settings.clone();
        let clock = Clock::new(now, settings.zone);
        let view = View {
            group,
            clock: &clock,
            settings: &settings,
            theme: Theme::new(settings.colour),
            clock_accepted: self.clock_accepted,
        };
        self.tell_of_the_list(&view);
        if let Some(told) = &mut self.notice {
            told.after.get_or_insert(group.notices().count());
        }
        if let Overlay::Dialog(dialog) = &mut self.overlay {
            dialog.renew(&view);
        }
        frame::draw(buffer, area, self, &view);
        self.wrong_at = clock.wrong_at();
    }

    /// When the last frame becomes wrong by the passing of time alone.
    pub const fn wrong_at(&self) -> Option<Millis> {
        self.wrong_at
    }

    /// Remembers how many rows of a pane are in sight.
    pub fn show(&mut self, pane: Pane, height: u16) {
        match pane {
            Pane::Devices => self.device_page = usize::from(height).saturating_sub(1).max(1),
            Pane::Feed => self.reading.scroll.show(rows_in(height)),
            Pane::Lock | Pane::Role | Pane::Latency => {}
        }
    }

    /// Puts the focus where it is best, unless the user has chosen.
    pub const fn focus_first(&mut self, pane: Pane) {
        if !self.focus_chosen {
            self.focus = pane;
        }
    }

    /// Where the user is.
    pub const fn place(&self) -> Place {
        match &self.overlay {
            Overlay::None => Place::On(self.focus),
            Overlay::Page(page) if page.has_text() => Place::Row,
            Overlay::Page(_) => Place::Page,
            Overlay::Dialog(_) => Place::Dialog,
            Overlay::Line(_) => Place::Line,
        }
    }

    /// The selected device, if it is still there.
    pub fn selected_of(&self, order: &[DeviceId]) -> Option<DeviceId> {
        self.selection.of(order)
    }

    /// Says what came of the list that the user asked for, unless there is something else to read.
    pub fn tell_of_the_list(&mut self, view: &View<'_>) {
        /// An answer takes no longer over any line that serves.
        const PATIENCE: Duration = Duration::from_secs(25);
        let (group, devices) = (view.group, view.group.devices());
        let Some(Refreshed { at, before }) = self.refreshed else { return };
        let (came, due) = (devices.as_of() != before, at.after(PATIENCE));
        let (is_connected, is_late) = (group.connection().is_logged_in(), view.clock.now() >= due);
        if !came && is_connected && !is_late {
            return view.clock.becomes_wrong(due);
        }
        self.refreshed = None;
        if self.notice.take_if(|told| told.kind == NoticeKind::UnderWay).is_none() {
            return;
        }
        if came {
            let count = u64::try_from(devices.len()).unwrap_or(u64::MAX);
            let plural = if count == 1 { "" } else { "s" };
            let elapsed = group.latency().devices_info.last().map(|elapsed| format!(", {}", format::span(elapsed)));
            let words = format!("{} device{plural}{}", format::count(count), elapsed.unwrap_or_default());
            self.tell(NoticeKind::Done, Clean::new(&words));
        } else if is_connected {
            self.say(Clean::literal("no device list came within 25 s; r asks again"));
        } else if close_help::explanation(view).is_none() {
            self.say(Clean::literal("the device list did not come: the connection ended"));
        }
    }

    /// What was said before the connection ended must not stand in the way of why it did. What is asked for gets its own
    /// end, and what went wrong here has nothing to do with the connection.
    pub fn forget_what_has_ended(&mut self, group: &Group) {
        let ended = disconnected_at(group);
        if ended.is_some() && ended != self.ended {
            self.notice.take_if(|told| !matches!(told.kind, NoticeKind::UnderWay | NoticeKind::Ignored));
        }
        self.ended = ended;
    }

    /// What just happened, until the next key.
    pub fn notice<'a>(&'a self, group: &'a Group) -> Option<(NoticeKind, &'a Clean)> {
        let count = group.notices().count();
        let told = self.notice.as_ref().filter(|told| told.after.is_none_or(|after| count == after));
        let unread = group.notices().last().filter(|_| count > self.notices_read);
        told.map(|told| (told.kind, &told.text)).or_else(|| unread.map(|notice| (notice.kind, &notice.text)))
    }

    /// Whether that happened after the connection ended, so that it is not the reason that must be read first.
    pub fn is_after_the_end(&self, group: &Group) -> bool {
        /// What is lost with a connection is told just before its end.
        const AT_ONCE: Duration = Duration::from_secs(1);
        let is_tried_again = matches!(group.connection(), Connection::Waiting { next: NextStep::RetryAt { .. }, .. });
        let before = if is_tried_again { AT_ONCE } else { Duration::ZERO };
        let last = group.notices().last().map(|notice| notice.at.after(before));
        self.notice.is_some() || last > disconnected_at(group)
    }

    /// Why the connection ended and what can be done, until the next key.
    pub fn explanation(&self, view: &View<'_>) -> Option<String> {
        close_help::explanation(view).filter(|_| self.explained != disconnected_at(view.group))
    }

    pub fn notify(&mut self, notice: Clean) {
        self.tell(NoticeKind::Ignored, notice);
    }

    pub fn say(&mut self, text: Clean) -> Reaction {
        self.tell(NoticeKind::Refused, text)
    }

    pub fn tell(&mut self, kind: NoticeKind, text: Clean) -> Reaction {
        self.notice = Some(Told { kind, text, after: None });
        Reaction::Redraw
    }

    /// Takes one input.
    pub fn handle(&mut self, input: &TerminalEvent, group: &Group, now: Millis) -> Reaction {
        match input {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => match keymap::escape_and(*key) {
                Some([escape, key]) => {
                    let went_back = self.press(escape, group, now);
                    let then = self.press(key, group, now);
                    if then == Reaction::Nothing { went_back } else { then }
                }
                None => self.press(*key, group, now),
            },
            TerminalEvent::Resize(..) => Reaction::Repaint,
            // Pasted text must never act as keys.
            TerminalEvent::Paste(text) if self.room == Room::Enough => self.paste(text, group, now),
            TerminalEvent::Key(_)
            | TerminalEvent::Paste(_)
            | TerminalEvent::FocusGained
            | TerminalEvent::FocusLost
            | TerminalEvent::Mouse(_) => Reaction::Nothing,
        }
    }

    pub fn press(&mut self, key: KeyEvent, group: &Group, now: Millis) -> Reaction {
        match keymap::lookup(key, self.place()) {
            // Nobody should do what they cannot see.
            Some(action) if self.room == Room::TooLittle && !action.works_unseen() => Reaction::Nothing,
            Some(action) => self.act(action, group, now),
            None if self.room == Room::TooLittle => Reaction::Nothing,
            None => self.type_key(key, group, now),
        }
    }

    pub fn act(&mut self, action: Action, group: &Group, now: Millis) -> Reaction {
        let had_notice = self.notice(group).is_some() || self.explained != disconnected_at(group);
        self.explained = disconnected_at(group);
        self.ended = self.explained;
        self.notice = None;
        self.notices_read = group.notices().count();
        let reaction = match action {
            Action::Quit => Reaction::Quit,
            Action::Suspend => Reaction::Suspend,
            Action::Repaint => Reaction::Repaint,
            Action::Help => self.open(About::Help),
            Action::Back => self.back(group, now),
            Action::Confirm => self.confirm(group, now),
            Action::Choose(step) => self.choose(step),
            Action::Move(motion) => self.go(motion, group),
            Action::Focus(pane) => self.look_at(pane),
            Action::FocusStep(by) => self.look_at(self.focus.step(by)),
            Action::Tab(step) => Reaction::Tab(step),
            Action::Sort => self.sort(Order { by: self.order.by.next(), ..self.order }),
            Action::Reverse => self.sort(Order { reversed: !self.order.reversed, ..self.order }),
            Action::Pause => self.pause(group),
            Action::Detail => self.detail(group),
            Action::Zoom => {
                self.zoomed = !self.zoomed;
                Reaction::Redraw
            }
            Action::Refresh => self.refresh(group, now),
            Action::Connect => self.connect(group, now),
            Action::Drop => self.ask_to_drop(group, now),
            Action::AcceptClock => self.accept_clock(group),
            Action::Note => self.take_note(group),
            Action::Lock => self.ask_about_lock(group, now),
            Action::Probe => self.ask_to_probe(group, now),
            Action::Ask(question) => self.open_line(question, group, now),
            Action::Complete(step) => self.complete(step, group, now),
            Action::Hit(way) => self.next_hit(way, group),
            Action::Mark => self.mark(group),
            Action::Reveal => self.reveal(),
            Action::Copy => self.copy(group, now),
        };
        // A notice that a key has ended must go from the screen, whatever the key did.
        if reaction == Reaction::Nothing && had_notice { Reaction::Redraw } else { reaction }
    }

    pub fn look_at(&mut self, pane: Pane) -> Reaction {
        self.focus = pane;
        self.focus_chosen = true;
        Reaction::Redraw
    }

    pub fn sort(&mut self, order: Order) -> Reaction {
        self.order = order;
        if self.focus == Pane::Devices {
            return Reaction::Redraw;
        }
        // The pane may be out of sight.
        self.tell(NoticeKind::Done, Clean::new(&format!("devices are sorted {}", order.words())))
    }

    pub fn open(&mut self, about: About) -> Reaction {
        self.overlay = Overlay::Page(Page::new(about));
        Reaction::Redraw
    }

    pub fn ask(&mut self, dialog: Dialog) -> Reaction {
        self.overlay = Overlay::Dialog(dialog);
        Reaction::Redraw
    }

    /// One level back: what lies over the panes, the zoom, what is done in the feed.
    pub fn back(&mut self, group: &Group, now: Millis) -> Reaction {
        match std::mem::take(&mut self.overlay) {
            Overlay::Line(line) => self.give_line_up(&line, group, now),
            Overlay::Page(_) | Overlay::Dialog(_) => {}
            Overlay::None if self.zoomed => self.zoomed = false,
            Overlay::None if self.feed_back(group) => {}
            Overlay::None => return Reaction::Nothing,
        }
        Reaction::Redraw
    }

    pub fn confirm(&mut self, group: &Group, now: Millis) -> Reaction {
        match std::mem::take(&mut self.overlay) {
            Overlay::Dialog(dialog) => dialog.answer().map_or(Reaction::Redraw, Reaction::Command),
            Overlay::Line(line) => self.keep_line(line, group, now),
            Overlay::Page(page) => self.follow_page(&page, group),
            Overlay::None => Reaction::Redraw,
        }
    }

    pub fn choose(&mut self, step: isize) -> Reaction {
        match &mut self.overlay {
            Overlay::Dialog(dialog) => {
                dialog.choose(step);
                Reaction::Redraw
            }
            Overlay::None | Overlay::Page(_) | Overlay::Line(_) => Reaction::Nothing,
        }
    }

    pub fn go(&mut self, motion: Motion, group: &Group) -> Reaction {
        if let Overlay::Page(page) = &mut self.overlay {
            page.scroll(motion);
            return Reaction::Redraw;
        }
        match self.focus {
            Pane::Devices => self.go_to_device(motion, group),
            Pane::Feed => self.go_in_feed(motion, group),
            Pane::Lock | Pane::Role | Pane::Latency => Reaction::Nothing,
        }
    }

    pub fn go_to_device(&mut self, motion: Motion, group: &Group) -> Reaction {
        let order = self.order.of(group);
        self.selection.follow(&order);
        let selected = self.selected_of(&order);
        let index = order.iter().position(|id| Some(*id) == selected).unwrap_or(0);
        let last = order.len().saturating_sub(1);
        let page = self.device_page;
        let wanted = match motion {
            Motion::Up => index.saturating_sub(1),
            Motion::Down => index + 1,
            Motion::HalfPageUp => index.saturating_sub(page.div_ceil(2)),
            Motion::HalfPageDown => index + page.div_ceil(2),
            Motion::PageUp => index.saturating_sub(page),
            Motion::PageDown => index + page,
            Motion::First => 0,
            Motion::Last => last,
        };
        let wanted = order.get(wanted.min(last)).copied();
        self.selection.set(wanted);
        if wanted == selected { Reaction::Nothing } else { Reaction::Redraw }
    }

    pub fn detail(&mut self, group: &Group) -> Reaction {
        let about = match self.focus {
            Pane::Devices => self.selected_of(&self.order.of(group)).map(About::Device),
            Pane::Feed => {
                let keys = self.settings.keys.as_deref();
                let opened = self.reading.selected(group).and_then(|spot| Opened::at(spot, &self.reading, group, keys));
                opened.map(|opened| About::Row(Box::new(opened)))
            }
            Pane::Latency => Some(About::Latency),
            Pane::Lock | Pane::Role => None,
        };
        about.map_or(Reaction::Nothing, |about| self.open(about))
    }

    pub fn refresh(&mut self, group: &Group, now: Millis) -> Reaction {
        if group.connection().is_logged_in() {
            self.refreshed = Some(Refreshed { at: now, before: group.devices().as_of() });
            self.tell(NoticeKind::UnderWay, Clean::literal("asked for the device list…"));
            return Reaction::Command(Command::RefreshDevices);
        }
        self.say_refused(Refusal::NotConnected)
    }

    pub fn accept_clock(&mut self, group: &Group) -> Reaction {
        if clock_apart(group).is_none() {
            return self.say(Clean::literal("nothing to accept: the clocks agree well enough"));
        }
        self.clock_accepted = true;
        Reaction::Redraw
    }

    pub fn take_note(&mut self, group: &Group) -> Reaction {
        if group.devices().alarms() == 0 {
            return self.say(Clean::literal("nothing to note: no device is new or changed"));
        }
        Reaction::Command(Command::AcknowledgeDevices)
    }

    pub fn say_refused(&mut self, refusal: Refusal) -> Reaction {
        self.say(Clean::new(&refusal.to_string()))
    }

    pub fn connect(&mut self, group: &Group, now: Millis) -> Reaction {
        const GONE: [CloseCode; 3] =
            [CloseCode::DROPPED_BY_DEVICE, CloseCode::REFLECTION_QUEUE_LIMIT, CloseCode::SLOT_STATE_MISMATCH];
        match group.connection() {
            Connection::Waiting { next: NextStep::End, .. } => {
                self.say(Clean::literal("the session is over; quit with q and start again"))
            }
            Connection::Waiting { cause: DisconnectCause::ClosedByServer { code, expected, .. }, .. }
                if GONE.contains(code) =>
            {
                let dialog = self.with_view(group, now, |view| Dialog::reconnect(*code, *expected, view));
                self.ask(dialog)
            }
            Connection::Waiting { .. } => Reaction::Command(Command::Reconnect { expect: None }),
            Connection::Draining { .. } | Connection::Live { .. } => self.say(Clean::literal("connected already")),
            Connection::Idle | Connection::Connecting { .. } | Connection::Handshaking => {
                self.say(Clean::literal("connecting already"))
            }
        }
    }

    pub fn ask_to_drop(&mut self, group: &Group, now: Millis) -> Reaction {
        if self.settings.read_only {
            return self.ask(Dialog::read_only("Dropping a device changes the group."));
        }
        if !group.connection().is_logged_in() {
            return self.say_refused(Refusal::NotConnected);
        }
        if group.lock().is_ours_or_awaited() {
            return self.say_refused(Refusal::LockBusy);
        }
        let Some(device) = self.selected_of(&self.order.of(group)) else {
            return self.say(Clean::literal("nothing to drop: the selected device is not in the list"));
        };
        self.overlay = Overlay::Dialog(self.with_view(group, now, |view| Dialog::drop(view, device)));
        // What the dialog says follows from the list, which may be a minute old.
        Reaction::Command(Command::RefreshDevices)
    }

    pub fn ask_to_probe(&mut self, group: &Group, now: Millis) -> Reaction {
        if self.settings.read_only {
            return self.ask(Dialog::read_only("A probe is a message to all other devices."));
        }
        if !group.connection().is_logged_in() {
            return self.say_refused(Refusal::NotConnected);
        }
        if self.settings.dialect == Dialect::Mk {
            return self.say_refused(Refusal::NoProbe);
        }
        let dialog = self.with_view(group, now, Dialog::probe);
        self.ask(dialog)
    }

    pub fn ask_about_lock(&mut self, group: &Group, now: Millis) -> Reaction {
        if self.settings.read_only {
            return self.ask(Dialog::read_only("Taking the lock keeps other devices from changing the group."));
        }
        if !group.connection().is_logged_in() {
            return self.say_refused(Refusal::NotConnected);
        }
        let dialog = if group.lock().is_ours_or_awaited() {
            self.with_view(group, now, Dialog::release_lock)
        } else {
            self.with_view(group, now, Dialog::take_lock)
        };
        self.ask(dialog)
    }

    /// Shows what was written, or hides it again.
    pub fn reveal(&mut self) -> Reaction {
        let Overlay::Page(page) = &mut self.overlay else { return Reaction::Nothing };
        page.reveal();
        Reaction::Redraw
    }

    /// Where Enter leads from a page: to the row that it points at, or back.
    pub fn follow_page(&mut self, page: &Page, group: &Group) -> Reaction {
        if let Some(number) = page.target() {
            self.look_at(Pane::Feed);
            if !self.reading.go_to_row(number, group) {
                return self.say(Clean::literal("this row has fallen out of memory, or does not fit the filter"));
            }
        }
        Reaction::Redraw
    }

    /// Puts the page, or the selected row, into the clipboard.
    pub fn copy(&mut self, group: &Group, now: Millis) -> Reaction {
        let text = self.with_view(group, now, |view| match &self.overlay {
            Overlay::Page(page) => Some(pages::plain(view, &self.reading, &page.about)),
            _ => self.reading.selected_row(group).map(|(_, row)| crate::tui::update::clipboard::row(view, &row)),
        });
        let Some(text) = text else { return self.say(Clean::literal("nothing to copy: the feed is empty")) };
        let text = crate::tui::update::clipboard::capped(text);
        let what = Clean::new(&format!("copied, {} bytes, if the terminal allows it", text.len()));
        self.copied = Some(text);
        self.tell(NoticeKind::Done, what)
    }

    /// What is to be put into the clipboard, once.
    pub const fn take_copied(&mut self) -> Option<String> {
        self.copied.take()
    }

    pub fn with_view<T>(&self, group: &Group, now: Millis, make: impl FnOnce(&View<'_>) -> T) -> T {
        let clock = Clock::new(now, self.settings.zone);
        make(&View {
            group,
            clock: &clock,
            settings: &self.settings,
            theme: Theme::new(self.settings.colour),
            clock_accepted: self.clock_accepted,
        })
    }
}
