//! The header: in words, how it stands, what comes next, and what a person should know wherever they look.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cut::{cut, width};
use super::format;
use super::layout::{Layout, Pane};
use super::pen::Pen;
use super::theme::{ATTENTION, BAD, FILLING, OFF, ON, Theme, WAITING};
use super::view::View;
use crate::group::{Connection, DisconnectCause, LockState, NextStep, RoleState};
use crate::protocol::{CloseCode, Millis};

/// The specification has a client warn when the clocks are further apart than this.
const CLOCK_TOLERANCE: u64 = 20 * 60 * 1_000;

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

pub(super) fn draw(buffer: &mut Buffer, layout: &Layout, view: &View<'_>) {
    let area = layout.header;
    let state = state(view);
    let two_lines = area.height > 1;
    let mut pen = Pen::new(buffer, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area });
    let title_room = usize::from(area.width) / if two_lines { 2 } else { 4 };
    pen.text("d2mtop", Theme::STRONG);
    if !view.settings.title.is_empty() {
        let title = cut(view.settings.title.as_str(), title_room.saturating_sub(9)).into_owned();
        pen.text(" · ", Theme::QUIET).text(&title, Theme::PLAIN);
    }
    if two_lines {
        // The title's line has room for a fact that is always true; the state gets a line of its own.
        // What helps comes first there, as the state may be long.
        if state.keys.is_empty() {
            put_facts(&mut pen, &facts(view, layout));
        } else {
            put_keys(&mut pen, &state, view);
        }
        pen.next_line();
        put_state(&mut pen, &State { keys: &[], ..state }, view);
    } else {
        pen.gap(3);
        put_state(&mut pen, &state, view);
        if state.cause.is_none() {
            put_facts(&mut pen, &facts(view, layout));
        }
    }
}

fn put_state(pen: &mut Pen<'_>, state: &State, view: &View<'_>) {
    let keys: usize = state.keys.iter().map(|(key, what)| width(key) + width(what) + 4).sum();
    pen.text(state.glyph, state.style).gap(1).text(&state.words, state.style);
    if let Some(alert) = alert(view) {
        pen.gap(3).text(&format!("{ATTENTION} {alert}"), view.theme.attention());
    }
    if let Some(cause) = &state.cause {
        let room = pen.room().saturating_sub(keys + 1);
        let cause = cut(&format!(": {cause}"), room).into_owned();
        pen.text(&cause, Theme::PLAIN);
    }
    put_keys(pen, state, view);
}

fn put_keys(pen: &mut Pen<'_>, state: &State, view: &View<'_>) {
    for (key, what) in state.keys {
        if pen.room() > width(key) + width(what) + 4 {
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
            let words = view.clock.lasting(*since).map_or("live".to_owned(), |lasting| format!("live {lasting}"));
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
    match (next, cause) {
        (NextStep::RetryAt { at, .. }, DisconnectCause::LeaderRole) => State {
            glyph: ATTENTION,
            style: view.theme.attention(),
            words: format!("gave up leading, back in {}", view.clock.until(at)),
            cause: Some("phones need the role".to_owned()),
            keys: &[("c", "now")],
        },
        (NextStep::RetryAt { at, attempt }, cause) => State {
            glyph: WAITING,
            style: view.theme.attention(),
            words: format!("reconnecting in {}, try {attempt}", view.clock.until(at)),
            cause: Some(cause_words(cause)),
            keys: &[("c", "now")],
        },
        (NextStep::WaitForUser, DisconnectCause::ClosedByServer { code, .. }) => State {
            glyph: BAD,
            style: view.theme.bad(),
            words: format!("{} ({code}) at {}", code.meaning(), at()),
            cause: Some(code.advice().to_owned()),
            keys: match *code {
                CloseCode::DROPPED_BY_DEVICE | CloseCode::REFLECTION_QUEUE_LIMIT => &[("c", "connect as new")],
                _ => &[("c", "connect again")],
            },
        },
        (NextStep::WaitForUser, cause) => State {
            glyph: BAD,
            style: view.theme.bad(),
            words: format!("not connected since {}", at()),
            cause: Some(cause_words(cause)),
            keys: &[("c", "connect")],
        },
        (NextStep::End, cause) => State {
            glyph: BAD,
            style: view.theme.bad(),
            words: format!("ended at {}", at()),
            cause: Some(cause_words(cause)),
            keys: &[("q", "quit")],
        },
    }
}

/// Why a connection ended, in words.
pub(super) fn cause_words(cause: &DisconnectCause) -> String {
    match cause {
        DisconnectCause::ClosedByServer { code, reason } if reason.is_empty() => {
            format!("{} ({code})", code.meaning())
        }
        DisconnectCause::ClosedByServer { code, reason } => format!("{} ({code}): {reason}", code.meaning()),
        DisconnectCause::Unreachable(why) => format!("cannot connect ({why})"),
        DisconnectCause::Broken(why) if why.is_empty() => "connection lost".to_owned(),
        DisconnectCause::Broken(why) => format!("connection lost ({why})"),
        DisconnectCause::NoAnswer => "connection lost (no answer to ping)".to_owned(),
        DisconnectCause::HandshakeTimeout => "the handshake took too long".to_owned(),
        DisconnectCause::ServerProtocolError(how) => format!("the server broke the protocol ({how})"),
        DisconnectCause::LeaderRole => "promoted to leader, and left".to_owned(),
        DisconnectCause::ByUser => "as you asked".to_owned(),
    }
}

/// What is wrong although the connection stands.
fn alert(view: &View<'_>) -> Option<String> {
    if !view.group.connection().is_logged_in() {
        return None;
    }
    if let RoleState::Leader { .. } = view.group.role().state() {
        return Some(if view.settings.stay_leader {
            "leads: the group gets no incoming messages".to_owned()
        } else {
            "promoted to leader: leaving".to_owned()
        });
    }
    let ahead = view.group.login()?.clock_offset.filter(|ahead| ahead.unsigned_abs() > CLOCK_TOLERANCE)?;
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    let apart = format::offset(ahead);
    Some(format!("clock {} {side} the server", apart.get(1..).unwrap_or_default()))
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
    let fell_out = view.group.feed().fell_out();
    let ignored = view.group.notices().ignored();
    let words = match (fell_out, ignored) {
        (0, 0) => return None,
        (rows, 0) => format!("{} rows dropped", format::count(rows)),
        (0, ignored) => format!("{} ignored", format::count(ignored)),
        (rows, ignored) => format!("{} rows dropped, {} ignored", format::count(rows), format::count(ignored)),
    };
    Some((words, view.theme.attention()))
}
