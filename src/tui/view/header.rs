//! The header: in words, how it stands, what comes next, and what a person should know wherever they look.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::group::{Connection, DisconnectCause, JournalState, LockState, NextStep, RoleState};
use crate::protocol::{CloseCode, Millis, ReconnectClass, SlotState};
use crate::session::Presence;
use crate::tui::close_help;
use crate::tui::context::{self, View};
use crate::tui::draw::text_run::Pen;
use crate::tui::draw::text_width::{cut, width};
use crate::tui::format;
use crate::tui::input::pane::Pane;
use crate::tui::settings::Keeping;
use crate::tui::theme::{ATTENTION, BAD, FILLING, OFF, ON, Theme, WAITING};
use crate::tui::view::layout::Layout;

/// How it stands.
struct State {
    glyph: &'static str,
    style: Style,
    /// Always shown.
    words: String,
    /// Why, shown as far as there is room.
    cause: Option<String>,
    /// Keys that help.
    keys: &'static [(&'static str, &'static str)],
}

/// A fact, and its style.
type Fact = (String, Style);

pub fn draw(buffer: &mut Buffer, layout: &Layout, view: &View<'_>) {
    let area = layout.header;
    let state = state(view);
    let alert = alert(view);
    let two_lines = area.height > 1;
    let mut pen = Pen::new(buffer, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area });
    pen.text("d2mtop", Theme::STRONG);
    // How it stands and what helps comes first; the title gives way.
    let wanted = if two_lines { keys_width(&state, alert.as_ref()) } else { wanted(&state, alert.as_ref()) };
    let most = usize::from(area.width) / if two_lines { 2 } else { 4 };
    let title_room = most.saturating_sub(9).min(pen.room().saturating_sub(wanted + 6));
    if !view.settings.title.is_empty() && title_room > 3 {
        let title = cut(view.settings.title.as_str(), title_room).into_owned();
        pen.text(" · ", Theme::QUIET).text(&title, Theme::PLAIN);
    }
    if two_lines {
        // The title's line has room for a fact that is always true; the state gets a line of its own.
        // What helps comes first there, as the state may be long.
        if state.keys.is_empty() && alert.is_none() {
            put_facts(&mut pen, &facts(view, layout));
        } else {
            put_keys(&mut pen, &state, alert.as_ref(), view);
        }
        pen.next_line();
        put_state(&mut pen, &state, alert.as_ref(), 0, view);
    } else {
        pen.gap(3);
        put_state(&mut pen, &state, alert.as_ref(), keys_width(&state, alert.as_ref()), view);
        put_keys(&mut pen, &state, alert.as_ref(), view);
        if state.cause.is_none() {
            put_facts(&mut pen, &facts(view, layout));
        }
    }
}

/// What is wrong although the connection stands, and the key that helps.
struct Alert {
    words: String,
    key: Option<(&'static str, &'static str)>,
}

/// The columns that everything about the state takes.
fn wanted(state: &State, alert: Option<&Alert>) -> usize {
    let cause = state.cause.as_ref().map_or(0, |cause| width(cause) + 2);
    let alert_width = alert.map_or(0, |alert| width(&alert.words) + 5);
    width(state.glyph) + 1 + width(&state.words) + cause + alert_width + keys_width(state, alert)
}

fn keys_width(state: &State, alert: Option<&Alert>) -> usize {
    keys(state, alert).map(|(key, what)| width(key) + width(what) + 4).sum()
}

fn keys<'a>(state: &'a State, alert: Option<&'a Alert>) -> impl Iterator<Item = &'a (&'static str, &'static str)> {
    state.keys.iter().chain(alert.and_then(|alert| alert.key.as_ref()))
}

fn put_state(pen: &mut Pen<'_>, state: &State, alert: Option<&Alert>, reserved: usize, view: &View<'_>) {
    pen.text(state.glyph, state.style).gap(1).text(&state.words, state.style);
    if let Some(alert) = alert {
        let room = pen.room().saturating_sub(reserved + 3);
        let words = cut(&format!("{ATTENTION} {}", alert.words), room).into_owned();
        pen.gap(3).text(&words, view.theme.attention());
    }
    if let Some(cause) = &state.cause {
        let cause = cut(&format!(": {cause}"), pen.room().saturating_sub(reserved)).into_owned();
        pen.text(&cause, Theme::PLAIN);
    }
}

fn put_keys(pen: &mut Pen<'_>, state: &State, alert: Option<&Alert>, view: &View<'_>) {
    for (key, what) in keys(state, alert) {
        if pen.room() >= width(key) + width(what) + 4 {
            pen.gap(3).text(key, view.theme.focus()).gap(1).text(what, Theme::PLAIN);
        }
    }
}

/// Facts that do not fit leave, the last first.
fn put_facts(pen: &mut Pen<'_>, facts: &[Fact]) {
    for (fact, style) in facts {
        if pen.room() < width(fact) + 4 {
            break;
        }
        pen.gap(3).text(fact, *style);
    }
}

fn state(view: &View<'_>) -> State {
    let plain =
        |glyph, words: &str| State { glyph, style: Theme::STRONG, words: words.to_owned(), cause: None, keys: &[] };
    match view.group.connection() {
        Connection::Idle => plain(OFF, "not connected yet"),
        Connection::Connecting { attempt: 0 | 1 } => plain(WAITING, "connecting"),
        Connection::Connecting { attempt } => plain(WAITING, &format!("connecting, try {attempt}")),
        Connection::Handshaking => plain(WAITING, "handshake"),
        Connection::Draining { received, of, .. } => plain(FILLING, &draining(*received, *of)),
        Connection::Live { since } => {
            let lasting = view.clock.lasting(*since).filter(|_| alert(view).is_none());
            let words = lasting.map_or("live".to_owned(), |lasting| format!("live {lasting}"));
            State { style: view.theme.good(), ..plain(ON, &words) }
        }
        Connection::Waiting { since, cause, next } => waiting(view, *since, cause, *next),
    }
}

fn draining(received: u32, of: Option<u32>) -> String {
    let received = u64::from(received);
    match of {
        Some(of) => format!("draining {} of {}", format::count(received), format::count(u64::from(of).max(received))),
        None => format!("draining, {} so far", format::count(received)),
    }
}

fn waiting(view: &View<'_>, since: Millis, cause: &DisconnectCause, next: NextStep) -> State {
    let at = || view.clock.minute(since);
    let attention = |glyph, words: String, cause: String| State {
        glyph,
        style: view.theme.attention(),
        words,
        cause: Some(cause),
        keys: &[("c", "now")],
    };
    let bad =
        |words: String, cause: Option<String>, keys| State { glyph: BAD, style: view.theme.bad(), words, cause, keys };
    match (next, cause) {
        (NextStep::RetryAt { at, .. }, DisconnectCause::LeaderRole) => {
            let until = view.clock.until(at);
            if view.is_alone() {
                let why = "alone in the group, left so as not to lead".to_owned();
                attention(ATTENTION, format!("back in {until}"), why)
            } else {
                attention(ATTENTION, format!("left the lead, back in {until}"), "phones must lead".to_owned())
            }
        }
        (NextStep::RetryAt { at, .. }, DisconnectCause::VisitOver) => {
            let why = format!("--presence {}", view.settings.presence);
            State {
                style: Theme::STRONG,
                ..attention(OFF, format!("visit over, back in {}", view.clock.until(at)), why)
            }
        }
        (NextStep::RetryAt { at, attempt }, cause) => {
            let unheard_of = matches!(cause, DisconnectCause::ClosedByServer { code, .. }
                if code.reconnect_class() == ReconnectClass::Unknown);
            let glyph = if unheard_of { ATTENTION } else { WAITING };
            attention(glyph, format!("back in {}, try {attempt}", view.clock.until(at)), short_words(cause))
        }
        (NextStep::WaitForUser, DisconnectCause::ClosedByServer { code, .. }) => {
            bad(format!("{} ({code}) at {}", code.short(), at()), None, close_help::connect_keys(*code))
        }
        (NextStep::WaitForUser, cause) => {
            bad(format!("not connected since {}", at()), Some(cause.to_string()), &[("c", "connect")])
        }
        (NextStep::End, DisconnectCause::LeftGroup) => {
            bad(format!("left the group at {}", at()), Some("our slot is gone".to_owned()), &[("q", "quit")])
        }
        (NextStep::End, cause) => bad(format!("ended at {}", at()), Some(cause.to_string()), &[("q", "quit")]),
    }
}

/// Why a connection ended, in as few words as say it.
fn short_words(cause: &DisconnectCause) -> String {
    match cause {
        // Only where that has a harmless reason does the session try again by itself.
        DisconnectCause::ClosedByServer { code: CloseCode::SLOT_STATE_MISMATCH, expected, .. } => match expected {
            SlotState::Existing => "slot expired, taking a new one (4115)".to_owned(),
            SlotState::New => "our slot is there already (4115)".to_owned(),
        },
        DisconnectCause::ClosedByServer { code, .. } => format!("{} ({code})", code.short()),
        DisconnectCause::NoAnswer => "no answer to ping".to_owned(),
        DisconnectCause::HandshakeTimeout => "the login took too long".to_owned(),
        // The last line says why.
        DisconnectCause::Unreachable(_) => "no connection".to_owned(),
        DisconnectCause::Broken(_) => "connection lost".to_owned(),
        cause => cause.to_string(),
    }
}

fn alert(view: &View<'_>) -> Option<Alert> {
    // Whether connected or not: what is received is not acknowledged, and the mediator keeps it all.
    if let JournalState::Failed(why) = view.group.journal() {
        return Some(Alert { words: format!("nothing is acknowledged: {why}"), key: None });
    }
    if !view.group.connection().is_logged_in() {
        return None;
    }
    if let RoleState::Leader { .. } = view.group.role().state() {
        let words = if view.settings.stay_leader {
            "leads: the group gets no incoming messages"
        } else {
            "promoted to leader: leaving, phones must lead"
        };
        return Some(Alert { words: words.to_owned(), key: None });
    }
    let ahead = context::clock_apart(view.group).filter(|_| !view.clock_accepted)?;
    let side = if ahead > 0 { "behind" } else { "ahead" };
    let apart = format::offset(ahead);
    let (here, there) = view.clock.both(ahead);
    let words = format!("clock {} {side}: here {here}, server {there}", apart.get(1..).unwrap_or_default());
    Some(Alert { words, key: Some(("a", "accept")) })
}

fn facts(view: &View<'_>, layout: &Layout) -> Vec<Fact> {
    let group = view.group;
    let mut facts = Vec::new();
    if view.settings.read_only {
        facts.push(("read-only".to_owned(), Theme::STRONG));
    }
    facts.extend(match group.role().state() {
        RoleState::Unknown => None,
        RoleState::Leader { .. } => Some(("leader".to_owned(), view.theme.attention())),
        RoleState::Follower { .. } => Some(("follower".to_owned(), Theme::PLAIN)),
        RoleState::GivenUp { .. } => Some(("gave up leading".to_owned(), view.theme.attention())),
    });
    if matches!(view.settings.presence, Presence::Visit(_)) && group.connection().is_logged_in() {
        facts.push(("visiting".to_owned(), Theme::PLAIN));
    }
    if view.settings.keeping == Keeping::Declined {
        facts.push(("no journal".to_owned(), Theme::PLAIN));
    }
    if let Some(login) = group.login() {
        let slots = login.max_device_slots;
        let used = if group.devices().is_empty() { "?".to_owned() } else { group.devices().len().to_string() };
        facts.push((format!("{used}/{slots} slots"), Theme::PLAIN));
    }
    if layout.pane(Pane::Devices).is_none() && view.tells_who_is_on() {
        facts.push((format!("{} on", group.devices().connected()), Theme::PLAIN));
    }
    if layout.pane(Pane::Lock).is_none() && group.login().is_some() {
        facts.push((lock_word(group.lock().state()).to_owned(), Theme::PLAIN));
    }
    facts.extend(lost(view));
    if let Some(ahead) = group.login().and_then(|login| login.clock_offset) {
        facts.push((format!("clock {}", format::offset(ahead)), Theme::PLAIN));
    }
    facts.push((view.settings.dialect.to_string(), Theme::QUIET));
    facts
}

const fn lock_word(state: &LockState) -> &'static str {
    match state {
        LockState::Free => "lock free",
        LockState::Requested { .. } | LockState::Held { wanted: Some(_), .. } => "lock awaited",
        LockState::Held { .. } => "lock held",
        LockState::Ours { .. } => "lock ours",
    }
}

/// What is no longer shown, or never was.
fn lost(view: &View<'_>) -> Option<Fact> {
    // What the journal has is not lost.
    let is_gone = view.group.feed().fell_out() > 0 && *view.group.journal() != JournalState::Keeps;
    let gone = is_gone.then(|| "older rows gone".to_owned());
    let ignored = view.group.notices().ignored();
    let ignored = (ignored > 0).then(|| format!("{} ignored", format::count(ignored)));
    let words: Vec<String> = gone.into_iter().chain(ignored).collect();
    (!words.is_empty()).then(|| (words.join(", "), view.theme.attention()))
}
