//! Facts that are always true, shown as far as there is room.

use crate::group::{JournalState, LockState, RoleState};
use crate::session::Presence;
use crate::tui::context::FrameContext;
use crate::tui::format;
use crate::tui::input::pane::Pane;
use crate::tui::settings::Keeping;
use crate::tui::theme::Role;
use crate::tui::view::layout::Layout;

/// A fact, and its style.
pub type HeaderItem = (String, Role);

pub fn facts(ctx: &FrameContext<'_>, layout: &Layout) -> Vec<HeaderItem> {
    let group = ctx.group;
    let mut facts = Vec::new();
    if ctx.settings.read_only {
        facts.push(("read-only".to_owned(), Role::Strong));
    }
    facts.extend(match group.role().state() {
        RoleState::Unknown => None,
        RoleState::Leader { .. } => Some(("leader".to_owned(), Role::Attention)),
        RoleState::Follower { .. } => Some(("follower".to_owned(), Role::Plain)),
        RoleState::GivenUp { .. } => Some(("gave up leading".to_owned(), Role::Attention)),
    });
    if matches!(ctx.settings.presence, Presence::Visit(_)) && group.connection().is_logged_in() {
        facts.push(("visiting".to_owned(), Role::Plain));
    }
    if ctx.settings.keeping == Keeping::Declined {
        facts.push(("no journal".to_owned(), Role::Plain));
    }
    if let Some(login) = group.login() {
        let slots = login.max_device_slots;
        let used = if group.devices().is_empty() { "?".to_owned() } else { group.devices().len().to_string() };
        facts.push((format!("{used}/{slots} slots"), Role::Plain));
    }
    if layout.pane(Pane::Devices).is_none() && ctx.tells_who_is_on() {
        facts.push((format!("{} on", group.devices().connected()), Role::Plain));
    }
    if layout.pane(Pane::Lock).is_none() && group.login().is_some() {
        facts.push((lock_word(group.lock().state()).to_owned(), Role::Plain));
    }
    facts.extend(lost(ctx));
    if let Some(ahead) = group.login().and_then(|login| login.clock_offset) {
        facts.push((format!("clock {}", format::offset(ahead)), Role::Plain));
    }
    facts.push((ctx.settings.dialect.to_string(), Role::Quiet));
    facts
}

pub const fn lock_word(state: &LockState) -> &'static str {
    match state {
        LockState::Free => "lock free",
        LockState::Requested { .. } | LockState::Held { wanted: Some(_), .. } => "lock awaited",
        LockState::Held { .. } => "lock held",
        LockState::Ours { .. } => "lock ours",
    }
}

/// What is no longer shown, or never was.
pub fn lost(ctx: &FrameContext<'_>) -> Option<HeaderItem> {
    // What the journal has is not lost.
    let is_gone = ctx.group.feed().fell_out() > 0 && *ctx.group.journal() != JournalState::Keeps;
    let gone = is_gone.then(|| "older rows gone".to_owned());
    let ignored = ctx.group.notices().ignored();
    let ignored = (ignored > 0).then(|| format!("{} ignored", format::count(ignored)));
    let words: Vec<String> = gone.into_iter().chain(ignored).collect();
    (!words.is_empty()).then(|| (words.join(", "), Role::Attention))
}
