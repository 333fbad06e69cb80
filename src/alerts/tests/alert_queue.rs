use std::time::Duration;

use serde_json::Value;

use super::super::alert_queue::Due;
use super::super::{Alert, AlertQueue, Reaction, Rule, Trigger};
use crate::group::HeldLock;
use crate::protocol::{CloseCode, DeviceId, Millis};
use crate::session::Now;

fn rules(trigger: Trigger) -> Vec<Rule> {
    vec![Rule { trigger, reaction: Reaction::Run(vec!["true".to_owned()]) }]
}

fn alert() -> Alert {
    Alert { line: Value::Null, words: crate::text::Clean::default() }
}

fn numbered(number: u64) -> Alert {
    Alert { line: number.into(), ..alert() }
}

const fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn take(alerts: &AlertQueue, millis: u64) -> Vec<Due> {
    alerts.take(Now::from(Millis(millis)))
}

#[test]
fn a_flood_is_one_case_at_once_and_one_a_second_later() {
    let alerts = super::alert_queue();
    let (_, queue) = alerts.add_session("", &rules(Trigger::Replay));
    alerts.leave(queue, at(10), 0, alert);
    let first = take(&alerts, 10);
    assert_eq!((first.len(), first[0].suppressed), (1, 0));
    alerts.done(queue);
    for _ in 0..1_000 {
        alerts.leave(queue, at(20), 2, alert);
    }
    assert!(take(&alerts, 500).is_empty(), "not sooner than a second");
    assert_eq!(alerts.due_at(), Some(at(1_010)));
    let second = take(&alerts, 1_010);
    assert_eq!((second.len(), second[0].suppressed), (1, 2_999));
    assert!(take(&alerts, 9_999).is_empty());
}

#[test]
fn each_device_and_each_close_has_a_run_of_its_own_until_there_are_too_many() {
    let each =
        [Trigger::NewDevice, Trigger::DeviceDropped, Trigger::DeviceInfoChanged, Trigger::Close(CloseCode(1_000))];
    for trigger in each {
        let alerts = super::alert_queue();
        let (_, queue) = alerts.add_session("", &rules(trigger));
        for number in 0..20 {
            alerts.leave(queue, at(0), 0, || numbered(number));
        }
        let mut runs = Vec::new();
        for second in 0..30 {
            assert!(take(&alerts, second * 1_000).into_iter().map(|due| runs.push(due)).count() <= 1, "one a second");
            alerts.done(queue);
        }
        let numbers: Vec<u64> = runs.iter().filter_map(|due| due.alert.line.as_u64()).collect();
        assert_eq!(numbers, (0..16).collect::<Vec<u64>>(), "{trigger:?}: in order, and the first ones");
        assert_eq!(runs.iter().map(|due| due.suppressed).sum::<u64>(), 4, "{trigger:?}: the rest is counted");
        assert_eq!(alerts.waiting(), 0);
    }
}

#[test]
fn the_next_session_of_a_profile_keeps_its_pace() {
    let alerts = super::alert_queue();
    let first = alerts.add_session("home", &rules(Trigger::Replay));
    alerts.leave(first.1, at(10), 0, alert);
    assert_eq!(take(&alerts, 10).len(), 1);
    alerts.done(first.1);
    assert_eq!(alerts.add_session("home", &rules(Trigger::Replay)), first);
    alerts.leave(first.1, at(20), 0, alert);
    assert!(take(&alerts, 500).is_empty(), "not sooner than a second");
    assert_ne!(alerts.add_session("work", &rules(Trigger::Replay)), first);
}

#[test]
fn a_clock_that_is_set_back_mutes_nothing() {
    let alerts = super::alert_queue();
    let (session, queue) = alerts.add_session("", &rules(Trigger::LockStuck(at(60_000))));
    let two_hours = 7_200_000;
    let held = HeldLock { holder: None, scope: None, since: at(0) };
    alerts.set_lock(session, Some(held));
    let stuck = alerts.take(Now { wall: Millis(two_hours), precise: at(60_000) });
    assert_eq!(stuck[0].alert.line["held_ms"], 60_000);
    alerts.done(queue);
    alerts.leave(queue, at(61_000), 0, alert);
    assert_eq!(alerts.due_at(), Some(at(61_000)));
    assert_eq!(
        alerts.take(Now { wall: Millis(1_000), precise: at(61_000) }).len(),
        1,
        "two hours back, a second later"
    );
}

#[test]
fn a_command_that_runs_keeps_only_its_own_rule_waiting() {
    let alerts = super::alert_queue();
    let (_, slow) = alerts.add_session("slow", &rules(Trigger::Lost));
    let (_, other) = alerts.add_session("other", &rules(Trigger::Lost));
    alerts.leave(slow, at(1), 0, alert);
    assert_eq!(take(&alerts, 1).len(), 1);
    alerts.leave(slow, at(2), 0, alert);
    alerts.leave(other, at(2), 0, alert);
    let due = take(&alerts, 5_000);
    assert_eq!(due.iter().map(|due| due.profile.as_str()).collect::<Vec<_>>(), ["other"]);
    assert_eq!(alerts.due_at(), None, "nothing to wake up for");
    alerts.done(slow);
    assert_eq!(take(&alerts, 5_000).len(), 1);
}

#[test]
fn a_stuck_lock_is_told_once_each_time_it_is_held() {
    let alerts = super::alert_queue();
    let (session, _) = alerts.add_session("", &rules(Trigger::LockStuck(Duration::from_secs(60))));
    assert_eq!(alerts.due_at(), None, "a free lock costs nothing");
    let held = |since| Some(HeldLock { holder: Some(DeviceId(1)), scope: None, since: at(since) });
    alerts.set_lock(session, held(0));
    assert_eq!(alerts.due_at(), Some(at(60_000)));
    assert!(take(&alerts, 59_999).is_empty());
    let due = take(&alerts, 60_000);
    assert_eq!(due[0].alert.line["held_ms"], 60_000);
    alerts.done(due[0].queue);
    assert!(take(&alerts, 600_000).is_empty(), "once");
    alerts.set_lock(session, None);
    alerts.set_lock(session, held(700_000));
    assert_eq!(take(&alerts, 800_000).len(), 1);
}

/// Queues of so many sessions, each with a alert that waits.
fn waiting(alerts: &AlertQueue, count: u64) -> Vec<usize> {
    let queue = |number: u64| {
        let (_, queue) = alerts.add_session(&number.to_string(), &rules(Trigger::NewDevice));
        alerts.leave(queue, at(number), 0, alert);
        queue
    };
    (0..count).map(queue).collect()
}

#[test]
fn no_more_than_four_commands_run_at_once_and_who_waits_longest_is_next() {
    let alerts = super::alert_queue();
    let queues = waiting(&alerts, 6);
    let due = take(&alerts, 10);
    assert_eq!(due.iter().map(|due| due.queue).collect::<Vec<_>>(), queues[..4]);
    assert_eq!(alerts.due_at(), None);
    // The first ones have more to do, and do it again as soon as they may: the others come first all the same.
    for queue in &queues[..4] {
        alerts.leave(*queue, at(11), 0, alert);
        alerts.done(*queue);
    }
    let due = take(&alerts, 60_000);
    assert_eq!(due.iter().map(|due| due.queue).collect::<Vec<_>>(), [queues[4], queues[5], queues[0], queues[1]]);
}

#[test]
fn telling_somebody_neither_waits_for_commands_nor_takes_their_place() {
    let alerts = super::alert_queue();
    assert_eq!(waiting(&alerts, 4).len(), take(&alerts, 10).len(), "as many as may run");
    let telling = [Rule { trigger: Trigger::Promoted, reaction: Reaction::Tell }];
    let (_, queue) = alerts.add_session("told", &telling);
    alerts.leave(queue, at(20), 0, alert);
    assert_eq!(alerts.due_at(), Some(at(20)));
    assert_eq!(take(&alerts, 20).len(), 1);
    alerts.done(0);
    alerts.leave(0, at(30), 0, alert);
    assert_eq!(take(&alerts, 5_000).len(), 1, "a command runs while somebody is being told");
}

#[test]
fn what_can_become_of_a_case_is_counted_from_the_start() {
    let alerts = super::alert_queue();
    alerts.add_session("", &rules(Trigger::Lost));
    alerts.add_session("work", &[Rule { trigger: Trigger::Lost, reaction: Reaction::Tell }]);
    let outcomes = alerts.outcomes();
    for outcome in ["ran", "failed", "timed_out", "suppressed", "told"] {
        assert_eq!(outcomes.get(&("lost", outcome)), Some(&0), "{outcome}");
    }
}
