//! The reflection queue: receiving, acknowledging, redelivery.

use super::*;
use crate::group::ReflectedMessage;

fn acknowledgements(bench: &mut Bench) -> Vec<u32> {
    let acks = bench.sent().into_iter().filter_map(|message| match message {
        ClientMessage::ReflectedAck(id) => Some(id.0),
        _ => None,
    });
    acks.collect()
}

fn messages(bench: &mut Bench) -> Vec<ReflectedMessage> {
    let batches = bench.events().into_iter().filter_map(|event| match event {
        Event::Reflected(messages) => Some(messages),
        _ => None,
    });
    batches.flatten().collect()
}

#[test]
fn every_message_is_acknowledged_once_and_in_order() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let queue: Vec<ServerMessage> = (10..300).map(|id| reflected(id, false)).collect();
        bench.servers(&queue);
        assert_eq!(acknowledgements(&mut bench), (10..300).collect::<Vec<_>>());
        bench.servers(&queue[..20]);
        assert_eq!(acknowledgements(&mut bench), [0_u32; 0], "nothing is acknowledged twice on a connection");
    });
}

#[test]
fn an_id_is_acknowledged_once_a_connection_also_after_many_gaps() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let queue: Vec<ServerMessage> = (0..5_000).map(|id| reflected(id * 2, false)).collect();
        bench.servers(&queue);
        assert_eq!(acknowledgements(&mut bench).len(), 5_000);
        bench.servers(&queue);
        assert_eq!(acknowledgements(&mut bench), [0_u32; 0]);
    });
}

#[test]
fn nothing_is_acknowledged_before_it_is_durable() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    let frames = (1..=5).map(|id| reflected(id, false).encode(Dialect::Dgk)).collect();
    bench.session.handle(bench.now, SessionInput::Frames(frames));
    let mut connection = None;
    while let Some(output) = bench.session.poll() {
        assert!(!matches!(output, SessionOutput::Send(_)), "an acknowledgement left before the message was durable");
        if let SessionOutput::Reflected { connection: of, messages } = output {
            assert_eq!(messages.len(), 5);
            connection = Some(of);
        }
    }
    let connection = connection.unwrap();
    bench.input(SessionInput::Durable { connection, count: 2 });
    assert_eq!(acknowledgements(&mut bench), [1, 2]);
    bench.input(SessionInput::Durable { connection, count: 100 });
    assert_eq!(acknowledgements(&mut bench), [3, 4, 5]);
    bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
    bench.wait(Duration::from_secs(10));
    bench.log_in(SlotState::Existing);
    bench.servers(&[reflected(6, false)]);
    acknowledgements(&mut bench);
    bench.input(SessionInput::Durable { connection, count: 1 });
    assert_eq!(acknowledgements(&mut bench), [0_u32; 0], "news of an earlier connection acknowledges nothing");
}

#[test]
fn acknowledged_is_told_only_when_written() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    let frame = reflected(1, false).encode(Dialect::Dgk);
    bench.session.handle(bench.now, SessionInput::Frames(vec![frame]));
    bench.session.handle(bench.now, SessionInput::Durable { connection: 1, count: 1 });
    let mut outputs: Vec<SessionOutput> = std::iter::from_fn(|| bench.session.poll()).collect();
    let told = |output: &SessionOutput| matches!(output, SessionOutput::Acknowledged(_));
    assert!(!outputs.iter().any(told), "not yet written");
    bench.session.handle(bench.now, SessionInput::Flushed);
    outputs = std::iter::from_fn(|| bench.session.poll()).collect();
    assert_eq!(outputs, [SessionOutput::Acknowledged(vec![ReflectedId(1)])]);
}

#[test]
fn ephemeral_messages_are_shown_but_never_acknowledged() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.servers(&[reflected(1, false), reflected(2, true), reflected(3, false)]);
    assert_eq!(acknowledgements(&mut bench), [1, 3]);
    assert_eq!(messages(&mut bench).iter().map(|message| message.ephemeral).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn the_seed_has_no_ephemeral_flag() {
    let mut bench = Bench::logged_in(config(Dialect::Mk));
    bench.servers(&[reflected(1, true)]);
    assert_eq!(acknowledgements(&mut bench), [1]);
}

#[test]
fn messages_that_come_again_are_marked_and_acknowledged_again() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.servers(&[reflected(1, false), reflected(2, false)]);
        bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
        bench.wait(Duration::from_secs(10));
        bench.log_in(SlotState::Existing);
        messages(&mut bench);
        acknowledgements(&mut bench);
        bench.servers(&[reflected(2, false), reflected(3, false)]);
        let marks: Vec<_> =
            messages(&mut bench).iter().map(|message| (message.redelivered, message.repeated_nonce)).collect();
        assert_eq!(marks, [(true, false), (false, false)]);
        assert_eq!(acknowledgements(&mut bench), [2, 3]);
    });
}

#[test]
fn a_new_slot_counts_its_ids_anew() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.servers(&[reflected(1, false)]);
    bench.closed_by_server(4113);
    bench.command(Command::Reconnect { expect: Some(SlotState::New) });
    bench.log_in(SlotState::New);
    messages(&mut bench);
    bench.servers(&[reflected(1, false)]);
    let again = messages(&mut bench);
    assert!(!again[0].redelivered, "the id is of another slot");
    assert!(again[0].repeated_nonce, "but the nonce was seen: a replay");
}

#[test]
fn what_does_not_decrypt_is_shown_as_such_and_acknowledged() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.servers(&[reflected(8, false)]);
        assert_eq!(messages(&mut bench)[0].content, Err(crate::protocol::OpenError::DoesNotDecrypt));
        assert_eq!(acknowledgements(&mut bench), [8]);
    });
}
