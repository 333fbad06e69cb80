//! Facts that are always true, shown as far as there is room.

use std::time::Duration;

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
    // What runs out comes first.
    let is_ours = matches!(group.lock().state(), LockState::Ours { .. });
    if is_ours && layout.pane(Pane::Lock).is_none() {
        facts.push((lock_words(ctx), lock_role(ctx)));
    }
    if ctx.settings.read_only {
        facts.push(("read-only".to_owned(), Role::Heading));
    }
    facts.extend(match group.role().state() {
        // The status says it, and until when.
        RoleState::Unknown | RoleState::GivenUp { .. } => None,
        RoleState::Leader { .. } => Some(("leader".to_owned(), Role::Notice)),
        RoleState::Follower { .. } => Some(("follower".to_owned(), Role::Text)),
    });
    if matches!(ctx.settings.presence, Presence::Visit(_)) && group.connection().is_logged_in() {
        facts.push(("visiting".to_owned(), Role::Text));
    }
    if ctx.settings.keeping == Keeping::Declined {
        facts.push(("no journal".to_owned(), Role::Text));
    }
    if let Some(login) = group.login() {
        let slots = login.max_device_slots;
        let used = if group.devices().is_empty() { "?".to_owned() } else { group.devices().len().to_string() };
        facts.push((format!("{used}/{slots} slots"), Role::Text));
    }
    if layout.pane(Pane::Devices).is_none() && ctx.tells_who_is_on() {
        facts.push((format!("{} on", group.devices().connected()), Role::Text));
    }
    if layout.pane(Pane::Lock).is_none() && group.login().is_some() && !is_ours {
        facts.push((lock_words(ctx), lock_role(ctx)));
    }
    facts.extend(lost(ctx));
    if let Some(ahead) = group.login().and_then(|login| login.clock_offset) {
        facts.push((format!("clock {}", format::offset(ahead)), Role::Text));
    }
    facts.push((ctx.settings.dialect.to_string(), Role::Muted));
    facts
}

fn lock_words(ctx: &FrameContext<'_>) -> String {
    match ctx.group.lock().state() {
        LockState::Free => match ctx.group.lock().ended().next() {
            Some(ended) => format!("lock free at {}", ctx.clock.minute(ended.at)),
            None => "no lock seen".to_owned(),
        },
        LockState::Requested { .. } | LockState::Held { wanted: Some(_), .. } => "waiting for the lock".to_owned(),
        LockState::Held { .. } => "lock held".to_owned(),
        LockState::Ours { expires_at: Some(at), .. } => format!("lock {}", ctx.clock.until(*at)),
        LockState::Ours { .. } => "lock ours".to_owned(),
    }
}

/// The last ten seconds of a lock of ours stand out.
pub fn lock_role(ctx: &FrameContext<'_>) -> Role {
    match ctx.group.lock().state() {
        LockState::Ours { expires_at: Some(at), .. } if at.since(ctx.clock.now()) <= LAST => Role::Alarm,
        LockState::Ours { .. } => Role::Notice,
        _ => Role::Text,
    }
}

const LAST: Duration = Duration::from_secs(10);

/// What is no longer shown, or never was.
pub fn lost(ctx: &FrameContext<'_>) -> Option<HeaderItem> {
    // What the journal has is not lost.
    let is_gone = ctx.group.feed().fell_out() > 0 && *ctx.group.journal() != JournalState::Keeps;
    let gone = is_gone.then(|| "older rows gone".to_owned());
    let ignored = ctx.group.notices().ignored();
    let ignored = (ignored > 0).then(|| format!("{} ignored", format::count(ignored)));
    let words: Vec<String> = gone.into_iter().chain(ignored).collect();
    (!words.is_empty()).then(|| (words.join(", "), Role::Notice))
}
