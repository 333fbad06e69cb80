//! What is said of the group's lock. "Free" never stands alone: a mediator tells of another's lock only when it ends, or
//! refuses one.

use std::time::Duration;

use crate::group::{EndedLock, LockScope, LockState};
use crate::protocol::DeviceId;
use crate::tui::context::{FrameContext, scope_words};
use crate::tui::theme::Role;

/// When a lock of ours stands out, since it ends.
const LAST: Duration = Duration::from_secs(10);

/// The last that was told of a lock that nobody is known to hold now.
pub enum LastLock<'a> {
    Unseen,
    /// Held before this connection; its end was not told.
    Held(DeviceId, LockScope),
    Ended(&'a EndedLock),
}

pub fn last_told<'a>(ctx: &FrameContext<'a>) -> LastLock<'a> {
    let lock = ctx.group.lock();
    match lock.out_of_sight() {
        Some((holder, scope)) => LastLock::Held(holder, scope),
        None => lock.ended().next().map_or(LastLock::Unseen, LastLock::Ended),
    }
}

pub fn short(ctx: &FrameContext<'_>) -> String {
    forms(ctx).swap_remove(0)
}

/// In ever fewer words, all of which are true; at least one.
pub fn forms(ctx: &FrameContext<'_>) -> Vec<String> {
    let lock = ctx.group.lock();
    let held = |holder| vec![format!("lock {}", held_by(ctx, holder)), format!("lock held {}", told_ago(ctx))];
    match lock.state() {
        _ if ctx.group.login().is_none() => vec!["lock unknown".to_owned()],
        LockState::Free => match last_told(ctx) {
            LastLock::Unseen => vec!["no lock seen".to_owned()],
            LastLock::Held(holder, _) => held(holder),
            LastLock::Ended(ended) => {
                let at = ended_at(ctx, ended);
                let age = ctx.clock.lasting(ended.at).map_or_else(String::new, |age| format!(", {age} ago"));
                let day = ctx.clock.minute(ended.at);
                vec![format!("lock {at}{age}"), format!("lock {} at {day}", ended_as(ended))]
            }
        },
        LockState::Requested { .. } | LockState::Held { wanted: Some(_), .. } => {
            vec!["waiting for the lock".to_owned()]
        }
        LockState::Held { holder, .. } => held(*holder),
        LockState::Ours { expires_at: Some(at), .. } => vec![format!("lock {}", ctx.clock.until(*at))],
        LockState::Ours { .. } => vec!["lock ours".to_owned()],
    }
}

/// A lock of ours, for the places that show it wherever the user looks.
pub fn ours(ctx: &FrameContext<'_>) -> Option<(String, Role)> {
    matches!(ctx.group.lock().state(), LockState::Ours { .. }).then(|| (short(ctx), role(ctx)))
}

/// Our own lock stands out, and more so in its last ten seconds.
pub fn role(ctx: &FrameContext<'_>) -> Role {
    match ctx.group.lock().state() {
        LockState::Ours { expires_at: Some(at), .. } if at.since(ctx.clock.now()) <= LAST => Role::Alarm,
        LockState::Ours { .. } => Role::Notice,
        _ => Role::Text,
    }
}

/// `free at 14:02:11 (GROUP_SYNC by Work laptop ended)`; of a lock of ours that was lost, only that.
pub fn ended(ctx: &FrameContext<'_>, ended: &EndedLock) -> String {
    let by = if ended.lost { "" } else { " ended" };
    format!("{} ({} by {}{by})", ended_at(ctx, ended), scope_words(ended.scope), holder(ctx, ended))
}

/// Whose lock ended.
pub fn holder(ctx: &FrameContext<'_>, ended: &EndedLock) -> String {
    ended.holder.map_or_else(|| "this device".to_owned(), |holder| ctx.label(holder).to_string())
}

/// `held by Work laptop, told 12 s ago`
pub fn held_by(ctx: &FrameContext<'_>, holder: DeviceId) -> String {
    format!("held by {}, {}", ctx.label(holder), told(ctx))
}

/// `told 12 s ago`
pub fn told(ctx: &FrameContext<'_>) -> String {
    format!("told {}", told_ago(ctx))
}

fn told_ago(ctx: &FrameContext<'_>) -> String {
    ctx.group.lock().told_at().map_or_else(String::new, |at| ctx.clock.ago(at))
}

fn ended_at(ctx: &FrameContext<'_>, ended: &EndedLock) -> String {
    format!("{} at {}", ended_as(ended), ctx.clock.zone().second(ended.at))
}

/// The mediator may not have seen yet that a connection with a lock is lost.
const fn ended_as(ended: &EndedLock) -> &'static str {
    if ended.lost { "lost" } else { "free" }
}
