//! [`Probing`]: sends one probe after the other and waits for its answer.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::means::Means;
use crate::cli::ProbeArgs;
use crate::group::Event;
use crate::output::advice::refusal_words;
use crate::output::lines::Printer;
use crate::output::ndjson::{self, span_micros};
use crate::output::round_trips::{RoundTrips, millis};
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::runtime::one_shot::{LEADER_PATIENCE, LEADER_WARNING, PATIENCE};
use crate::runtime::{OneShotSession, clock};

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

pub(super) struct Probing<'a> {
    options: &'a ProbeArgs,
    means: Means,
    visit: &'a mut OneShotSession,
    /// Whether a leader stays all the same.
    stays: bool,
    /// When a leader leaves.
    leave_by: Option<Instant>,
    pub(super) round_trips: RoundTrips,
    pub(super) printer: Printer,
}

impl<'a> Probing<'a> {
    pub(super) fn new(
        options: &'a ProbeArgs,
        means: Means,
        visit: &'a mut OneShotSession,
        stays: bool,
    ) -> Result<Self, Failure> {
        let printer = Printer::start().map_err(Failure::Start)?;
        Ok(Self { options, means, visit, stays, leave_by: None, round_trips: RoundTrips::default(), printer })
    }

    /// Probes until enough were answered, or nobody reads any more; whether somebody does.
    pub(super) async fn run(&mut self) -> Result<bool, Failure> {
        let unread = self.printer.unread();
        tokio::select! {
            biased;
            ended = self.probe_all() => ended.map(|()| true),
            () = unread => Ok(false),
        }
    }

    async fn probe_all(&mut self) -> Result<(), Failure> {
        // The list that comes with the login is nobody's probe; what waits in the queue would be in the way.
        let (mut listed, mut dry) = (false, false);
        while !(listed && dry) {
            let (_, event) = self.visit.next().await?;
            // A long queue takes long; only silence is no answer.
            self.visit.hurry(PATIENCE);
            listed |= matches!(event, Event::Devices(_));
            dry |= event == Event::QueueDry;
            self.notice(&event)?;
        }
        self.visit.take_time();
        loop {
            // Beyond any clock, there is no next one.
            let next = Instant::now().checked_add(self.options.interval);
            if !self.probe().await? || self.options.count == Some(self.round_trips.sent()) {
                return Ok(());
            }
            // What happens until then is of interest, too.
            while let Some(event) = self.next(next).await? {
                self.notice(&event)?;
            }
        }
    }

    /// One probe; whether anybody reads what came of it.
    async fn probe(&mut self) -> Result<bool, Failure> {
        self.round_trips.send();
        self.visit.ask(self.means.command());
        let sent = Instant::now();
        while let Some(event) = self.next(Some(sent + ANSWER_WITHIN)).await? {
            self.notice(&event)?;
            let Some(elapsed) = self.means.answer(&event) else { continue };
            if self.is_ours(elapsed, sent) {
                self.round_trips.answer(elapsed);
                return Ok(self.print(Some(elapsed)).await);
            }
            if self.means == Means::Ping {
                // The session took ours for the same as that one, and waits for no other.
                self.visit.ask(self.means.command());
            }
        }
        Ok(self.print(None).await)
    }

    /// Whether that answers what was sent then, and not an earlier probe that was given up or what the session asks for by
    /// itself. A ping of its own that was under way is as good as ours, which then is none of its own.
    fn is_ours(&self, elapsed: Duration, sent: Instant) -> bool {
        elapsed <= sent.elapsed() || self.means == Means::Ping && elapsed <= ANSWER_WITHIN
    }

    /// What happens before that time.
    async fn next(&mut self, until: Option<Instant>) -> Result<Option<Event>, Failure> {
        let leave_by = self.leave_by.filter(|leave_by| until.is_none_or(|until| *leave_by < until));
        let Some(end) = leave_by.or(until) else { return Ok(Some(self.visit.next().await?.1)) };
        match timeout_at(end, self.visit.next()).await {
            Ok(told) => Ok(Some(told?.1)),
            Err(_) if leave_by.is_some() => {
                let words = "left: this device was leader for a minute; --stay-leader goes on".to_owned();
                Err(Failure::Ended { outcome: Outcome::Lost, words })
            }
            Err(_) => Ok(None),
        }
    }

    fn notice(&mut self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Promoted => {
                remark(LEADER_WARNING);
                self.leave_by = (!self.stays).then(|| Instant::now() + LEADER_PATIENCE);
            }
            Event::Refused(why) => return Err(Failure::Ended { outcome: Outcome::Unwell, words: refusal_words(*why) }),
            _ => {}
        }
        Ok(())
    }

    /// Waits until the reader has taken what came before; whether there is one.
    async fn print(&self, elapsed: Option<Duration>) -> bool {
        let (sequence, word) = (self.round_trips.sent(), self.means.word());
        let micros = elapsed.map(span_micros);
        let line = if self.options.json {
            let fields = json!({ "seq": sequence, "probe": word, "elapsed_us": micros });
            ndjson::line(clock::now(), "probe", fields).to_string()
        } else {
            let time = micros.map(|micros| format!("time={} ms", millis(micros)));
            format!("{word}: seq={sequence} {}", time.as_deref().unwrap_or("no answer"))
        };
        self.printer.lines.send((line + "\n").into_bytes()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{ConnectionArgs, ProfileChoice};
    use crate::group::Probe;

    fn options() -> ProbeArgs {
        ProbeArgs {
            profile: ProfileChoice::default(),
            count: Some(1),
            interval: Duration::MAX,
            means: crate::cli::MeansArgs { ping: false, reflect: false, yes: false },
            json: false,
            connection: ConnectionArgs::default(),
        }
    }

    /// What one probe takes for its answer of those that come.
    fn answered(means: Means, came: &[Event]) -> (u64, String) {
        let options = options();
        crate::os::event_loop::event_loop().unwrap().block_on(async {
            let (mut visit, _asked, events) = OneShotSession::beside();
            for event in came {
                events.send((clock::now(), event.clone())).unwrap();
            }
            let mut probing = Probing::new(&options, means, &mut visit, true).unwrap();
            assert!(probing.probe().await.unwrap());
            (probing.round_trips.answered(), probing.round_trips.lines().concat())
        })
    }

    #[test]
    fn an_answer_to_what_was_asked_before_is_not_taken_for_ours() {
        let late = ANSWER_WITHIN + Duration::from_secs(1);
        let list = |elapsed| Event::RoundTrip { probe: Probe::DevicesInfo, elapsed };
        let pong = |elapsed| Event::RoundTrip { probe: Probe::Ping, elapsed };
        let stored = |round_trip| Event::ReflectionStored { round_trip };
        for (means, came) in [
            (Means::DevicesInfo, [list(late), list(Duration::ZERO)]),
            (Means::Ping, [pong(late), pong(Duration::ZERO)]),
            (Means::Reflect, [stored(late), stored(Duration::ZERO)]),
        ] {
            let (answered, words) = answered(means, &came);
            assert_eq!(answered, 1);
            assert!(words.contains("min/avg/max/mdev = 0.000/"), "{words}");
        }
    }

    /// Is promoted while it probes, and then waits no longer than nothing: what came of it.
    fn promoted(stays: bool) -> (bool, Outcome, String) {
        let options = options();
        crate::os::event_loop::event_loop().unwrap().block_on(async {
            let (mut visit, _asked, events) = OneShotSession::beside();
            let mut probing = Probing::new(&options, Means::Ping, &mut visit, stays).unwrap();
            probing.notice(&Event::Promoted).unwrap();
            let leaves = probing.leave_by.is_some();
            probing.leave_by = leaves.then(Instant::now);
            // A leader that stays goes on until the connection ends.
            let _connected = leaves.then_some(events);
            match probing.probe().await {
                Err(Failure::Ended { outcome, words }) => (leaves, outcome, words),
                other => panic!("{other:?}"),
            }
        })
    }

    #[test]
    fn a_leader_probes_for_a_minute_unless_it_is_to_stay() {
        let (leaves, outcome, words) = promoted(false);
        assert_eq!((leaves, outcome), (true, Outcome::Lost), "{words}");
        assert!(words.contains("leader for a minute"), "{words}");
        let (leaves, outcome, words) = promoted(true);
        assert_eq!((leaves, outcome), (false, Outcome::Lost), "{words}");
        assert!(!words.contains("leader"), "{words}");
    }
}
