//! A join and an admission meet, whatever the relay does to their messages.

use proptest::prelude::*;

use super::*;

/// What is on its way in one direction.
#[derive(Default)]
struct Wire {
    bytes: Vec<u8>,
    /// How many bytes have passed.
    passed: usize,
    close: Option<CloseCode>,
    is_down: bool,
}

impl Wire {
    /// What comes next: at most `most` bytes, and not past a cut.
    fn next(&mut self, most: usize, cuts: &[usize]) -> Option<LinkInput> {
        if self.bytes.is_empty() {
            let code = self.close.take()?;
            self.is_down = true;
            return Some(closed(if close::is_mirrored(code) { code } else { close::PEER_GONE }));
        }
        let cut = cuts.iter().filter(|cut| **cut > self.passed).min().map_or(usize::MAX, |cut| cut - self.passed);
        let count = self.bytes.len().min(most).min(cut);
        self.passed += count;
        Some(LinkInput::Bytes(self.bytes.drain(..count).collect::<Vec<u8>>().into()))
    }
}

struct Both {
    join: Join,
    admit: Admit,
    to_join: Wire,
    to_admit: Wire,
    matches: bool,
    kept: Option<EssentialData>,
    emoji: [Option<[crate::rendezvous::wire::Emoji; 3]>; 2],
    joined: Option<JoinEnd>,
    admitted: Option<AdmitEnd>,
    lock_is_held: bool,
}

impl Both {
    fn new(contacts: usize) -> Self {
        let link = JoinLink::parse(&link().text()).unwrap();
        let mut both = Self {
            join: Join::new(&link, fresh(1), JoinTiming::default()),
            admit: Admit::new(&link, fresh(2), data(contacts), AdmitTiming::default()),
            to_join: Wire::default(),
            to_admit: Wire::default(),
            matches: true,
            kept: None,
            emoji: [None; 2],
            joined: None,
            admitted: None,
            lock_is_held: false,
        };
        both.join.handle(START, JoinInput::Link(LinkInput::Up));
        both.admit.handle(START, AdmitInput::Link(LinkInput::Up));
        both
    }

    fn join_acts(&mut self) -> bool {
        let Some(output) = self.join.poll() else { return false };
        let answer = match output {
            JoinOutput::Link(LinkOutput::Send(frame)) => {
                self.to_admit.bytes.extend_from_slice(&frame);
                JoinInput::Flushed
            }
            JoinOutput::Link(LinkOutput::Close(code)) => {
                self.to_admit.close = Some(code);
                return true;
            }
            JoinOutput::Event(JoinEvent::Emoji(emoji)) => {
                self.emoji[0] = Some(emoji);
                return true;
            }
            JoinOutput::Persist(persist) => {
                if let Persist::Joining(data) = persist {
                    assert!(self.kept.replace(*data).is_none());
                }
                JoinInput::Persisted
            }
            JoinOutput::LogIn => JoinInput::LoggedIn { others: 1 },
            JoinOutput::DropSlot => JoinInput::Dropped,
            JoinOutput::Ended(end) => {
                self.joined = Some(end);
                return true;
            }
            JoinOutput::Forget | JoinOutput::Event(_) | JoinOutput::Link(LinkOutput::Ping) => return true,
        };
        self.join.handle(START, answer);
        true
    }

    fn admit_acts(&mut self) -> bool {
        let Some(output) = self.admit.poll() else { return false };
        let answer = match output {
            AdmitOutput::Link(LinkOutput::Send(frame)) => {
                self.to_join.bytes.extend_from_slice(&frame);
                return true;
            }
            AdmitOutput::Link(LinkOutput::Close(code)) => {
                self.to_join.close = Some(code);
                return true;
            }
            AdmitOutput::Event(AdmitEvent::Emoji(emoji)) => {
                self.emoji[1] = Some(emoji);
                AdmitInput::Match(self.matches)
            }
            AdmitOutput::BeginTransaction => {
                self.lock_is_held = true;
                AdmitInput::TransactionOpen
            }
            AdmitOutput::EndTransaction => {
                self.lock_is_held = false;
                AdmitInput::TransactionEnded
            }
            AdmitOutput::Ended(end) => {
                self.admitted = Some(end);
                return true;
            }
            AdmitOutput::Event(_) | AdmitOutput::Link(LinkOutput::Ping) => return true,
        };
        self.admit.handle(START, answer);
        true
    }

    /// Until nothing happens any more; returns how many bytes went to each.
    fn run(&mut self, sizes: &[usize], cuts: &[usize]) -> (usize, usize) {
        let mut sizes = sizes.iter().copied().cycle();
        loop {
            while self.join_acts() || self.admit_acts() {}
            let most = sizes.next().unwrap_or(usize::MAX);
            if let Some(input) = self.to_join.next(most, cuts) {
                self.join.handle(START, JoinInput::Link(input));
            } else if let Some(input) = self.to_admit.next(most, cuts) {
                self.admit.handle(START, AdmitInput::Link(input));
            } else {
                return (self.to_join.passed, self.to_admit.passed);
            }
        }
    }

    fn check_joined(&self, contacts: usize) {
        assert_eq!(self.joined, Some(JoinEnd::Registered { is_confirmed: true }));
        assert_eq!(self.admitted, Some(AdmitEnd::Admitted { lock_is_free: true }));
        assert!(self.emoji[0].is_some() && self.emoji[0] == self.emoji[1]);
        assert!(!self.lock_is_held);
        let (kept, given) = (self.kept.as_ref().unwrap(), data(contacts));
        assert_eq!(*kept.secret.expose_hex(), *given.secret.expose_hex());
        assert_eq!((&kept.names, &kept.identity), (&given.names, &given.identity));
        assert_eq!(kept.server_group, given.server_group);
    }
}

#[test]
fn they_join_however_the_messages_are_cut() {
    let (to_join, to_admit) = Both::new(2).run(&[], &[]);
    assert!(to_join > 200 && to_admit > 100, "{to_join} {to_admit}");
    for cut in 0..=to_join.max(to_admit) {
        let mut both = Both::new(2);
        both.run(&[], &[cut]);
        both.check_joined(2);
    }
    let mut both = Both::new(2);
    both.run(&[1], &[]);
    both.check_joined(2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn and_however_they_are_cut_and_merged(
        sizes in prop::collection::vec(prop_oneof![1_usize..40, 1_usize..4_000], 1..10),
        contacts in 0_usize..60,
    ) {
        let mut both = Both::new(contacts);
        both.run(&sizes, &[]);
        both.check_joined(contacts);
    }
}

#[test]
fn twenty_thousand_contacts() {
    let mut both = Both::new(20_000);
    both.run(&[64 * 1024], &[]);
    both.check_joined(20_000);
}

#[test]
fn emoji_that_do_not_match_give_nothing_away() {
    let mut both = Both::new(2);
    both.matches = false;
    both.run(&[], &[]);
    assert_eq!(both.admitted, Some(AdmitEnd::Failed { cause: AdmitCause::NoMatch, key_given: false }));
    let cause = JoinCause::Rendezvous { failure: RendezvousFailure::PeerFailed(close::FAILED), step: JoinStep::Begin };
    assert_eq!(both.joined, Some(JoinEnd::Failed { cause, slot_left: false }));
    assert!(both.kept.is_none() && !both.lock_is_held);
}

/// Mediators take a lock back after a minute at most.
#[test]
fn the_lock_outlasts_all_that_is_waited_for_under_it() {
    let AdmitTiming { registration, commit, .. } = AdmitTiming::default();
    assert!(registration + commit <= std::time::Duration::from_secs(60));
}

/// A new device that says nothing more after the key was given, and ones that leave.
#[test]
fn the_lock_is_let_go_whatever_happens() {
    let sent = |admit: &mut Admit| {
        let mut outputs: Vec<_> = std::iter::from_fn(|| admit.poll()).collect();
        let Some(AdmitOutput::Ended(end)) = outputs.pop() else { panic!("{outputs:?}") };
        (outputs.contains(&AdmitOutput::EndTransaction), end)
    };
    let until = |stage: &str| {
        let mut both = Both::new(1);
        loop {
            if both.lock_is_held == (stage == "locked") && (stage == "locked" || both.emoji[1].is_some()) {
                break;
            }
            if both.join_acts() || both.admit_acts() {
                continue;
            }
            if let Some(input) = both.to_join.next(usize::MAX, &[]) {
                both.join.handle(START, JoinInput::Link(input));
            } else if let Some(input) = both.to_admit.next(usize::MAX, &[]) {
                both.admit.handle(START, AdmitInput::Link(input));
            }
        }
        both.admit
    };
    let mut admit = until("locked");
    admit.handle(START, AdmitInput::Link(closed(close::DONE)));
    assert_eq!(sent(&mut admit), (true, AdmitEnd::Failed { cause: AdmitCause::PeerStopped, key_given: true }));
    let mut admit = until("locked");
    admit.handle(START.after(AdmitTiming::default().registration), AdmitInput::Timer);
    assert_eq!(sent(&mut admit), (true, AdmitEnd::Failed { cause: AdmitCause::NotRegistered, key_given: true }));
    let mut admit = until("confirmed");
    admit.handle(START, AdmitInput::TransactionRefused(Clean::new("held by another")));
    let locked = AdmitCause::Locked(Clean::new("held by another"));
    assert_eq!(sent(&mut admit), (true, AdmitEnd::Failed { cause: locked, key_given: false }));
}
