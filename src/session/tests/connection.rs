//! What belongs to one connection stays with it.

use super::*;
use crate::group::{ReflectedMessage, Refusal};

/// Hands messages in without making them durable; the connection that they came on, and what was told of them.
fn receive(bench: &mut Bench, ids: &[u32]) -> (u64, Vec<ReflectedMessage>) {
    let frames = ids.iter().map(|id| reflected(*id, false).encode(bench.dialect)).collect();
    bench.session.handle(bench.now, SessionInput::Frames(frames));
    let outputs = std::iter::from_fn(|| bench.session.poll());
    let mut received = outputs.filter_map(|output| match output {
        SessionOutput::Reflected { connection, messages } => Some((connection, messages)),
        _ => None,
    });
    received.next().expect("the messages are handed on")
}

fn acknowledged(bench: &mut Bench) -> Vec<u32> {
    let sent = bench.sent().into_iter();
    sent.filter_map(|message| match message {
        ClientMessage::ReflectedAck(id) => Some(id.0),
        _ => None,
    })
    .collect()
}

fn break_and_return(bench: &mut Bench) {
    bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
    bench.wait(Duration::from_secs(10));
    bench.log_in(SlotState::Existing);
    bench.outputs.clear();
}

#[test]
fn what_is_durable_of_an_earlier_connection_acknowledges_nothing_on_this_one() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let (earlier, _) = receive(&mut bench, &[1, 2]);
        break_and_return(&mut bench);
        let (connection, _) = receive(&mut bench, &[3]);
        bench.input(SessionInput::Durable { connection: earlier, count: 2 });
        assert_eq!(acknowledged(&mut bench), [0_u32; 0], "3 is not durable yet");
        bench.input(SessionInput::Durable { connection, count: 1 });
        assert_eq!(acknowledged(&mut bench), [3]);
    });
}

#[test]
fn messages_of_an_earlier_connection_do_not_end_this_one_to_come_again() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let (earlier, _) = receive(&mut bench, &[1]);
        break_and_return(&mut bench);
        bench.input(SessionInput::Redeliver { connection: earlier });
        assert_eq!(bench.closed(), None, "they come again on this one anyway");
        let (connection, _) = receive(&mut bench, &[1]);
        bench.input(SessionInput::Redeliver { connection });
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
        // At once: the server is there, and nothing failed.
        assert_eq!(bench.count(&SessionOutput::Connect), 1);
        bench.input(SessionInput::Redeliver { connection });
        assert_eq!(bench.count(&SessionOutput::Connect), 0, "once is enough");
    });
}

#[test]
fn what_was_not_written_before_the_connection_broke_is_not_told_as_acknowledged() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let (connection, _) = receive(&mut bench, &[1]);
        bench.session.handle(bench.now, SessionInput::Durable { connection, count: 1 });
        // Handed out, but never written.
        while bench.session.poll().is_some() {}
        bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
        bench.wait(Duration::from_secs(10));
        bench.log_in(SlotState::Existing);
        let told = bench.outputs.iter().any(|output| matches!(output, SessionOutput::Acknowledged(_)));
        assert!(!told, "the acknowledgement never left");
    });
}

#[test]
fn several_acknowledgements_that_are_written_at_once_are_all_told() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    let (connection, _) = receive(&mut bench, &[1, 2, 3]);
    bench.session.handle(bench.now, SessionInput::Durable { connection, count: 1 });
    bench.session.handle(bench.now, SessionInput::Durable { connection, count: 2 });
    bench.input(SessionInput::Flushed);
    assert_eq!(bench.count(&SessionOutput::Acknowledged([1, 2, 3].map(ReflectedId).to_vec())), 1);
    bench.input(SessionInput::Flushed);
    assert!(!bench.outputs.iter().any(|output| matches!(output, SessionOutput::Acknowledged(_))), "told once");
}

#[test]
fn reconnecting_is_for_who_is_not_connected() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::new(config(dialect));
        bench.input(SessionInput::Timer);
        bench.outputs.clear();
        let reconnect = || Command::Reconnect { expect: Some(SlotState::Existing) };
        bench.command(reconnect());
        assert_eq!(bench.count(&SessionOutput::Connect), 0, "while connecting");
        let hello = bench.log_in(SlotState::New);
        assert_eq!(hello.expected_slot_state, SlotState::New, "and the expectation stays");
        bench.outputs.clear();
        bench.command(reconnect());
        assert_eq!((bench.count(&SessionOutput::Connect), bench.closed()), (0, None), "while online");
        bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
        bench.command(reconnect());
        assert_eq!(bench.count(&SessionOutput::Connect), 1, "while waiting");
    });
}

/// A session that an earlier run left message 7 unacknowledged, logged in to a slot in this state.
fn with_one_of_an_earlier_run(slot_state: SlotState) -> Bench {
    let fingerprinter = NonceFingerprinter::new([1; 16]);
    let ServerMessage::Reflected(message) = reflected(7, false) else { unreachable!() };
    let fingerprint = fingerprinter.of(&message.envelope.nonce().unwrap());
    let mut bench = Bench::new(config(Dialect::Dgk));
    bench.session = Session::new(config(Dialect::Dgk), StdRng::seed_from_u64(1)).continuing(
        fingerprinter,
        vec![fingerprint],
        [(ReflectedId(7), fingerprint)],
    );
    bench.log_in(slot_state);
    bench
}

#[test]
fn a_message_of_an_earlier_run_is_another_one_under_a_new_slot() {
    for (slot_state, redelivered) in [(SlotState::Existing, true), (SlotState::New, false)] {
        let mut bench = with_one_of_an_earlier_run(slot_state);
        let (_, messages) = receive(&mut bench, &[7]);
        let marks = (messages[0].redelivered, messages[0].repeated_nonce);
        assert_eq!(marks, (redelivered, !redelivered), "{slot_state:?}");
    }
}

/// What was not acknowledged came before the queue was dry; after that the same message is a replay.
#[test]
fn what_comes_again_after_the_queue_was_dry_is_a_replay() {
    let mut bench = with_one_of_an_earlier_run(SlotState::Existing);
    bench.server(&ServerMessage::ReflectionQueueDry);
    let (_, messages) = receive(&mut bench, &[7]);
    assert!(messages[0].repeated_nonce && !messages[0].redelivered);
}

fn reflect(bench: &mut Bench, ephemeral: bool) -> crate::protocol::ReflectId {
    let composer = crate::protocol::d2d::Composer::new(bench.dialect, OWN);
    let draft = crate::protocol::d2d::MessageDraft {
        id: crate::protocol::MessageId(7),
        created_at: Millis(1),
        message_type: crate::protocol::d2d::MessageType::TEXT,
        body: Bytes::from_static(&[7, 0, 0, 0, 0, 0, 0, 0]),
    };
    let envelope = Box::new(composer.incoming("SENDER01", draft, Nonce([1; 24])));
    bench.command(Command::Reflect { envelope, ephemeral });
    let Some(ClientMessage::Reflect(reflect)) = bench.sent().pop() else { panic!("nothing was reflected") };
    reflect.id
}

#[test]
fn an_ephemeral_reflection_awaits_nothing() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    let (stored, ephemeral) = (reflect(&mut bench, false), reflect(&mut bench, true));
    assert_ne!(stored, ephemeral);
    bench.events();
    bench.server(&ServerMessage::ReflectAck { id: ephemeral, timestamp: bench.now });
    assert!(matches!(bench.events().as_slice(), [Event::Ignored(_)]), "the server owes nothing for it");
    bench.server(&ServerMessage::ReflectAck { id: stored, timestamp: bench.now });
    assert!(matches!(bench.events().as_slice(), [Event::ReflectionStored { .. }]));
}

#[test]
fn leaving_does_not_commit_a_drop_half_done() {
    in_both_dialects(|dialect| {
        for dropping in [false, true] {
            let mut bench = Bench::logged_in(config(dialect));
            let both = device_list::list(&bench, &[OWN, PHONE]);
            bench.server(&both);
            bench.command(Command::DropDevice(Confirmed::after_asking(PHONE)));
            bench.server(&ServerMessage::BeginTransactionAck);
            if dropping {
                bench.server(&both);
            }
            bench.outputs.clear();
            bench.command(Command::Leave);
            assert_eq!(bench.sent(), [], "the server aborts what was not committed");
            assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
            assert!(
                bench.events().contains(&Event::Refused(Refusal::Unconfirmed)),
                "and nobody knows whether it was done"
            );
        }
    });
}

#[test]
fn a_visit_that_leads_and_is_to_stay_goes_on() {
    in_both_dialects(|dialect| {
        let config = SessionConfig {
            presence: Presence::Visit(Duration::from_mins(10)),
            leader_policy: LeaderPolicy::Stay,
            ..config(dialect)
        };
        let mut bench = Bench::logged_in(config);
        let both = device_list::list(&bench, &[OWN, PHONE]);
        bench.servers(&[both, ServerMessage::ReflectionQueueDry, ServerMessage::RolePromotedToLeader]);
        for _ in 0..10 {
            bench.wait(Duration::from_secs(10));
            bench.input(SessionInput::Pong);
        }
        assert_eq!(bench.closed(), None, "who leads has to be there");
    });
}
