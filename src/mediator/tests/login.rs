//! The challenge, the checks of a login, and what no client may send.

use std::time::Duration;

use bytes::Bytes;

use super::{A, B, Login, World, in_both_dialects, reflection};
use crate::mediator::{ConnectionEnd, LogEvent, MediatorConfig, MediatorInput};
use crate::protocol::challenge::ephemeral_public_key;
use crate::protocol::{
    Challenge, ChallengeResponse, ClientMessage, CloseCode, Dialect, Sealed, ServerHello, ServerInfo, ServerMessage,
    SlotState,
};

in_both_dialects! {
    fn each_connection_gets_its_own_challenge(world) {
        let (first, second) = (world.connect(), world.connect());
        let expected = |byte: u8| ServerHello {
            version: 0,
            ephemeral_key: ephemeral_public_key(&[byte; 32]),
            challenge: Challenge([byte ^ 0xff; 32]),
        };
        assert_eq!(world.hello(first), expected(1));
        assert_eq!(world.hello(second), expected(2));
    }

    fn a_login_gets_info_then_dry_then_the_role(world) {
        let now = world.now;
        let a = world.try_login(Login::new(A));
        let info = ServerInfo {
            max_device_slots: 5,
            slot_state: SlotState::New,
            shared_device_data: Sealed::default(),
            current_time: Some(now),
            reflection_queue_length: Some(0),
        };
        let expected =
            [ServerMessage::Info(info), ServerMessage::ReflectionQueueDry, ServerMessage::RolePromotedToLeader];
        assert_eq!(world.take(a), expected);
    }

    fn a_wrong_answer_is_a_protocol_error(world) {
        let connection = world.connect();
        let hello = world.hello(connection);
        let mut answer = world.answer(&hello, Login::new(A));
        let mut bytes = answer.response.0;
        bytes[70] ^= 1;
        answer.response = ChallengeResponse(bytes);
        world.send(connection, &ClientMessage::Hello(answer));
        assert_eq!(world.closed(connection), Some(4010));
        assert_eq!(world.take(connection), [], "a refused login tells nothing");
    }

    fn an_answer_to_another_connections_challenge_is_a_protocol_error(world) {
        let (first, second) = (world.connect(), world.connect());
        let hello = world.hello(first);
        let answer = world.answer(&hello, Login::new(A));
        world.send(second, &ClientMessage::Hello(answer));
        assert_eq!(world.closed(second), Some(4010));
        assert_eq!(world.closed(first), None);
    }

    fn a_higher_version_is_refused(world) {
        let connection = world.try_login(Login { version: 1, ..Login::new(A) });
        assert_eq!(world.closed(connection), Some(4110));
    }

    fn the_largest_device_infos_fit_into_one_list_and_larger_ones_are_refused(world) {
        // A fifth of a container, less what an entry of the list needs besides.
        let largest = 65_536 / 5 - 64;
        let mut last = None;
        for (device, length, closed) in [(1, largest, None), (2, largest, None), (3, largest, None), (4, largest, None),
            (5, largest + 1, Some(4010)), (6, largest, None)]
        {
            let connection = world.connect();
            let hello = world.hello(connection);
            let mut answer = world.answer(&hello, Login::new(crate::protocol::DeviceId(device)));
            answer.device_info = Sealed::from_wire(Bytes::from(vec![1; length]));
            world.send(connection, &ClientMessage::Hello(answer));
            assert_eq!(world.closed(connection), closed, "{length} bytes of device info");
            last = Some(connection);
        }
        assert_eq!(world.devices(last.unwrap()).len(), 5);
    }

    fn nothing_but_proxy_frames_may_come_before_the_login(world) {
        for message in [ClientMessage::GetDevicesInfo, reflection(1, "m", false), ClientMessage::CommitTransaction] {
            let connection = world.connect();
            world.send(connection, &ClientMessage::Proxy(Bytes::from_static(b"csp")));
            assert_eq!(world.closed(connection), None);
            world.send(connection, &message);
            assert_eq!(world.closed(connection), Some(4010), "{message:?} before the login");
        }
    }

    fn a_second_login_on_a_connection_is_a_protocol_error(world) {
        let a = world.login(Login::new(A));
        let hello = ServerHello {
            version: 0,
            ephemeral_key: ephemeral_public_key(&[1; 32]),
            challenge: Challenge([0xfe; 32]),
        };
        let answer = world.answer(&hello, Login::again(A));
        world.send(a, &ClientMessage::Hello(answer));
        assert_eq!(world.closed(a), Some(4010));
    }

    fn what_no_client_may_send_is_a_protocol_error(world) {
        let frames: [(&str, Vec<u8>); 9] = [
            ("empty", vec![]),
            ("three bytes", vec![0x30, 0, 0]),
            ("unknown type", vec![0x7f, 0, 0, 0]),
            ("server-only type", vec![0x20, 0, 0, 0]),
            ("malformed protobuf", vec![0x32, 0, 0, 0, 0xff]),
            ("reflect without header", vec![0x80, 0, 0, 0]),
            ("reflect with a short header", vec![0x80, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0]),
            ("short acknowledgement", vec![0x83, 0, 0, 0, 0, 0, 0, 0]),
            ("oversize", vec![0; 65_537]),
        ];
        for (what, bytes) in frames {
            let connection = world.login(Login { device: A, ..Login::new(A) });
            world.input(MediatorInput::Frame { connection, bytes: Bytes::from(bytes) });
            assert_eq!(world.closed(connection), Some(4010), "{what}");
            world.mediator = crate::mediator::Mediator::new(MediatorConfig::default());
        }
        for input in [|connection| MediatorInput::Text { connection }, |connection| MediatorInput::Unreadable { connection }] {
            let connection = world.connect();
            world.input(input(connection));
            assert_eq!(world.closed(connection), Some(4010), "{:?}", input(connection));
        }
    }

    fn an_envelope_that_cannot_be_delivered_is_a_protocol_error(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        world.take(a);
        world.reflect(a, 1, &"x".repeat(65_516));
        assert_eq!(world.take(a).len(), 1, "the largest envelope is acknowledged");
        assert_eq!(world.take_reflected(b).len(), 1);
        world.reflect(a, 2, &"x".repeat(65_517));
        assert_eq!(world.closed(a), Some(4010));
    }

    fn proxy_frames_are_counted_and_told_at_the_end(world) {
        let connection = world.connect();
        let hello = world.hello(connection);
        let proxy = ClientMessage::Proxy(Bytes::from_static(b"csp"));
        world.send(connection, &proxy);
        let answer = world.answer(&hello, Login::new(A));
        world.send(connection, &ClientMessage::Hello(answer));
        world.send(connection, &proxy);
        world.send(connection, &proxy);
        world.leave(connection);
        let told = world.logs.iter().find_map(|event| match event {
            LogEvent::Closed { proxy_frames, end, .. } => Some((*proxy_frames, end.clone())),
            _ => None,
        });
        assert_eq!(told, Some((3, ConnectionEnd::Theirs(Some(CloseCode::NORMAL)))));
    }

    fn a_login_must_come_in_time(world) {
        let connection = world.connect();
        world.pass(Duration::from_secs(19));
        world.send(connection, &ClientMessage::Proxy(Bytes::new()));
        assert_eq!(world.closed(connection), None);
        world.pass(Duration::from_secs(1));
        assert_eq!(world.closed(connection), Some(4013));
    }

    fn silence_is_ended_but_any_frame_breaks_it(world) {
        let a = world.login(Login::new(A));
        for input in [
            MediatorInput::Alive { connection: a },
            MediatorInput::Frame { connection: a, bytes: ClientMessage::Proxy(Bytes::new()).encode(Dialect::Dgk) },
        ] {
            world.pass(Duration::from_secs(599));
            world.input(input);
        }
        world.pass(Duration::from_secs(599));
        assert_eq!(world.closed(a), None);
        world.pass(Duration::from_secs(1));
        assert_eq!(world.closed(a), Some(4013));
    }

    fn shutdown_says_so_to_everyone_and_nothing_else(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        let waiting = world.connect();
        for connection in [a, b, waiting] {
            world.take(connection);
        }
        world.input(MediatorInput::Shutdown);
        for connection in [a, b, waiting] {
            assert_eq!(world.closed(connection), Some(1001));
            assert_eq!(world.take(connection), []);
        }
        let late = world.connect();
        assert_eq!(world.closed(late), Some(1001));
        assert_eq!(world.mediator.deadline(), None);
    }
}

#[test]
fn without_an_idle_timeout_silence_lasts() {
    let mut world = World::with(Dialect::Dgk, MediatorConfig { idle_timeout: None, ..MediatorConfig::default() });
    let a = world.login(Login::new(A));
    world.pass(Duration::from_hours(24 * 7));
    assert_eq!(world.closed(a), None);
}
