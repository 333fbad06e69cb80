//! What somebody needs who comes for one purpose: no messages, fine measures, probes, shared data.

use super::*;
use crate::group::{Probe, Refusal};
use crate::protocol::SharedDeviceData;
use crate::protocol::sealed::Sealable as _;

#[test]
fn who_takes_no_messages_is_told_of_none_and_acknowledges_none() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::new(config(dialect));
        bench.session = Session::new(config(dialect), StdRng::seed_from_u64(1)).taking_no_messages();
        bench.log_in(SlotState::New);
        let queue: Vec<ServerMessage> = (1..50).map(|id| reflected(id, id % 3 == 0)).collect();
        bench.servers(&queue);
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        assert!(!bench.sent().iter().any(|message| matches!(message, ClientMessage::ReflectedAck(_))));
        assert!(!bench.events().iter().any(|event| matches!(event, Event::Reflected(_))));
        // What is not taken is not waited for, either.
        bench.servers(&[ServerMessage::ReflectionQueueDry, ServerMessage::RolePromotedToLeader]);
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL), "the leader role is given up at once");
    });
}

#[test]
fn round_trips_are_measured_on_the_finer_clock() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let wall = bench.now;
        let at = |micros| Now { wall, precise: Duration::from_micros(micros) };
        bench.session.handle(at(5_000_000), SessionInput::Command(Command::Ping));
        bench.session.handle(at(5_000_417), SessionInput::Pong);
        let mut events = Vec::new();
        while let Some(output) = bench.session.poll() {
            events.push(output);
        }
        let elapsed = Duration::from_micros(417);
        assert!(events.contains(&SessionOutput::Ping), "a ping is sent");
        assert!(events.contains(&SessionOutput::Event(Event::RoundTrip { probe: Probe::Ping, elapsed })), "{events:?}");
    });
}

#[test]
fn a_probe_is_what_changes_nothing_and_is_not_sent_where_there_is_no_such_thing() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::Probe(Confirmed::after_asking(())));
        let sent = bench.sent();
        if dialect == Dialect::Mk {
            assert_eq!((sent.len(), bench.events()), (0, vec![Event::Refused(Refusal::NoProbe)]));
            return;
        }
        let [ClientMessage::Reflect(reflect)] = sent.as_slice() else { panic!("{sent:?}") };
        assert!(!reflect.ephemeral, "an ephemeral one may bring no acknowledgement");
        let envelope = reflect.envelope.open(&keys(dialect)).expect("it opens");
        let mut expected = hex::decode("5a00180369").unwrap();
        expected.extend(OWN.0.to_le_bytes());
        assert_eq!(envelope.encode(dialect), expected, "version 3, no updates, our id; nothing else");
        bench.server(&ServerMessage::ReflectAck { id: reflect.id, timestamp: bench.now });
        assert!(matches!(bench.events().as_slice(), [Event::ReflectionStored { .. }]));
    });
}

#[test]
fn a_read_only_session_measures_but_reflects_nothing() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(SessionConfig { read_only: true, ..config(dialect) });
        bench.command(Command::Probe(Confirmed::after_asking(())));
        assert_eq!((bench.sent().len(), bench.events()), (0, vec![Event::Refused(Refusal::ReadOnly)]));
        bench.command(Command::Ping);
        bench.input(SessionInput::Pong);
        assert!(matches!(bench.events().as_slice(), [Event::RoundTrip { probe: Probe::Ping, .. }]));
    });
}

#[test]
fn shared_device_data_is_told_as_the_server_gave_it() {
    in_both_dialects(|dialect| {
        let data = match dialect {
            Dialect::Mk => SharedDeviceData { mdm_parameters: Bytes::from_static(b"mdm"), ..Default::default() },
            Dialect::Dgk => SharedDeviceData { version: 3, ..Default::default() },
        };
        let sealed = Sealed::seal(&data, &keys(dialect), Nonce([3; 24]));
        let foreign = Sealed::from_wire(Bytes::from_static(&[0; 60]));
        // The seed's data has no version, and 0 says that there is none.
        let version = (data.version > 0).then_some(data.version);
        for (given, told, version) in
            [(Sealed::default(), None, None), (sealed, Some(Some(data)), version), (foreign, Some(None), None)]
        {
            let mut bench = Bench::new(config(dialect));
            bench.log_in_with(SlotState::New, given);
            let events = bench.events();
            let found = events.iter().find_map(|event| match event {
                Event::SharedDeviceData(data) => Some(data.clone().ok()),
                _ => None,
            });
            assert_eq!(found, told, "{dialect}");
            let found = events.iter().find_map(|event| match event {
                Event::LoggedIn(login) => Some(login.shared_version),
                _ => None,
            });
            assert_eq!(found, Some(version), "{dialect}");
        }
    });
}
