//! Connecting again, and measuring.

use crate::protocol::{CloseCode, SlotState};
use crate::tui::close_help::last_list;
use crate::tui::context::FrameContext;
use crate::tui::state::dialog::{Dialog, DialogAnswer, DialogCommand};

impl Dialog {
    /// Connect although the server no longer knows this device, or knows it already?
    pub fn reconnect(code: CloseCode, expected: SlotState, ctx: &FrameContext<'_>) -> Self {
        let new = DialogAnswer::to("Connect as new", DialogCommand::ConnectAs(SlotState::New));
        let known = DialogAnswer::to("Connect as known", DialogCommand::ConnectAs(SlotState::Existing));
        // Where we expected our slot, it is gone; else it is there, or the id is another device's.
        let undecided = code == CloseCode::SLOT_STATE_MISMATCH && expected == SlotState::New;
        let mut answers = vec![DialogAnswer::nothing("Cancel"), new];
        if undecided {
            answers.push(known);
        }
        Self {
            title: "Connect again",
            object: format!("The mediator said: {} ({code}); {}.", code.meaning(), last_list(ctx)),
            consequence: "As a new device it takes a slot; the messages that waited for it before are gone. The other \
                          devices see it appear.",
            warnings: Vec::new(),
            answers,
            chosen: 0,
            renewed: None,
        }
    }

    /// Measure with a reflection, although devices that are off will get it, too?
    pub fn probe(ctx: &FrameContext<'_>) -> Self {
        let devices = ctx.group.devices();
        let off = devices.len().saturating_sub(devices.connected());
        let off = match (ctx.tells_who_is_on(), off) {
            (false, _) => "the devices that are off".to_owned(),
            (true, 0) => "devices that are off (none now)".to_owned(),
            (true, 1) => "1 device that is off".to_owned(),
            (true, off) => format!("{off} devices that are off"),
        };
        Self {
            title: "Probe",
            object: "Reflect a message that changes nothing, and measure until it is stored".to_owned(),
            consequence: "Every other device gets it, and acknowledges it.",
            warnings: vec![format!("The mediator keeps it for {off} until they come back.")],
            answers: vec![DialogAnswer::nothing("Cancel"), DialogAnswer::to("Probe", DialogCommand::Probe)],
            chosen: 0,
            renewed: None,
        }
    }
}
