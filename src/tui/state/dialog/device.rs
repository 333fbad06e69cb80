//! Dropping a device.

use crate::protocol::{DeviceActivity, DeviceForm, DeviceId, DeviceInfo};
use crate::tui::context::FrameContext;
use crate::tui::state::dialog::{Dialog, DialogAnswer, DialogCommand, DialogSource};

impl Dialog {
    /// Drop this device?
    pub fn drop(ctx: &FrameContext<'_>, device: DeviceId) -> Self {
        let own = ctx.is_own(device);
        let (title, consequence, answer, agreed) = if own {
            let consequence = "d2mtop gives its slot and its queued messages up, and this session ends; to come back it \
                               joins as a new device. The group is locked while this runs.";
            ("Leave the group", consequence, "Leave", DialogCommand::Leave)
        } else {
            let consequence = "It loses its slot and its queued messages, and must be linked again. The group is locked \
                               while this runs.";
            ("Drop device", consequence, "Drop", DialogCommand::Drop(device))
        };
        Self {
            title,
            object: device_words(ctx, device),
            consequence,
            warnings: drop_warnings(ctx, device).into_iter().map(str::to_owned).collect(),
            answers: vec![DialogAnswer::nothing("Cancel"), DialogAnswer::to(answer, agreed)],
            chosen: 0,
            renewed: Some(DialogSource::Drop(device)),
        }
    }
}

/// `iPad · iOS 7.2.2 · last seen 3 d ago · 8f3a19c2d0e1b477`
fn device_words(ctx: &FrameContext<'_>, id: DeviceId) -> String {
    let Some(device) = ctx.group.devices().get(id) else { return format!("{id} · no longer in the list") };
    let mut words = Vec::new();
    match &device.info {
        Ok(info) => {
            words.extend((!info.label.is_empty()).then(|| info.label.to_string()));
            words.push(info.app());
        }
        Err(_) => words.push("a device whose description cannot be read".to_owned()),
    }
    words.push(match device.activity {
        DeviceActivity::ConnectedSince(_) => "connected".to_owned(),
        DeviceActivity::LastDisconnect(at) => format!("last seen {}", ctx.clock.minute(at)),
        DeviceActivity::LastLogin(at) => format!("last login {}", ctx.clock.minute(at)),
        DeviceActivity::Unknown => "last seen: not told".to_owned(),
    });
    words.push(id.to_string());
    words.join(" · ")
}

fn drop_warnings(ctx: &FrameContext<'_>, device: DeviceId) -> Vec<&'static str> {
    let own = ctx.is_own(device);
    let devices = ctx.group.devices();
    let others_left = devices.iter().filter(|(id, _)| *id != device && !ctx.is_own(*id)).count();
    let form = devices.get(device).and_then(|listed| listed.info.as_ref().ok()).map(DeviceInfo::form);
    let mut warnings = Vec::new();
    if own {
        warnings.push("This is this d2mtop.");
    }
    if others_left == 0 && !own {
        warnings.push("It is the last other device: a phone that is alone ends multi-device.");
    } else if others_left == 1 && own {
        warnings.push("Only one other device stays. If that is a phone, it is alone then, and ends multi-device.");
    }
    let mobile = match form.filter(|_| !own) {
        Some(DeviceForm::Phone) => Some("It is a phone: it cannot send or receive until its owner sets it up again."),
        Some(DeviceForm::Tablet) => Some("It is a tablet: it cannot send or receive until its owner sets it up again."),
        Some(DeviceForm::Mobile) => {
            Some("It may be a phone: it cannot send or receive until its owner sets it up again.")
        }
        Some(DeviceForm::Computer | DeviceForm::Unknown) | None => None,
    };
    warnings.extend(mobile);
    warnings
}
