//! Facts that are always true, shown as far as there is room.

use crate::group::{JournalState, LockState, RoleState};
use crate::output::figures;
use crate::session::Presence;
use crate::tui::context::FrameContext;
use crate::tui::input::pane::Pane;
use crate::tui::lock_words;
use crate::tui::settings::Keeping;
use crate::tui::theme::Role;
use crate::tui::view::layout::Layout;

/// A fact, and its style.
pub type HeaderItem = (String, Role);

/// A fact in ever fewer words, and its style.
pub type HeaderFact = (Vec<String>, Role);

pub fn facts(ctx: &FrameContext<'_>, layout: &Layout) -> Vec<HeaderFact> {
    let lock = lock(ctx, layout);
    let fixed = |(words, style): HeaderItem| (vec![words], style);
    let before = before_lock(ctx, layout).into_iter().map(fixed);
    before.chain(lock).chain(after_lock(ctx).into_iter().map(fixed)).collect()
}

/// Ours stands beside the state.
fn lock(ctx: &FrameContext<'_>, layout: &Layout) -> Option<HeaderFact> {
    let is_ours = matches!(ctx.group.lock().state(), LockState::Ours { .. });
    let is_shown = layout.pane(Pane::Lock).is_none() && ctx.group.login().is_some() && !is_ours;
    is_shown.then(|| (lock_words::forms(ctx), Role::Text))
}

fn before_lock(ctx: &FrameContext<'_>, layout: &Layout) -> Vec<HeaderItem> {
    let group = ctx.group;
    let mut facts = Vec::new();
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
    facts
}

fn after_lock(ctx: &FrameContext<'_>) -> Vec<HeaderItem> {
    let mut facts = Vec::from_iter(lost(ctx));
    if let Some(ahead) = ctx.group.login().and_then(|login| login.clock_offset) {
        let by = if ctx.group.clock_was_moved() { " by the last login" } else { "" };
        facts.push((format!("clock {}{by}", figures::offset(ahead)), Role::Text));
    }
    facts.push((ctx.settings.dialect.to_string(), Role::Muted));
    facts
}

/// What is no longer shown, or never was.
pub fn lost(ctx: &FrameContext<'_>) -> Option<HeaderItem> {
    // What the journal has is not lost.
    let is_gone = ctx.group.feed().fell_out() > 0 && *ctx.group.journal() != JournalState::Keeps;
    let gone = is_gone.then(|| "older rows gone".to_owned());
    let ignored = ctx.group.notices().ignored();
    let ignored = (ignored > 0).then(|| format!("{} ignored", figures::count(ignored)));
    let words: Vec<String> = gone.into_iter().chain(ignored).collect();
    (!words.is_empty()).then(|| (words.join(", "), Role::Notice))
}
