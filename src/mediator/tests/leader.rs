//! Exactly one leader: the first connected device whose queue has run empty.

use std::time::Duration;

use super::{A, B, C, Login, in_both_dialects};
use crate::mediator::MediatorInput;
use crate::protocol::{ClientMessage, ServerMessage};

const PROMOTED: ServerMessage = ServerMessage::RolePromotedToLeader;

in_both_dialects! {
    fn only_the_first_is_promoted(world) {
        let [a, b] = [A, B].map(|device| world.try_login(Login::new(device)));
        assert!(world.take(a).contains(&PROMOTED));
        assert!(!world.take(b).contains(&PROMOTED));
    }

    fn the_role_goes_to_the_next_in_order_of_login(world) {
        let [a, c, b] = [A, C, B].map(|device| world.login(Login::new(device)));
        for connection in [b, c] {
            world.take(connection);
        }
        world.leave(a);
        assert_eq!(world.take(c), [PROMOTED]);
        assert_eq!(world.take(b), []);
        let a = world.login(Login::again(A));
        world.leave(c);
        assert_eq!(world.take(b), [PROMOTED], "who came back is last in the order");
        world.leave(b);
        assert_eq!(world.take(a), [PROMOTED]);
    }

    fn a_device_that_still_drains_is_passed_over(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.leave(b);
        for _ in 0..600 {
            world.reflect(a, 1, "m");
        }
        let b = world.connect();
        let hello = world.hello(b);
        world.set_reads(b, false);
        let answer = world.answer(&hello, Login::again(B));
        world.send(b, &ClientMessage::Hello(answer));
        let c = world.login(Login::new(C));
        world.leave(a);
        assert_eq!(world.take(c), [PROMOTED]);
        world.leave(c);
        world.set_reads(b, true);
        let messages = world.take(b);
        assert_eq!(messages[messages.len() - 2..], [ServerMessage::ReflectionQueueDry, PROMOTED]);
    }

    fn however_the_leader_ends_the_role_goes_on(world) {
        let endings: [(&str, ClientMessage, u64); 4] = [
            ("drops itself", ClientMessage::DropDevice(A), 0),
            ("breaks the protocol", ClientMessage::CommitTransaction, 0),
            ("acknowledges nothing", ClientMessage::ReflectedAck(crate::protocol::ReflectedId(77)), 0),
            ("says nothing", ClientMessage::GetDevicesInfo, 600),
        ];
        for (how, message, silence) in endings {
            world = super::World::new(world.dialect);
            let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
            world.take(b);
            world.send(a, &message);
            if silence > 0 {
                world.pass(Duration::from_secs(silence - 1));
                world.input(MediatorInput::Alive { connection: b });
                world.pass(Duration::from_secs(1));
            }
            assert!(world.closed(a).is_some(), "the leader {how}");
            assert_eq!(world.take(b), [PROMOTED], "the leader {how}");
        }
    }

    fn a_second_connection_of_the_leader_hands_the_role_on(world) {
        let [_, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.take(b);
        let again = world.try_login(Login::again(A));
        assert_eq!(world.take(b), [PROMOTED]);
        assert!(!world.take(again).contains(&PROMOTED));
    }
}
