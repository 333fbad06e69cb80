//! Readers that are slow or stalled: bounded for themselves, unnoticed by the others.

use std::time::Duration;

use super::{A, B, C, Login, in_both_dialects, texts};
use crate::protocol::{ClientMessage, Sealed, ServerMessage};

fn count_reflected(messages: &[ServerMessage]) -> usize {
    messages.iter().filter(|message| matches!(message, ServerMessage::Reflected(_))).count()
}

in_both_dialects! {
    fn a_stalled_reader_is_handed_no_more_than_a_window(world) {
        let [a, b, c] = [A, B, C].map(|device| world.login(Login::new(device)));
        world.take(c);
        world.set_reads(b, false);
        for _ in 0..2_000 {
            world.reflect(a, 1, "m");
        }
        assert_eq!(count_reflected(&world.take(b)), 512);
        assert_eq!(world.take_reflected(c).len(), 2_000, "the others do not wait");
        world.set_reads(b, true);
        assert_eq!(count_reflected(&world.take(b)), 2_000 - 512, "the rest follows when it reads on");
    }

    fn the_window_counts_bytes_too(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.take(b);
        world.set_reads(b, false);
        for _ in 0..100 {
            world.reflect(a, 1, &"x".repeat(60_000));
        }
        assert_eq!(world.take_reflected(b).len(), 18);
    }

    fn a_message_reflected_during_the_drain_goes_to_the_end_and_before_dry(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.leave(b);
        for _ in 0..600 {
            world.reflect(a, 1, "stored");
        }
        let b = world.connect();
        let hello = world.hello(b);
        world.set_reads(b, false);
        let answer = world.answer(&hello, Login::again(B));
        world.send(b, &ClientMessage::Hello(answer));
        world.reflect(a, 2, "live");
        let before = world.take(b);
        assert!(!before.contains(&ServerMessage::ReflectionQueueDry), "dry with messages unsent");
        world.set_reads(b, true);
        let after = world.take(b);
        let Some(ServerMessage::Reflected(live)) = after.iter().rev().nth(1) else { panic!("{after:?}") };
        assert_eq!(texts(std::slice::from_ref(live)), ["live"]);
        assert_eq!(after.last(), Some(&ServerMessage::ReflectionQueueDry));
    }

    fn one_that_asks_but_never_reads_is_read_from_no_more(world) {
        let a = world.login(Login::new(A));
        world.set_reads(a, false);
        let mut asked = 0;
        while !world.is_paused(a) {
            world.send(a, &ClientMessage::GetDevicesInfo);
            asked += 1;
            assert!(asked < 2_000, "never paused");
        }
        world.set_reads(a, true);
        assert!(!world.is_paused(a), "read from again once it has read");
        assert_eq!(world.closed(a), None);
    }

    fn one_that_drowns_in_others_transactions_is_given_up(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.set_reads(b, false);
        let begin = ClientMessage::BeginTransaction { scope: Sealed::default(), ttl: None };
        for _ in 0..10_000 {
            world.send(a, &begin);
            world.send(a, &ClientMessage::CommitTransaction);
        }
        assert_eq!(world.closed(b), Some(4013));
        assert!(world.devices(a).contains_key(&B), "its slot stays");
    }

    fn the_end_of_a_transaction_does_not_overtake_what_it_reflected(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.set_reads(b, false);
        world.send(a, &ClientMessage::BeginTransaction { scope: Sealed::default(), ttl: None });
        for _ in 0..600 {
            world.reflect(a, 1, "m");
        }
        world.send(a, &ClientMessage::CommitTransaction);
        world.send(b, &ClientMessage::BeginTransaction { scope: Sealed::default(), ttl: None });
        world.reflect(a, 1, "later");
        assert_eq!(count_reflected(&world.take(b)), 512);
        world.set_reads(b, true);
        let rest = world.take(b);
        let [.., ended, begun, later] = rest.as_slice() else { panic!("{rest:?}") };
        assert!(matches!(ended, ServerMessage::TransactionEnded { holder: A, .. }));
        assert_eq!(begun, &ServerMessage::BeginTransactionAck);
        assert!(matches!(later, ServerMessage::Reflected(_)));
        assert_eq!(count_reflected(&rest), 600 - 512 + 1);
        world.pass(Duration::from_secs(1));
    }
}
