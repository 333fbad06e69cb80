//! A device in words.

use crate::group::{DeviceChange, ListedDevice};
use crate::protocol::{Activity, DeviceId, ExpirationPolicy};
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
            ("(no label)".to_owned(), Role::Quiet, info.app(), info.platform_details.to_string())
        }
        Ok(info) => (info.label.to_string(), Role::Plain, info.app(), info.platform_details.to_string()),
        Err(error) => (id.to_string(), Role::Attention, "! unreadable".to_owned(), error.to_string()),
    };
    // By a mark and a word, so that it stands out without colour.
    let (label, label_style, app) = match ctx.group.devices().change(id) {
        Some(DeviceChange::Undecryptable { .. }) => (format!("{ATTENTION} {label}"), Role::Attention, app),
        Some(change) => (format!("{ATTENTION} {label}"), Role::Attention, format!("{} · {app}", change.word())),
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

pub fn state(ctx: &FrameContext<'_>, own: bool, activity: Activity) -> (&'static str, &'static str, Role) {
    match activity {
        _ if own && ctx.group.connection().is_logged_in() => (OWN, "on", Role::Good),
        _ if own => (OWN, "off", Role::Quiet),
        Activity::ConnectedSince(_) if ctx.stale_since().is_some() => (UNKNOWN, "", Role::Quiet),
        Activity::ConnectedSince(_) => (ON, "on", Role::Good),
        Activity::LastDisconnect(_) => (OFF, "off", Role::Quiet),
        Activity::LastLogin(_) | Activity::Unknown => (UNKNOWN, "", Role::Quiet),
    }
}

pub fn seen_words(ctx: &FrameContext<'_>, own: bool, activity: Activity) -> String {
    match activity {
        _ if own => "here".to_owned(),
        Activity::ConnectedSince(_) if ctx.stale_since().is_some() => "was on".to_owned(),
        Activity::ConnectedSince(_) => "now".to_owned(),
        Activity::LastDisconnect(at) | Activity::LastLogin(at) => {
            ctx.clock.lasting(at).unwrap_or_else(|| "<1 min".to_owned())
        }
        Activity::Unknown => "?".to_owned(),
    }
}

pub fn since_words(ctx: &FrameContext<'_>, own: bool, activity: Activity) -> String {
    let who = if own { "this device, " } else { "" };
    let when = match activity {
        Activity::ConnectedSince(at) if ctx.stale_since().is_some() => {
            let was_on = if own { "" } else { "was on, " };
            format!("{was_on}last login {}", ctx.clock.minute(at))
        }
        Activity::ConnectedSince(at) => format!("connected since {}", ctx.clock.minute(at)),
        Activity::LastDisconnect(at) => format!("last seen {}", ctx.clock.minute(at)),
        Activity::LastLogin(at) => format!("last login {}", ctx.clock.minute(at)),
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
