//! A wall clock that is moved moves nothing: everything happens when it would have happened, and what is shown of it is as
//! long ago, or as far ahead, as it would have been.

use super::*;
use crate::group::{ConnectionState, Group, LockState, RoleState};

/// The same session twice, and what its user sees, of which one has its wall clock moved.
struct Pair {
    dialect: Dialect,
    start: Millis,
    passed: Duration,
    sessions: [Session; 2],
    groups: [Group; 2],
    moved: i64,
}

/// How far from now, in milliseconds, the times are that the user sees.
fn seen(group: &Group, wall: Millis) -> Vec<(&'static str, i64)> {
    let (since, next) = match *group.connection() {
        ConnectionState::Waiting { since, next: NextStep::RetryAt { at, .. }, .. } => (Some(since), Some(at)),
        ConnectionState::Waiting { since, .. }
        | ConnectionState::Draining { since, .. }
        | ConnectionState::Live { since } => (Some(since), None),
        _ => (None, None),
    };
    let lock_ends = match *group.lock().state() {
        LockState::Ours { expires_at, .. } => expires_at,
        _ => None,
    };
    let back_at = match group.role().state() {
        RoleState::GivenUp { back_at, .. } => Some(back_at),
        RoleState::Leader { since } | RoleState::Follower { since } => Some(since),
        RoleState::Unknown => None,
    };
    let times = [
        ("last word", group.last_word()),
        ("list", group.devices().as_of()),
        ("since", since),
        ("next", next),
        ("lock told", group.lock().told_at()),
        ("lock ends", lock_ends),
        ("lock ended", group.lock().ended().next().map(|ended| ended.at)),
        ("role", back_at),
        ("received", group.feed().get(0).map(|row| row.received_at)),
    ];
    times.into_iter().filter_map(|(what, at)| Some((what, at?.ahead_of(wall)))).collect()
}

/// What a session did, without times of day.
fn deeds(outputs: impl Iterator<Item = SessionOutput>, wall: Millis) -> Vec<String> {
    outputs
        .filter_map(|output| match output {
            SessionOutput::Event(Event::ClockMoved { .. }) => None,
            SessionOutput::Event(Event::Disconnected { cause, next: NextStep::RetryAt { at, attempt } }) => {
                Some(format!("{cause:?}, again in {:?}, attempt {attempt}", at.since(wall)))
            }
            SessionOutput::Event(Event::RoleGivenUp { back_at, promotions_in_a_row }) => {
                Some(format!("role given up for {:?}, {promotions_in_a_row}", back_at.since(wall)))
            }
            SessionOutput::Event(Event::Lock(crate::group::LockEvent::Acquired { expires_at, .. })) => {
                Some(format!("lock for {:?}", expires_at.map(|at| at.since(wall))))
            }
            SessionOutput::Reflected { messages, .. } => Some(format!("{} reflected", messages.len())),
            output => Some(format!("{output:?}")),
        })
        .collect()
}

impl Pair {
    fn new(config: &SessionConfig, prepare: impl Fn(&mut Bench)) -> Self {
        let [(first, first_group), (second, second_group)] = [(); 2].map(|()| {
            let mut bench = Bench::new(config.clone());
            prepare(&mut bench);
            let mut group = Group::default();
            bench.events().iter().for_each(|event| group.apply(bench.now, event));
            (bench, group)
        });
        Self {
            dialect: first.dialect,
            start: first.now,
            passed: Duration::ZERO,
            sessions: [first.session, second.session],
            groups: [first_group, second_group],
            moved: 0,
        }
    }

    /// Gives both the same input; what both do, which is the same.
    fn input(&mut self, input: impl Fn() -> SessionInput) -> Vec<String> {
        let true_time = self.start.after(self.passed);
        let precise = Duration::from_millis(self.start.0) + self.passed;
        let (mut deadlines, mut times) = (Vec::new(), Vec::new());
        let [expected, found] = [0, self.moved].map(|moved| {
            let wall = true_time.offset_by(moved);
            let (session, group) = (&mut self.sessions[deadlines.len()], &mut self.groups[deadlines.len()]);
            session.handle(Now { wall, precise }, input());
            let outputs: Vec<SessionOutput> = std::iter::from_fn(|| session.poll()).collect();
            for output in &outputs {
                match output {
                    SessionOutput::Event(event) => group.apply(wall, event),
                    SessionOutput::Reflected { messages, .. } => group.apply(wall, &Event::Reflected(messages.clone())),
                    _ => {}
                }
            }
            deadlines.push(session.deadline().map(|at| at.ahead_of(wall)));
            times.push(seen(group, wall));
            deeds(outputs.into_iter(), wall)
        });
        for (expected, found) in times[0].iter().zip(&times[1]) {
            // What is moved by less than a second, to one side or the other, is not told.
            let is_same = expected.0 == found.0 && expected.1.abs_diff(found.1) <= 2 * CLOCK_SLACK;
            assert!(is_same, "{}: moved by {} ms: {expected:?} is {found:?}", self.dialect, self.moved);
        }
        assert_eq!(times[0].len(), times[1].len(), "{}: {times:?}", self.dialect);
        assert_eq!(expected, found, "{}: moved by {} ms, after {:?}", self.dialect, self.moved, self.passed);
        assert_eq!(deadlines[0], deadlines[1], "{}: the next deadline after {:?}", self.dialect, self.passed);
        expected
    }

    fn server(&mut self, message: &ServerMessage) -> Vec<String> {
        let dialect = self.dialect;
        self.input(|| SessionInput::Frames(vec![message.encode(dialect)]))
    }

    fn command(&mut self, command: &Command) -> Vec<String> {
        self.input(|| SessionInput::Command(command.clone()))
    }

    /// Lets time pass in tenths of a second; pings are answered if `alive`. The deeds of it.
    fn wait(&mut self, seconds: u64, alive: bool) -> Vec<String> {
        let mut done = Vec::new();
        for _ in 0..seconds * 10 {
            self.passed += Duration::from_millis(100);
            let now = self.input(|| SessionInput::Timer);
            let pinged = now.iter().any(|deed| deed == "Ping");
            done.extend(now);
            if pinged && alive {
                done.extend(self.input(|| SessionInput::Pong));
            }
        }
        done
    }
}

fn logged_in(bench: &mut Bench) {
    bench.log_in(SlotState::New);
}

/// Runs in both dialects, with clocks that are set forward and back.
fn in_all_ways(test: impl Fn(Dialect, i64)) {
    in_both_dialects(|dialect| {
        for moved in [3_600_000, -3_600_000, 700] {
            test(dialect, moved);
        }
    });
}

#[test]
fn who_asks_for_something_is_attended_for_as_long_as_ever() {
    in_all_ways(|dialect, moved| {
        let config = SessionConfig { presence: Presence::Visit(Duration::from_mins(10)), ..config(dialect) };
        let mut pair = Pair::new(&config, |bench| {
            logged_in(bench);
            let list = device_list::list(bench, &[OWN, PHONE]);
            bench.servers(&[list, ServerMessage::ReflectionQueueDry]);
            bench.command(Command::Ping);
            bench.input(SessionInput::Pong);
        });
        pair.moved = moved;
        assert!(!pair.wait(59, true).iter().any(|deed| deed.starts_with("Close")), "attended for a minute");
        assert!(pair.wait(2, true).iter().any(|deed| deed.starts_with("Close")), "and then the visit is over");
    });
}

#[test]
fn nonsense_is_told_as_a_number_for_as_long_as_ever() {
    in_all_ways(|dialect, moved| {
        let mut pair = Pair::new(&config(dialect), |bench| {
            logged_in(bench);
            for _ in 0..20 {
                bench.input(SessionInput::TextFrame);
            }
        });
        pair.moved = moved;
        let mut told = Vec::new();
        for second in 1..=60 {
            pair.wait(1, true);
            if !pair.input(|| SessionInput::TextFrame).is_empty() {
                told.push(second);
            }
        }
        assert_eq!(told, [60]);
    });
}

#[test]
fn an_answer_about_the_lock_is_awaited_for_as_long_as_ever() {
    in_all_ways(|dialect, moved| {
        let mut pair = Pair::new(&config(dialect), logged_in);
        pair.command(&Command::TakeLock { scope: TransactionScope::ContactSync, ttl: Some(Duration::from_secs(20)) });
        pair.wait(1, true);
        pair.moved = moved;
        assert!(!pair.wait(23, true).iter().any(|deed| deed.starts_with("Close")));
        assert!(pair.wait(2, true).iter().any(|deed| deed.starts_with("Close")));
    });
}

#[test]
fn a_lock_is_held_for_as_long_as_ever() {
    in_all_ways(|dialect, moved| {
        let mut pair = Pair::new(&config(dialect), logged_in);
        pair.command(&Command::TakeLock { scope: TransactionScope::ContactSync, ttl: Some(Duration::from_secs(20)) });
        pair.server(&ServerMessage::BeginTransactionAck);
        pair.wait(1, true);
        pair.moved = moved;
        let done = pair.wait(20, true);
        let commit = SessionOutput::Send(ClientMessage::CommitTransaction.encode(dialect));
        assert!(done.contains(&format!("{commit:?}")));
    });
}

#[test]
fn a_server_that_is_silent_under_a_lock_is_given_up_as_soon_as_ever() {
    in_all_ways(|dialect, moved| {
        let mut pair = Pair::new(&config(dialect), logged_in);
        pair.command(&Command::TakeLock { scope: TransactionScope::ContactSync, ttl: None });
        pair.server(&ServerMessage::BeginTransactionAck);
        pair.wait(1, false);
        pair.moved = moved;
        assert!(pair.wait(6, false).iter().any(|deed| deed.starts_with("NoAnswer")));
    });
}

#[test]
fn a_role_is_given_up_as_soon_as_ever() {
    in_all_ways(|dialect, moved| {
        let mut pair = Pair::new(&config(dialect), logged_in);
        // Never durable: the role is given up when the grace is over.
        pair.server(&reflected(1, false));
        pair.server(&ServerMessage::RolePromotedToLeader);
        pair.wait(1, true);
        pair.moved = moved;
        assert!(pair.wait(1, true).iter().any(|deed| deed.starts_with("role given up")));
        let done = pair.wait(61, true);
        assert!(done.contains(&"Connect".to_owned()), "and back after a minute: {done:?}");
    });
}

#[test]
fn a_silent_server_is_pinged_and_given_up_as_soon_as_ever() {
    in_all_ways(|dialect, moved| {
        for before in [1, 16] {
            let mut pair = Pair::new(&config(dialect), logged_in);
            pair.server(&ServerMessage::ReflectionQueueDry);
            pair.wait(before, false);
            pair.moved = moved;
            let done = pair.wait(31 - before, false);
            assert!(done.iter().any(|deed| deed.starts_with("NoAnswer")), "{before}: {done:?}");
        }
    });
}

#[test]
fn another_devices_lead_is_known_as_soon_as_ever() {
    in_all_ways(|dialect, moved| {
        let mut pair = Pair::new(&config(dialect), logged_in);
        pair.server(&ServerMessage::ReflectionQueueDry);
        pair.wait(1, true);
        pair.moved = moved;
        let done = pair.wait(12, true);
        assert!(done.contains(&format!("{:?}", SessionOutput::Event(Event::Following))), "{done:?}");
    });
}

#[test]
fn lists_are_asked_for_as_often_as_ever() {
    in_all_ways(|dialect, moved| {
        let scope = Sealed::seal(&TransactionScope::NewDeviceSync, &keys(dialect), Nonce([3; 24]));
        let ended = ServerMessage::TransactionEnded { holder: PHONE, scope };
        let empty = ServerMessage::DevicesInfo(std::collections::BTreeMap::new());
        let list = format!("{:?}", SessionOutput::Send(ClientMessage::GetDevicesInfo.encode(dialect)));
        let mut pair = Pair::new(&config(dialect), logged_in);
        pair.wait(2, true);
        pair.server(&empty);
        pair.moved = moved;
        let mut asked = Vec::new();
        for second in 0..80 {
            if second < 5 {
                pair.server(&ended);
            }
            if pair.wait(1, true).contains(&list) {
                asked.push(second);
                pair.server(&empty);
            }
        }
        assert_eq!(asked, [7, 67], "10 s after the last request, then every minute");
    });
}

#[test]
fn connecting_greeting_and_waiting_take_as_long_as_ever() {
    in_all_ways(|dialect, moved| {
        let connecting = |bench: &mut Bench| bench.input(SessionInput::Timer);
        let greeting = |bench: &mut Bench| bench.greet();
        for (prepare, end) in [
            (&connecting as &dyn Fn(&mut Bench), "Unreachable"),
            (&greeting as &dyn Fn(&mut Bench), "HandshakeTimeout"),
        ] {
            let mut pair = Pair::new(&config(dialect), prepare);
            pair.wait(1, true);
            pair.moved = moved;
            let done = pair.wait(20, true);
            assert!(done.iter().any(|deed| deed.starts_with(end)), "{end}: {done:?}");
            // And while waiting to come back.
            pair.moved = -moved;
            let done = pair.wait(10, true);
            assert!(done.contains(&"Connect".to_owned()), "{done:?}");
        }
    });
}

#[test]
fn a_login_counts_as_stable_as_late_as_ever() {
    in_all_ways(|dialect, moved| {
        for (seconds, attempt) in [(20, 3), (40, 2)] {
            let mut pair = Pair::new(&config(dialect), |bench| {
                bench.input(SessionInput::Timer);
                bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
                bench.wait(Duration::from_secs(10));
                bench.log_in(SlotState::New);
            });
            pair.moved = moved;
            pair.wait(seconds, true);
            let done = pair.input(|| SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
            assert!(done.iter().any(|deed| deed.ends_with(&format!("attempt {attempt}"))), "{seconds}: {done:?}");
        }
    });
}

#[test]
fn a_device_that_the_list_does_not_have_is_looked_for_as_soon_as_ever() {
    in_all_ways(|dialect, moved| {
        let scope = Sealed::seal(&TransactionScope::ContactSync, &keys(dialect), Nonce([3; 24]));
        let ended = ServerMessage::TransactionEnded { holder: PHONE, scope };
        let list = format!("{:?}", SessionOutput::Send(ClientMessage::GetDevicesInfo.encode(dialect)));
        let mut pair = Pair::new(&config(dialect), logged_in);
        pair.wait(5, true);
        pair.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        pair.moved = moved;
        pair.server(&ended);
        let asked: Vec<_> = (6..=16).filter(|_| pair.wait(1, true).contains(&list)).collect();
        assert_eq!(asked, [15], "10 s after the list came");
    });
}

/// A session that waits for its user has no deadline; whoever wakes it has it look at the clock.
#[test]
fn who_waits_for_the_user_is_told_of_a_moved_clock() {
    in_all_ways(|dialect, moved| {
        let mut pair = Pair::new(&config(dialect), logged_in);
        pair.wait(3, true);
        pair.input(|| {
            SessionInput::LinkDown(LinkEnd::Closed { code: CloseCode::DROPPED_BY_DEVICE, reason: Clean::default() })
        });
        pair.moved = moved;
        assert!(pair.wait(20, true).is_empty(), "{dialect}: nothing else happens");
        let reconnect = Command::Reconnect { expect: None };
        assert!(pair.command(&reconnect).contains(&"Connect".to_owned()), "{dialect}");
    });
}
