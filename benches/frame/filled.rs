//! A dashboard over a feed of so many rows.

use std::sync::Arc;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use d2mtop::group::{Event, Group, ReflectedMessage};
use d2mtop::output::times::Zone;
use d2mtop::protocol::d2d::{Composer, Conversation, MessageDraft};
use d2mtop::protocol::{
    DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, ReflectedHeader, ReflectedId, Sealed,
};
use d2mtop::session::Presence;
use d2mtop::text::Clean;
use d2mtop::tui::{Canvas, Colour, Glyphs, Keeping, Settings};

const DIALECT: Dialect = Dialect::Dgk;
pub(crate) const NOW: Millis = Millis(1_795_788_131_204);
pub(crate) const SIZE: (u16, u16) = (120, 40);

pub(crate) fn settings() -> Settings {
    Settings {
        title: Clean::literal("bench"),
        dialect: DIALECT,
        keys: None,
        is_recording: false,
        read_only: false,
        identity: None,
        stay_leader: false,
        presence: Presence::Stay,
        accepts_any_certificate: false,
        keeping: Keeping::Never,
        glyphs: Glyphs::Unicode,
        colour: Colour::Sixteen,
        palette: &d2mtop::tui::TERMINAL,
        seen_devices: None,
        preferences: Arc::default(),
        left: None,
        neighbours: Arc::default(),
        zone: Zone::Utc,
        is_gnu_screen: false,
        metrics: None,
    }
}

/// Texts and read receipts in forty conversations, of three devices.
pub(crate) fn group(rows: u32) -> Group {
    let keys = GroupKeys::derive(DIALECT, &GroupSecret::new(&mut [1; 32]));
    let composers = [1, 2, 3].map(|device| Composer::new(DIALECT, DeviceId(device)));
    let mut group = Group::with_feed_rows(1_000_000);
    let message = |number: u32| {
        let composer = &composers[number as usize % 3];
        let with = Conversation::Contact(Clean::new(&format!("ECHO{:04}", number % 40)));
        let at = Millis(NOW.0 - u64::from(rows - number));
        let envelope = if number.is_multiple_of(4) {
            composer.read(&[(with, MessageId(1))], at).unwrap()
        } else {
            let draft = MessageDraft::text(MessageId(u64::from(number)), at, "hello");
            composer.outgoing(&with, draft, &[Nonce([0; 24])]).unwrap()
        };
        let sealed = Sealed::seal(&envelope, &keys, Nonce([1; 24]));
        ReflectedMessage {
            id: ReflectedId(number),
            stored_at: at,
            received_at: at,
            size: u32::try_from(sealed.len()).unwrap(),
            header: ReflectedHeader::default(),
            ephemeral: false,
            redelivered: false,
            repeated_nonce: false,
            nonce: sealed.nonce(),
            content: Ok(envelope.summary()),
            unknown_fields: Vec::new(),
            envelope: sealed,
        }
    };
    for first in (0..rows).step_by(1_000) {
        let batch = (first..rows.min(first + 1_000)).map(message).collect();
        group.apply(NOW, &Event::Reflected(batch));
    }
    group
}

pub(crate) fn press(canvas: &mut Canvas, group: &Group, keys: &str) {
    for key in keys.chars() {
        let code = if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
        canvas.handle(&TerminalEvent::Key(KeyEvent::new(code, KeyModifiers::NONE)), group, NOW);
    }
}

pub(crate) fn work(canvas: &mut Canvas, group: &Group) {
    while canvas.work(group).more {}
}
