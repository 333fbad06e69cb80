use std::time::Duration;

use serde_json::Value;

use super::super::board::Due;
use super::super::{Board, Case, Reaction, Rule, Trigger};
use crate::protocol::{CloseCode, DeviceId, Millis};
use crate::runtime::held_lock::HeldLock;
use crate::session::Now;

fn rules(trigger: Trigger) -> Vec<Rule> {
    vec![Rule { trigger, reaction: Reaction::Run(vec!["true".to_owned()]) }]
}

fn case() -> Case {
    Case { line: Value::Null, words: crate::text::Clean::default() }
}

fn numbered(number: u64) -> Case {
    Case { line: number.into(), ..case() }
}

const fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn take(board: &Board, millis: u64) -> Vec<Due> {
    board.take(Now::from(Millis(millis)))
}

#[test]
fn a_flood_is_one_case_at_once_and_one_a_second_later() {
    let board = Board::default();
    let (_, desk) = board.add_session("", &rules(Trigger::Replay));
    board.leave(desk, at(10), 0, case);
    let first = take(&board, 10);
    assert_eq!((first.len(), first[0].suppressed), (1, 0));
    board.done(desk);
    for _ in 0..1_000 {
        board.leave(desk, at(20), 2, case);
    }
    assert!(take(&board, 500).is_empty(), "not sooner than a second");
    assert_eq!(board.due_at(), Some(at(1_010)));
    let second = take(&board, 1_010);
    assert_eq!((second.len(), second[0].suppressed), (1, 2_999));
    assert!(take(&board, 9_999).is_empty());
}

#[test]
fn each_device_and_each_close_has_a_run_of_its_own_until_there_are_too_many() {
    let each =
        [Trigger::NewDevice, Trigger::DeviceDropped, Trigger::DeviceInfoChanged, Trigger::Close(CloseCode(1_000))];
    for trigger in each {
        let board = Board::default();
        let (_, desk) = board.add_session("", &rules(trigger));
        for number in 0..20 {
            board.leave(desk, at(0), 0, || numbered(number));
        }
        let mut runs = Vec::new();
        for second in 0..30 {
            assert!(take(&board, second * 1_000).into_iter().map(|due| runs.push(due)).count() <= 1, "one a second");
            board.done(desk);
        }
        let numbers: Vec<u64> = runs.iter().filter_map(|due| due.case.line.as_u64()).collect();
        assert_eq!(numbers, (0..16).collect::<Vec<u64>>(), "{trigger:?}: in order, and the first ones");
        assert_eq!(runs.iter().map(|due| due.suppressed).sum::<u64>(), 4, "{trigger:?}: the rest is counted");
        assert_eq!(board.waiting(), 0);
    }
}

#[test]
fn the_next_session_of_a_profile_keeps_its_pace() {
    let board = Board::default();
    let first = board.add_session("home", &rules(Trigger::Replay));
    board.leave(first.1, at(10), 0, case);
    assert_eq!(take(&board, 10).len(), 1);
    board.done(first.1);
    assert_eq!(board.add_session("home", &rules(Trigger::Replay)), first);
    board.leave(first.1, at(20), 0, case);
    assert!(take(&board, 500).is_empty(), "not sooner than a second");
    assert_ne!(board.add_session("work", &rules(Trigger::Replay)), first);
}

#[test]
fn a_clock_that_is_set_back_mutes_nothing() {
    let board = Board::default();
    let (session, desk) = board.add_session("", &rules(Trigger::LockStuck(at(60_000))));
    let two_hours = 7_200_000;
    let held = HeldLock { holder: None, scope: None, since: at(0) };
    board.set_lock(session, Some(held));
    let stuck = board.take(Now { wall: Millis(two_hours), precise: at(60_000) });
    assert_eq!(stuck[0].case.line["held_ms"], 60_000);
    board.done(desk);
    board.leave(desk, at(61_000), 0, case);
    assert_eq!(board.due_at(), Some(at(61_000)));
    assert_eq!(board.take(Now { wall: Millis(1_000), precise: at(61_000) }).len(), 1, "two hours back, a second later");
}

#[test]
fn a_command_that_runs_keeps_only_its_own_rule_waiting() {
    let board = Board::default();
    let (_, slow) = board.add_session("slow", &rules(Trigger::Lost));
    let (_, other) = board.add_session("other", &rules(Trigger::Lost));
    board.leave(slow, at(1), 0, case);
    assert_eq!(take(&board, 1).len(), 1);
    board.leave(slow, at(2), 0, case);
    board.leave(other, at(2), 0, case);
    let due = take(&board, 5_000);
    assert_eq!(due.iter().map(|due| due.profile.as_str()).collect::<Vec<_>>(), ["other"]);
    assert_eq!(board.due_at(), None, "nothing to wake up for");
    board.done(slow);
    assert_eq!(take(&board, 5_000).len(), 1);
}

#[test]
fn a_stuck_lock_is_told_once_each_time_it_is_held() {
    let board = Board::default();
    let (session, _) = board.add_session("", &rules(Trigger::LockStuck(Duration::from_secs(60))));
    assert_eq!(board.due_at(), None, "a free lock costs nothing");
    let held = |since| Some(HeldLock { holder: Some(DeviceId(1)), scope: None, since: at(since) });
    board.set_lock(session, held(0));
    assert_eq!(board.due_at(), Some(at(60_000)));
    assert!(take(&board, 59_999).is_empty());
    let due = take(&board, 60_000);
    assert_eq!(due[0].case.line["held_ms"], 60_000);
    board.done(due[0].desk);
    assert!(take(&board, 600_000).is_empty(), "once");
    board.set_lock(session, None);
    board.set_lock(session, held(700_000));
    assert_eq!(take(&board, 800_000).len(), 1);
}

/// Desks of so many sessions, each with a case that waits.
fn waiting(board: &Board, count: u64) -> Vec<usize> {
    let desk = |number: u64| {
        let (_, desk) = board.add_session(&number.to_string(), &rules(Trigger::NewDevice));
        board.leave(desk, at(number), 0, case);
        desk
    };
    (0..count).map(desk).collect()
}

#[test]
fn no_more_than_four_commands_run_at_once_and_who_waits_longest_is_next() {
    let board = Board::default();
    let desks = waiting(&board, 6);
    let due = take(&board, 10);
    assert_eq!(due.iter().map(|due| due.desk).collect::<Vec<_>>(), desks[..4]);
    assert_eq!(board.due_at(), None);
    // The first ones have more to do, and do it again as soon as they may: the others come first all the same.
    for desk in &desks[..4] {
        board.leave(*desk, at(11), 0, case);
        board.done(*desk);
    }
    let due = take(&board, 60_000);
    assert_eq!(due.iter().map(|due| due.desk).collect::<Vec<_>>(), [desks[4], desks[5], desks[0], desks[1]]);
}

#[test]
fn telling_somebody_neither_waits_for_commands_nor_takes_their_place() {
    let board = Board::default();
    assert_eq!(waiting(&board, 4).len(), take(&board, 10).len(), "as many as may run");
    let telling = [Rule { trigger: Trigger::Promoted, reaction: Reaction::Tell }];
    let (_, desk) = board.add_session("told", &telling);
    board.leave(desk, at(20), 0, case);
    assert_eq!(board.due_at(), Some(at(20)));
    assert_eq!(take(&board, 20).len(), 1);
    board.done(0);
    board.leave(0, at(30), 0, case);
    assert_eq!(take(&board, 5_000).len(), 1, "a command runs while somebody is being told");
}

#[test]
fn what_can_become_of_a_case_is_counted_from_the_start() {
    let board = Board::default();
    board.add_session("", &rules(Trigger::Lost));
    board.add_session("work", &[Rule { trigger: Trigger::Lost, reaction: Reaction::Tell }]);
    let outcomes = board.outcomes();
    for outcome in ["ran", "failed", "timed_out", "suppressed", "told"] {
        assert_eq!(outcomes.get(&("lost", outcome)), Some(&0), "{outcome}");
    }
}
