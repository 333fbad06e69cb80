//! Sentences of what a session tells.

use std::collections::BTreeMap;

use super::connection::{disconnected, logged_in, shared_data};
use super::{LOOK_HERE, Readable, count, time};
use crate::group::{DeviceChange, Event, JournalState, ListedDevice, LockEvent, LockScope, Probe};
use crate::output::advice::refusal_words;
use crate::output::columns::span;
use crate::protocol::{DeviceActivity, DeviceId};
use crate::text::Clean;

impl Readable {
    pub(super) fn sentence(&self, event: &Event) -> String {
        match event {
            Event::Connecting { attempt: 0 | 1 } => "connecting".to_owned(),
            Event::Connecting { attempt } => format!("connecting, try {attempt}"),
            Event::Handshaking => "logging in".to_owned(),
            Event::LoggedIn(login) => logged_in(login),
            Event::SharedDeviceData(data) => shared_data(data.as_ref().ok()),
            Event::Reflected(messages) => format!("{} messages", messages.len()),
            Event::Acknowledged { ids, waited } => {
                format!("acknowledged {} after {}", count(ids.len(), "message"), span(*waited))
            }
            Event::QueueDry => "all that waited is here".to_owned(),
            Event::Promoted if self.chat_client => {
                "this device is leader, and its chat client gets what comes".to_owned()
            }
            Event::Promoted => format!("{LOOK_HERE}this device is leader: the group gets no incoming messages"),
            Event::RoleGivenUp { back_at, .. } => {
                format!("gives the leader role up, and is back at {}", time(*back_at))
            }
            Event::Following => "another device leads".to_owned(),
            Event::Devices(devices) => self.devices(devices),
            Event::DeviceChanged { device, change } => self.device_changed(*device, change),
            Event::DevicesAcknowledged => "new and changed devices were noted".to_owned(),
            Event::Lock(event) => self.lock(event),
            Event::DeviceDropped(device) => format!("dropped: {}", self.device(*device)),
            Event::ReflectionStored { round_trip } => format!("stored what was reflected, after {}", span(*round_trip)),
            Event::RoundTrip { probe: Probe::Ping, elapsed } => format!("a ping was answered after {}", span(*elapsed)),
            Event::RoundTrip { probe: Probe::DevicesInfo, elapsed } => {
                format!("the device list came after {}", span(*elapsed))
            }
            Event::Refused(why) => refusal_words(*why),
            Event::Ignored(what) => format!("{LOOK_HERE}ignored from the server: {what}"),
            Event::Journal(JournalState::Off) => "no journal is kept".to_owned(),
            Event::Journal(JournalState::Keeps) => "the journal keeps what is received".to_owned(),
            Event::Journal(JournalState::Failed(why)) => {
                format!("{LOOK_HERE}{why}; nothing is acknowledged until the journal can be written")
            }
            Event::JournalSetAside(name) => {
                format!("{LOOK_HERE}the journal was damaged and is kept as {name}; a new one was begun")
            }
            Event::Disconnected { cause, next } => disconnected(cause, *next),
        }
    }

    fn devices(&self, devices: &BTreeMap<DeviceId, ListedDevice>) -> String {
        let state = |activity| match activity {
            DeviceActivity::ConnectedSince(_) => " (on)",
            DeviceActivity::LastDisconnect(_) => " (off)",
            // The first dialect does not tell who is there.
            DeviceActivity::LastLogin(_) | DeviceActivity::Unknown => "",
        };
        let device =
            |(id, device): (&DeviceId, &ListedDevice)| format!("{}{}", self.device(*id), state(device.activity));
        let names: Vec<String> = devices.iter().map(device).collect();
        format!("{}: {}", count(names.len(), "device"), names.join(", "))
    }

    fn device_changed(&self, device: DeviceId, change: &DeviceChange) -> String {
        let name = change.label().map_or_else(|| self.device(device), Clean::to_string);
        format!("{LOOK_HERE}{name}: {}", change.sentence())
    }

    fn lock(&self, event: &LockEvent) -> String {
        match event {
            LockEvent::Requested(scope) => format!("asks for the lock{}", to(*scope)),
            LockEvent::HeldBy { holder, scope } => {
                format!("the lock is held by {}{}; waiting", self.device(*holder), to(*scope))
            }
            LockEvent::Acquired { scope, expires_at } => {
                let until = expires_at.map(|at| format!(", until {}", time(at))).unwrap_or_default();
                format!("holds the lock{}{until}", to(*scope))
            }
            LockEvent::Released(scope) => format!("released the lock{}", to(*scope)),
            LockEvent::Abandoned => "no longer waits for the lock".to_owned(),
            LockEvent::Lost(scope) => format!("{LOOK_HERE}the lock{} is lost with the connection", to(*scope)),
            LockEvent::Ended { holder, scope } => {
                format!("{} released the lock{}", self.device(*holder), to(*scope))
            }
        }
    }
}

fn to(scope: LockScope) -> String {
    scope.map_or_else(String::new, |scope| format!(" for {scope}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use serde_json::Value;

    use super::*;
    use crate::group::{DisconnectCause, Login, NextStep, ReflectedMessage};
    use crate::output::ndjson;
    use crate::protocol::d2d::{ContentKind, Conversation, EnvelopeSummary, MessageType, Platform};
    use crate::protocol::{CloseCode, Dialect, OpenError, ReflectedHeader, ReflectedId, Sealed, TransactionScope};
    use crate::protocol::{DeviceInfo, Millis, SlotState};

    const PHONE: DeviceId = DeviceId(7);
    const OWN: DeviceId = DeviceId(1);

    fn message(content: Result<EnvelopeSummary, OpenError>) -> ReflectedMessage {
        ReflectedMessage {
            id: ReflectedId(1),
            stored_at: Millis(1),
            received_at: Millis(2),
            size: 212,
            header: ReflectedHeader::default(),
            ephemeral: false,
            redelivered: false,
            repeated_nonce: false,
            nonce: None,
            content,
            envelope: Sealed::from_wire(Bytes::new()),
        }
    }

    fn text(author: DeviceId) -> EnvelopeSummary {
        EnvelopeSummary {
            author: Some(author),
            conversation: Some(Conversation::Contact(Clean::literal("ECHOECHO"))),
            message_type: Some(MessageType(1)),
            ..EnvelopeSummary::blank(ContentKind::IncomingMessage)
        }
    }

    fn login() -> Event {
        Event::LoggedIn(Login {
            own: OWN,
            dialect: Dialect::Dgk,
            max_device_slots: 5,
            slot_state: SlotState::New,
            clock_offset: Some(-25 * 60_000),
            reflection_queue_length: Some(1),
            shared_version: None,
        })
    }

    fn devices() -> Event {
        let device = |label: &str, activity| ListedDevice {
            info: Ok(DeviceInfo { platform: Platform::Android, label: Clean::new(label), ..DeviceInfo::default() }),
            activity,
            expiration_policy: None,
        };
        let phone = (PHONE, device("Pixel 9\u{1b}[2J", DeviceActivity::LastDisconnect(Millis(1))));
        Event::Devices([(OWN, device("d2mtop@vm", DeviceActivity::ConnectedSince(Millis(1)))), phone].into())
    }

    #[test]
    fn what_happens_reads_like_a_sentence() {
        let scope = Some(TransactionScope::ContactSync);
        let closed = DisconnectCause::closed(CloseCode(4113));
        let cases: [(Event, &str); 12] = [
            (Event::Connecting { attempt: 3 }, "connecting, try 3"),
            (
                login(),
                "logged in as 0100000000000000 in a new slot; 1 message waiting; ! this clock is 25 min ahead of the server's",
            ),
            (devices(), "2 devices: this device (on), Pixel 9^[[2J (off)"),
            (Event::Reflected(vec![message(Ok(text(PHONE)))]), "Pixel 9^[[2J      in      212 B  text from ECHOECHO"),
            (
                Event::Reflected(vec![ReflectedMessage { redelivered: true, ..message(Ok(text(DeviceId(9)))) }]),
                "0900000000000000  in      212 B  text from ECHOECHO  [again]",
            ),
            (
                Event::Acknowledged { ids: vec![ReflectedId(1)], waited: Duration::from_micros(400) },
                "acknowledged 1 message after 400 us",
            ),
            (
                Event::Lock(LockEvent::HeldBy { holder: PHONE, scope }),
                "the lock is held by Pixel 9^[[2J for CONTACT_SYNC; waiting",
            ),
            (Event::Lock(LockEvent::Lost(None)), "! the lock is lost with the connection"),
            (
                Event::DeviceChanged { device: PHONE, change: DeviceChange::Gone { before: None } },
                "! Pixel 9^[[2J: no longer in the group",
            ),
            (Event::Promoted, "! this device is leader: the group gets no incoming messages"),
            (
                Event::Journal(JournalState::Failed(Clean::literal("the disk is full"))),
                "! the disk is full; nothing is acknowledged until the journal can be written",
            ),
            (
                Event::Disconnected { cause: closed, next: NextStep::WaitForUser },
                "disconnected: dropped by another device (4113); connect again as a new device (--expect new)",
            ),
        ];
        let mut readable = Readable::default();
        for (event, expected) in cases {
            readable.learn(&event);
            let lines = readable.lines(Millis(1_000), &event);
            let [line] = lines.as_slice() else { panic!("{event:?}: {lines:?}") };
            let (time, sentence) = line.split_at(10);
            assert!(time.ends_with("  ") && time.matches(':').count() == 2, "{line}");
            assert_eq!(sentence, expected);
        }
    }

    #[test]
    fn a_leader_with_a_chat_client_is_nothing_to_look_at() {
        let mut readable = Readable::default();
        let mut promoted = |client: &str| {
            readable.learn_line(&ndjson::line(Millis(1), client, Value::Null));
            readable.sentence(&Event::Promoted)
        };
        let served = "this device is leader, and its chat client gets what comes";
        assert_eq!(["client_connected", "client_served", "client_refused"].map(&mut promoted), [served; 3]);
        assert_eq!(promoted("client_disconnected"), "! this device is leader: the group gets no incoming messages");
    }

    #[test]
    fn a_time_beyond_any_calendar_is_no_time() {
        assert_eq!(time(Millis(u64::MAX)), "??:??:??");
    }
}
