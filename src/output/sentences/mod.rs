//! What happens, as lines for people on a terminal: the time, and a sentence. Programs get NDJSON.

mod ours;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};

use serde_json::Value;

use super::columns;
use super::figures::span;
use super::ndjson::NamesInLines;
use super::times::Zone;
use crate::group::{
    ConversationNames, DeviceChange, DisconnectCause, Event, FeedRow, JournalState, KnownDevices, ListedDevice,
    LockEvent, LockScope, Login, NextStep, Probe, ReflectedMessage,
};
use crate::output::advice::{close_advice, refusal_words};
use crate::output::ndjson;
use crate::protocol::{DeviceActivity, DeviceId, DeviceInfo, Millis, SharedDeviceData, SlotState};
use crate::text::figures::clocks_apart;
use crate::text::{Clean, size};

/// Stands before what a person should look at.
const LOOK_HERE: &str = "! ";

/// How many devices are remembered by name.
const MOST_LABELS: usize = 4_096;

/// How lines are written.
#[derive(Debug)]
pub enum Form {
    Ndjson(NamesInLines),
    Readable(Box<Readable>),
}

impl Form {
    /// For people where standard output is a terminal, unless they want what programs get.
    #[must_use]
    pub fn of_output(json: bool, names: NamesInLines, zone: Zone) -> Self {
        if json || !io::stdout().is_terminal() {
            Self::Ndjson(names)
        } else {
            Self::Readable(Box::new(Readable { zone, ..Readable::default() }))
        }
    }

    /// Whether programs read it.
    #[must_use]
    pub const fn is_for_programs(&self) -> bool {
        matches!(self, Self::Ndjson(_))
    }

    /// With what devices are called, as far as that is known from earlier.
    pub fn knowing(&mut self, devices: &KnownDevices) {
        if let Self::Readable(readable) = self {
            readable.learn_labels(devices.iter().filter_map(|(id, info)| Some((id, info?))));
        }
    }

    /// With what conversations are called, as far as that is known from earlier.
    pub fn naming(&mut self, names: &ConversationNames) {
        if let Self::Readable(readable) = self {
            readable.names = names.clone();
        }
    }

    /// Learns from what a session tells, whether or not a line is made of it.
    pub fn learn(&mut self, event: &Event) {
        if let Self::Readable(readable) = self {
            readable.learn(event);
        }
    }

    /// The same from a line that is not of a session.
    pub fn learn_line(&mut self, line: &Value) {
        if let Self::Readable(readable) = self {
            readable.learn_line(line);
        }
    }

    /// Adds the lines of what a session tells, from which it has learned.
    pub fn event(&self, output: &mut Vec<u8>, at: Millis, event: &Event) -> io::Result<()> {
        match self {
            Self::Ndjson(names) => ndjson::lines(at, event, *names).iter().try_for_each(|line| object(output, line)),
            Self::Readable(readable) => {
                readable.lines(at, event).iter().try_for_each(|line| writeln!(output, "{line}"))
            }
        }
    }

    /// Adds a line that is not of a session.
    pub fn line(&self, output: &mut Vec<u8>, line: &Value) -> io::Result<()> {
        match self {
            Self::Ndjson(_) => object(output, line),
            Self::Readable(readable) => {
                let at = line.get("at").and_then(Value::as_u64).map(Millis).unwrap_or_default();
                writeln!(output, "{}  {}", readable.time(at), ours::sentence(line))
            }
        }
    }
}

fn object(output: &mut Vec<u8>, line: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}

/// Writes lines for people, and remembers what devices and contacts are called.
#[derive(Debug, Default)]
pub struct Readable {
    zone: Zone,
    names: ConversationNames,
    labels: BTreeMap<DeviceId, Clean>,
    own: Option<DeviceId>,
    /// Whether a chat client is there.
    chat_client: bool,
}

impl Readable {
    /// The lines of what a session tells: one a message, one for all else.
    fn lines(&self, at: Millis, event: &Event) -> Vec<String> {
        match event {
            Event::Reflected(messages) => messages.iter().map(|message| self.message(message)).collect(),
            event => vec![format!("{}  {}", self.time(at), self.sentence(event))],
        }
    }

    fn learn(&mut self, event: &Event) {
        match event {
            Event::LoggedIn(login) => self.own = Some(login.own),
            Event::Devices(devices) => {
                // Who has left is still called so, but a server may not fill the memory with names.
                if self.labels.len() > MOST_LABELS {
                    self.labels.clear();
                }
                self.learn_labels(devices.iter().filter_map(|(id, device)| Some((*id, device.info.as_ref().ok()?))));
            }
            Event::Reflected(messages) => {
                messages.iter().filter_map(|message| message.content.as_ref().ok()).for_each(|summary| {
                    self.names.learn(summary);
                });
            }
            _ => {}
        }
    }

    fn learn_line(&mut self, line: &Value) {
        match line.get("event").and_then(Value::as_str) {
            Some("client_connected") => self.chat_client = true,
            Some("client_disconnected") => self.chat_client = false,
            _ => {}
        }
    }

    fn learn_labels<'a>(&mut self, devices: impl Iterator<Item = (DeviceId, &'a DeviceInfo)>) {
        let labels = devices.map(|(id, info)| (id, info.label.clone()));
        self.labels.extend(labels.filter(|(_, label)| !label.is_empty()));
    }

    /// What people call a device: its label, or its id.
    fn device(&self, device: DeviceId) -> String {
        if self.own == Some(device) {
            return "this device".to_owned();
        }
        self.labels.get(&device).map_or_else(|| device.to_string(), Clean::to_string)
    }

    fn time(&self, at: Millis) -> String {
        self.zone.show(at, "%H:%M:%S")
    }

    fn message(&self, message: &ReflectedMessage) -> String {
        let row = FeedRow::new(message);
        let author = row.author().map_or_else(|| "-".to_owned(), |author| self.device(author));
        let look_here = if row.content.is_err() { LOOK_HERE } else { "" };
        let sentence = format!("{look_here}{}", row.sentence(&self.names));
        columns::message(&self.time(row.received_at), &author, &sentence, &row, false)
    }

    fn sentence(&self, event: &Event) -> String {
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
                format!("gives the leader role up, and is back at {}", self.time(*back_at))
            }
            Event::Following => "another device leads".to_owned(),
            Event::ClockMoved { by, clock_offset } => clock_moved(*by, *clock_offset),
            Event::LastHeard { at } => format!("the mediator was last heard at {}", self.time(*at)),
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
            Event::Ignored(what) => format!("{LOOK_HERE}ignored from the mediator: {what}"),
            Event::Journal(JournalState::Off) => "no journal is kept".to_owned(),
            Event::Journal(JournalState::Keeps) => "the journal keeps what is received".to_owned(),
            Event::Journal(JournalState::Failed(why)) => {
                format!("{LOOK_HERE}{why}; nothing is acknowledged until the journal can be written")
            }
            Event::JournalSetAside(name) => {
                format!("{LOOK_HERE}the journal was damaged and is kept as {name}; a new one was begun")
            }
            Event::RecordingStopped(why) => format!("{LOOK_HERE}recording has stopped: {why}"),
            Event::Disconnected { cause, next } => disconnected(cause, *next, self.zone),
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
                let until = expires_at.map(|at| format!(", until {}", self.time(at))).unwrap_or_default();
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

fn clock_moved(by: i64, clock_offset: Option<i64>) -> String {
    let way = if by < 0 { "back" } else { "forward" };
    let offset = clock_offset.map(|ahead| {
        let side = if ahead < 0 { "behind" } else { "ahead" };
        format!(": the mediator's is {} {side}, by the last login", clocks_apart(ahead))
    });
    format!("the clock of this machine was set {way} by {}{}", clocks_apart(by), offset.unwrap_or_default())
}

fn logged_in(login: &Login) -> String {
    let slot = match login.slot_state {
        SlotState::New => "in a new slot",
        SlotState::Existing => "in its own slot",
    };
    let waits = match login.reflection_queue_length {
        Some(waiting) => format!("; {} waiting", count(usize::try_from(waiting).unwrap_or(usize::MAX), "message")),
        None => String::new(),
    };
    let clock = login.clock_apart().map(|ahead| {
        let side = if ahead > 0 { "behind" } else { "ahead of" };
        format!("; {LOOK_HERE}this clock is {} {side} the mediator's", clocks_apart(ahead))
    });
    format!("logged in as {} {slot}{waits}{}", login.own, clock.unwrap_or_default())
}

fn shared_data(data: Option<&SharedDeviceData>) -> String {
    match data {
        Some(SharedDeviceData { version, mdm_parameters }) if mdm_parameters.is_empty() => {
            format!("the shared data says version {version}")
        }
        Some(SharedDeviceData { mdm_parameters, .. }) => {
            format!("the shared data has {} of MDM parameters", size(mdm_parameters.len() as u64))
        }
        None => format!("{LOOK_HERE}the shared data cannot be read"),
    }
}

/// How a connection ended, and what comes next.
#[must_use]
pub fn disconnected(cause: &DisconnectCause, next: NextStep, zone: Zone) -> String {
    let next = match (next, cause) {
        (NextStep::RetryAt { at, .. }, _) => format!("; connects again at {}", zone.show(at, "%H:%M:%S")),
        (NextStep::WaitForUser, DisconnectCause::ClosedByServer { code, expected, .. }) => {
            format!("; {}", close_advice(*code, *expected))
        }
        (NextStep::WaitForUser | NextStep::End, _) => String::new(),
    };
    format!("disconnected: {cause}{next}")
}

fn to(scope: LockScope) -> String {
    scope.map_or_else(String::new, |scope| format!(" for {scope}"))
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::d2d::{ContentKind, Conversation, EnvelopeSummary, MessageType, Platform};
    use crate::protocol::{CloseCode, Dialect, OpenError, ReflectedId, TransactionScope};

    const PHONE: DeviceId = DeviceId(7);
    const OWN: DeviceId = DeviceId(1);

    fn message(content: Result<EnvelopeSummary, OpenError>) -> ReflectedMessage {
        ReflectedMessage { content, ..ReflectedMessage::example() }
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
                "logged in as 0100000000000000 in a new slot; 1 message waiting; ! this clock is 25 min ahead of the mediator's",
            ),
            (devices(), "2 devices: this device (on), Pixel 9^[[2J (off)"),
            (Event::Reflected(vec![message(Ok(text(PHONE)))]), "Pixel 9^[[2J      in      212 B  text from ECHOECHO"),
            (
                Event::Reflected(vec![ReflectedMessage { redelivered: true, ..message(Ok(text(DeviceId(9)))) }]),
                "0900000000000000  in      212 B  text from ECHOECHO  [again]",
            ),
            (
                Event::Acknowledged { ids: vec![ReflectedId(1)], waited: Duration::from_micros(400) },
                "acknowledged 1 message after 0.4 ms",
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
        assert_eq!(Readable::default().time(Millis(u64::MAX)), "?");
    }
}
