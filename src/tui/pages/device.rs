//! The page about a device.

use crate::protocol::{DeviceActivity, DeviceId, ExpirationPolicy};
use crate::tui::context::FrameContext;
use crate::tui::pages::fact::Fact;
use crate::tui::view::devices;

/// Whether a device is on and when it was last seen. A list that is no longer kept up to date says its own time.
fn state_facts(ctx: &FrameContext<'_>, id: DeviceId, activity: DeviceActivity) -> Vec<Fact> {
    let exact = |at| ctx.clock.zone().exact(at);
    let by_our_clock = |at| exact(ctx.group.by_our_clock(at));
    let ended = ctx.stale_since();
    let as_of = ctx.group.devices().as_of().map(|as_of| ctx.clock.minute(as_of)).unwrap_or_default();
    match (activity, ended) {
        (DeviceActivity::ConnectedSince(at), None) => vec![
            Fact::new("state", "on"),
            Fact::new("last login", by_our_clock(at)),
            Fact::new("last seen", "now, it is connected"),
        ],
        (DeviceActivity::ConnectedSince(at), Some(since)) if ctx.is_own(id) => vec![
            Fact::new("state", "off: not connected"),
            Fact::new("last login", by_our_clock(at)),
            Fact::new("last seen", exact(since)),
        ],
        (DeviceActivity::ConnectedSince(at), Some(_)) => {
            vec![Fact::new("state", format!("was on, as of {as_of}")), Fact::new("last login", by_our_clock(at))]
        }
        (DeviceActivity::LastDisconnect(at), ended) => {
            let state = if ended.is_some() { format!("was off, as of {as_of}") } else { "off".to_owned() };
            vec![Fact::new("state", state), Fact::new("last seen", by_our_clock(at))]
        }
        (DeviceActivity::LastLogin(at), _) => {
            vec![Fact::new("last login", by_our_clock(at)), Fact::new("state", "this dialect (mk) does not tell")]
        }
        (DeviceActivity::Unknown, _) => vec![Fact::new("state", "not told by the mediator")],
    }
}

pub fn facts(ctx: &FrameContext<'_>, id: DeviceId) -> Vec<Fact> {
    let exact = |at| ctx.clock.zone().exact(at);
    let Some(device) = ctx.group.devices().get(id) else {
        return vec![Fact::new("id", id), Fact::new("", "no longer in the list")];
    };
    let mut facts = vec![Fact::new("id", id)];
    if ctx.is_own(id) {
        facts.push(Fact::new("", "this d2mtop"));
    }
    facts.extend(ctx.group.devices().change(id).map(|change| Fact::new("! note", change.sentence())));
    match &device.info {
        Ok(info) => facts.extend([
            Fact::new("label", &info.label),
            Fact::new("platform", info.platform),
            Fact::new("details", &info.platform_details),
            Fact::new("app version", &info.app_version),
        ]),
        Err(error) => facts.push(Fact::new("device info", format!("cannot be read: {error}"))),
    }
    facts.extend(state_facts(ctx, id, device.activity));
    let slot = match device.expiration_policy {
        Some(ExpirationPolicy::Persistent) => "kept as long as possible",
        Some(ExpirationPolicy::Volatile) => "goes some minutes after the device disconnected",
        None => "a policy that d2mtop does not know",
    };
    facts.push(Fact::new("slot", format!("{} ({slot})", devices::keep_word(device.expiration_policy))));
    if let Some(as_of) = ctx.group.devices().as_of() {
        facts.push(Fact::new("list as of", exact(as_of)));
    }
    facts
}
