//! A device in words.

use crate::group::{DeviceChange, ListedDevice};
use crate::protocol::{DeviceActivity, DeviceId, ExpirationPolicy};
use crate::tui::context::FrameContext;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::{ATTENTION, OFF, ON, OWN, UNKNOWN};

/// A device in words.
pub struct DeviceText {
    pub glyph: &'static str,
    pub state: &'static str,
    pub style: Role,
    pub label: String,
    pub label_style: Role,
    pub app: String,
    pub details: String,
    /// When it was seen, for a narrow column.
    pub seen: String,
    /// The same, with room.
    pub since: String,
    pub keep: &'static str,
}

pub fn words(ctx: &FrameContext<'_>, id: DeviceId, device: &ListedDevice) -> DeviceText {
    let own = ctx.is_own(id);
    let (glyph, state, style) = state(ctx, own, device.activity);
    let (label, label_style, app, details) = match &device.info {
        Ok(info) if info.label.is_empty() => {
            ("(no label)".to_owned(), Role::Muted, info.app(), info.platform_details.to_string())
        }
        Ok(info) => (info.label.to_string(), ctx.device_role(id), info.app(), info.platform_details.to_string()),
        Err(error) => (id.to_string(), Role::Notice, "! unreadable".to_owned(), error.to_string()),
    };
    // By a mark and a word, so that it stands out without colour.
    let (label, label_style, app) = match ctx.group.devices().change(id) {
        Some(DeviceChange::Undecryptable { .. }) => (format!("{ATTENTION} {label}"), Role::Notice, app),
        Some(change) => (format!("{ATTENTION} {label}"), Role::Notice, format!("{} · {app}", change.word())),
        None => (label, label_style, app),
    };
    DeviceText {
        glyph,
        state,
        style,
        label,
        label_style,
        app,
        details,
        seen: seen_words(ctx, own, device.activity),
        since: since_words(ctx, own, device.activity),
        keep: keep_word(device.expiration_policy),
    }
}

pub fn state(ctx: &FrameContext<'_>, own: bool, activity: DeviceActivity) -> (&'static str, &'static str, Role) {
    match activity {
        _ if own && ctx.group.connection().is_logged_in() => (OWN, "on", Role::Good),
        _ if own => (OWN, "off", Role::Muted),
        DeviceActivity::ConnectedSince(_) if ctx.stale_since().is_some() => (UNKNOWN, "", Role::Muted),
        DeviceActivity::ConnectedSince(_) => (ON, "on", Role::Good),
        DeviceActivity::LastDisconnect(_) => (OFF, "off", Role::Muted),
        // Where nothing is ever told, a sign for that on each line would say nothing.
        DeviceActivity::LastLogin(_) if !ctx.tells_who_is_on() => (" ", "", Role::Muted),
        DeviceActivity::LastLogin(_) | DeviceActivity::Unknown => (UNKNOWN, "", Role::Muted),
    }
}

pub fn seen_words(ctx: &FrameContext<'_>, own: bool, activity: DeviceActivity) -> String {
    match activity {
        _ if own => "here".to_owned(),
        DeviceActivity::ConnectedSince(_) if ctx.stale_since().is_some() => "was on".to_owned(),
        DeviceActivity::ConnectedSince(_) => "now".to_owned(),
        DeviceActivity::LastDisconnect(at) | DeviceActivity::LastLogin(at) => {
            ctx.clock.lasting(ctx.group.by_our_clock(at)).unwrap_or_else(|| "<1 min".to_owned())
        }
        DeviceActivity::Unknown => "?".to_owned(),
    }
}

pub fn since_words(ctx: &FrameContext<'_>, own: bool, activity: DeviceActivity) -> String {
    let who = if own { "this d2mtop, " } else { "" };
    let minute = |at| ctx.clock.minute(ctx.group.by_our_clock(at));
    let when = match activity {
        DeviceActivity::ConnectedSince(at) if ctx.stale_since().is_some() => {
            let was_on = if own { "" } else { "was on, " };
            format!("{was_on}last login {}", minute(at))
        }
        DeviceActivity::ConnectedSince(at) => format!("connected since {}", minute(at)),
        DeviceActivity::LastDisconnect(at) => format!("last seen {}", minute(at)),
        DeviceActivity::LastLogin(at) => format!("last login {}", minute(at)),
        DeviceActivity::Unknown => "the mediator does not tell when it was here".to_owned(),
    };
    format!("{who}{when}")
}

/// How long the server keeps the slot, in a word.
pub const fn keep_word(policy: Option<ExpirationPolicy>) -> &'static str {
    match policy {
        Some(ExpirationPolicy::Persistent) => "persistent",
        Some(ExpirationPolicy::Volatile) => "volatile",
        None => "?",
    }
}
