//! A wall clock that is moved moves nothing: everything happens when it would have happened.

use super::*;

/// The same session twice, of which one has its wall clock moved.
struct Pair {
    dialect: Dialect,
    start: Millis,
    passed: Duration,
    sessions: [Session; 2],
    moved: i64,
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
        let [first, second] = [(); 2].map(|()| {
            let mut bench = Bench::new(config.clone());
            prepare(&mut bench);
            bench
        });
        Self {
            dialect: first.dialect,
            start: first.now,
            passed: Duration::ZERO,
            sessions: [first.session, second.session],
            moved: 0,
        }
    }

    /// Gives both the same input; what both do, which is the same.
    fn input(&mut self, input: impl Fn() -> SessionInput) -> Vec<String> {
        let true_time = self.start.after(self.passed);
        let precise = Duration::from_millis(self.start.0) + self.passed;
        let mut deadlines = Vec::new();
        let [expected, found] = [0, self.moved].map(|moved| {
            let wall = true_time.offset_by(moved);
            let session = &mut self.sessions[deadlines.len()];
            session.handle(Now { wall, precise }, input());
            let done = deeds(std::iter::from_fn(|| session.poll()), wall);
            deadlines.push(session.deadline().map(|at| at.ahead_of(wall)));
            done
        });
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
