//! A group as it might be on an afternoon, made of events only.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::*;
use crate::output::times::Zone;
use crate::protocol::Sealed;
use crate::protocol::d2d::{
    Composer, ContentKind, Conversation, Detail, EnvelopeSummary, MessageDraft, MessageType, Platform, SyncAction,
};
use crate::protocol::*;
use crate::runtime::Reaction;
use crate::session::Presence;
use crate::text::Clean;
use crate::tui::state::Ui;
use crate::tui::{Colour, Glyphs, Keeping, Settings, TERMINAL};

/// 2026-11-27 14:02:11.204 UTC.
pub(super) const START: Millis = Millis(1_795_788_131_204);
pub(super) const PHONE: DeviceId = DeviceId(0x77b4_e1d0_c219_3a8f);
pub(super) const LAPTOP: DeviceId = DeviceId(0x1122_3344_5566_7788);
pub(super) const TABLET: DeviceId = DeviceId(0x0102_0304_0506_0708);
pub(super) const OWN: DeviceId = DeviceId(0xd2d2_d2d2_d2d2_d2d2);

pub(super) fn settings() -> Settings {
    Settings {
        title: Clean::literal("home"),
        dialect: Dialect::Dgk,
        keys: Some(keys(Dialect::Dgk)),
        is_recording: false,
        read_only: false,
        identity: None,
        stay_leader: false,
        presence: Presence::Stay,
        accepts_any_certificate: false,
        keeping: Keeping::Journal,
        glyphs: Glyphs::Unicode,
        colour: Colour::Sixteen,
        palette: &TERMINAL,
        seen_devices: None,
        preferences: Arc::default(),
        left: None,
        neighbours: Arc::default(),
        zone: Zone::Utc,
        is_gnu_screen: false,
        metrics: None,
    }
}

pub(super) fn keys(dialect: Dialect) -> Arc<GroupKeys> {
    Arc::new(GroupKeys::derive(dialect, &GroupSecret::new(&mut [7; 32])))
}

pub(super) fn minutes_before(minutes: u64) -> Millis {
    Millis(START.0 - minutes * 60_000)
}

pub(super) fn later(millis: u64) -> Millis {
    Millis(START.0 + millis)
}

pub(super) fn device(
    label: &str,
    platform: Platform,
    version: &str,
    details: &str,
    activity: DeviceActivity,
) -> ListedDevice {
    ListedDevice {
        info: Ok(DeviceInfo {
            platform,
            platform_details: Clean::new(details),
            app_version: Clean::new(version),
            label: Clean::new(label),
        }),
        activity,
        expiration_policy: Some(ExpirationPolicy::Persistent),
    }
}

pub(super) fn devices() -> BTreeMap<DeviceId, ListedDevice> {
    let on = |minutes| DeviceActivity::ConnectedSince(minutes_before(minutes));
    let own = ListedDevice {
        expiration_policy: Some(ExpirationPolicy::Volatile),
        ..device("d2mtop@srv", Platform::Desktop, "0.1.0", "d2mtop on Linux", on(13))
    };
    BTreeMap::from([
        (PHONE, device("Pixel 9", Platform::Android, "6.4.2", "Google Pixel 9", on(5))),
        (LAPTOP, device("Work laptop", Platform::Desktop, "2.0-beta46", "Electron 33 on Linux", on(64))),
        (
            TABLET,
            device("iPad", Platform::Ios, "7.2.2", "iPad Air", DeviceActivity::LastDisconnect(minutes_before(4_500))),
        ),
        (OWN, own),
    ])
}

pub(super) fn summary(author: Option<DeviceId>, kind: ContentKind) -> EnvelopeSummary {
    EnvelopeSummary { author, protocol_version: 3, body_length: 24, ..EnvelopeSummary::blank(kind) }
}

pub(super) fn contact(identity: &'static str) -> Conversation {
    Conversation::Contact(Clean::literal(identity))
}

pub(super) fn message(
    id: u32,
    stored: u64,
    size: u32,
    content: Result<EnvelopeSummary, OpenError>,
) -> ReflectedMessage {
    ReflectedMessage {
        id: ReflectedId(id),
        stored_at: later(stored),
        // The server's clock is 200 ms ahead of ours.
        received_at: later(stored - 200 + 25 + u64::from(id) % 7),
        size,
        content,
        ..ReflectedMessage::example()
    }
}

pub(super) fn text(id: u32, stored: u64) -> ReflectedMessage {
    let summary = EnvelopeSummary {
        conversation: Some(contact("ECHOECHO")),
        message_type: Some(MessageType(0x01)),
        message_id: Some(MessageId(0x0102_0304_0506_0708)),
        created_at: Some(later(stored - 900)),
        ..summary(Some(PHONE), ContentKind::IncomingMessage)
    };
    message(id, stored, 212, Ok(summary))
}

/// A text as it travels, and can be opened.
pub(super) fn sealed(dialect: Dialect, id: u32, stored: u64, words: &str) -> ReflectedMessage {
    let draft = MessageDraft::text(MessageId(u64::from(id)), later(stored - 900), words);
    let envelope = Composer::new(dialect, PHONE).incoming("ECHOECHO", draft, Nonce([9; 24]));
    let sealed = Sealed::seal(&envelope, &keys(dialect), Nonce([3; 24]));
    let size = u32::try_from(sealed.len()).unwrap();
    let nonce = sealed.nonce();
    ReflectedMessage { nonce, envelope: sealed, ..message(id, stored, size, Ok(envelope.summary())) }
}

/// One of each kind, and one of each mark.
pub(super) fn messages() -> Vec<ReflectedMessage> {
    let group_id = MessageId(u64::from_le_bytes([0x1f, 0x3c, 1, 2, 3, 4, 5, 0x90]));
    let group = Some(Conversation::Group { id: group_id, creator: Clean::literal("ECHOECHO") });
    let (laptop, phone) = (Some(LAPTOP), Some(PHONE));
    let typed = |number| Some(MessageType(number));
    let outgoing = summary(laptop, ContentKind::OutgoingMessage);
    let read = EnvelopeSummary {
        conversation: Some(contact("ECHOECHO")),
        count: 3,
        ..summary(phone, ContentKind::IncomingMessageUpdate)
    };
    let nickname = EnvelopeSummary {
        conversation: Some(contact("QRSTUVWX")),
        action: Some(SyncAction::Update),
        detail: Some(Detail::Words(Clean::literal("nickname"))),
        ..summary(laptop, ContentKind::ContactSync)
    };
    let settings = EnvelopeSummary {
        action: Some(SyncAction::Update),
        detail: Some(Detail::Words(Clean::literal("read receipts"))),
        ..summary(phone, ContentKind::SettingsSync)
    };
    let typing =
        EnvelopeSummary { conversation: Some(contact("ECHOECHO")), message_type: typed(0x90), ..outgoing.clone() };
    let group_text = EnvelopeSummary { conversation: group, message_type: typed(0x41), ..outgoing };
    vec![
        text(101, 1_000),
        message(102, 1_170, 240, Ok(group_text)),
        message(103, 1_810, 133, Ok(read)),
        message(104, 4_700, 310, Ok(nickname)),
        message(105, 4_820, 1_204, Err(OpenError::DoesNotDecrypt)),
        ReflectedMessage { ephemeral: true, ..message(106, 5_200, 98, Ok(typing)) },
        ReflectedMessage { redelivered: true, ..text(107, 5_900) },
        ReflectedMessage { repeated_nonce: true, ..text(101, 6_050) },
        message(109, 6_400, 187, Ok(settings)),
        text(110, 6_900),
    ]
}

pub(super) fn login() -> Event {
    Event::LoggedIn(Login {
        own: OWN,
        clock_offset: Some(200),
        reflection_queue_length: Some(5_000),
        ..Login::example()
    })
}

/// A group with that many rows in the feed before the ten interesting ones.
pub(super) fn group_with(rows: u32) -> Group {
    let mut group = Group::default().with_envelopes(1 << 20);
    let mut apply = |at, event: &Event| group.apply(at, event);
    apply(minutes_before(14), &Event::Connecting { attempt: 1 });
    apply(minutes_before(14), &Event::Handshaking);
    apply(minutes_before(13), &login());
    apply(minutes_before(13), &Event::QueueDry);
    apply(minutes_before(12), &Event::Following);
    let scope = Some(TransactionScope::ContactSync);
    apply(minutes_before(3), &Event::Lock(LockEvent::HeldBy { holder: LAPTOP, scope }));
    apply(Millis(minutes_before(3).0 + 1_240), &Event::Lock(LockEvent::Ended { holder: LAPTOP, scope }));
    apply(START, &Event::Devices(devices()));
    let ping = Event::RoundTrip { probe: Probe::Ping, elapsed: Duration::from_micros(1_430) };
    apply(START, &ping);
    for row in 0..rows {
        let old = ReflectedMessage { stored_at: minutes_before(2), received_at: minutes_before(2), ..text(row, 1_000) };
        apply(minutes_before(2), &Event::Reflected(vec![old]));
        apply(
            minutes_before(2),
            &Event::Acknowledged { ids: vec![ReflectedId(row)], waited: Duration::from_micros(430) },
        );
    }
    let messages = messages();
    for (index, message) in (0_u64..).zip(&messages) {
        let (at, id) = (message.received_at, message.id);
        apply(at, &Event::Reflected(vec![message.clone()]));
        if index < 9 && !message.ephemeral {
            apply(
                Millis(at.0 + index % 3),
                &Event::Acknowledged { ids: vec![id], waited: Duration::from_micros(400 + 700 * (index % 3)) },
            );
        }
    }
    group
}

pub(super) fn normal() -> Group {
    group_with(1_193)
}

/// When the screens are taken.
pub(super) const NOW: Millis = Millis(START.0 + 8_000);

pub(super) fn press(ui: &mut Ui, group: &Group, code: KeyCode) -> Reaction {
    ui.handle(&TerminalEvent::Key(KeyEvent::new(code, KeyModifiers::NONE)), group, NOW)
}

pub(super) fn typed(ui: &mut Ui, group: &Group, keys: &str) {
    for key in keys.chars() {
        press(ui, group, KeyCode::Char(key));
    }
}

/// Presses keys; `\t`, `\n` and `\u{1b}` are Tab, Enter and Esc. What the last of them leads to.
pub(super) fn last_reaction(ui: &mut Ui, group: &Group, keys: &str) -> Reaction {
    let mut reaction = Reaction::Nothing;
    for key in keys.chars() {
        reaction = match key {
            '\t' => press(ui, group, KeyCode::Tab),
            '\n' => press(ui, group, KeyCode::Enter),
            '\u{1b}' => press(ui, group, KeyCode::Esc),
            key => press(ui, group, KeyCode::Char(key)),
        };
    }
    reaction
}

/// Has everything done that takes longer than a frame.
pub(super) fn work(ui: &mut Ui, group: &Group) {
    while crate::tui::screen::work::work(ui, group).more {}
}

pub(super) fn draw(ui: &mut Ui, group: &Group, (width, height): (u16, u16)) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    ui.draw(&mut buffer, Rect::new(0, 0, width, height), group, NOW);
    buffer
}

/// The symbols of a frame, line by line, without the spaces at the ends.
pub(super) fn symbols(buffer: &Buffer) -> String {
    let mut lines = Vec::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut x = buffer.area.left();
        while x < buffer.area.right() {
            let symbol = buffer.cell((x, y)).map_or(" ", |cell| cell.symbol());
            line.push_str(symbol);
            x += u16::try_from(crate::output::text_width::width(symbol).max(1)).unwrap();
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

pub(super) fn started(group: &Group) -> Ui {
    let mut ui = Ui::new(settings());
    draw(&mut ui, group, (80, 24));
    ui
}

pub(super) fn with_lock(state: LockEvent) -> Group {
    let mut group = normal();
    group.apply(NOW, &Event::Lock(state));
    group
}
