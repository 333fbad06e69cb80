//! [`PlayedRecording`]: a recording as the dashboard plays it.

use std::time::{Duration, Instant};

use super::{Replay, ReplaySpeed};
use crate::output::times::Zone;
use crate::protocol::Millis;
use crate::runtime::{Playback, PlaybackRequest, PlayedBack};
use crate::text::Clean;

/// How long is played before the screen has its turn.
const SLICE: Duration = Duration::from_millis(10);

/// A recording as the dashboard plays it.
#[derive(Debug)]
pub struct PlayedRecording {
    replay: Replay,
    speed: ReplaySpeed,
    until: Option<Millis>,
    zone: Zone,
    /// The time of then at that moment; [`None`] while it stands still.
    since: Option<Instant>,
    at: Millis,
    /// How many inputs were played.
    played: u64,
    ended: bool,
}

impl PlayedRecording {
    /// Plays from the beginning, and stands still at that time or the end.
    #[must_use]
    pub fn new(replay: Replay, speed: ReplaySpeed, until: Option<Millis>, zone: Zone) -> Self {
        let at = replay.begins_at().unwrap_or_default();
        Self { replay, speed, until, zone, since: Some(Instant::now()), at, played: 0, ended: false }
    }

    fn stand_still(&mut self) {
        self.at = self.now();
        self.since = None;
    }

    /// Plays the next input; false if there is none, or it is not to be played.
    fn step(&mut self, tell: &mut dyn FnMut(PlayedBack)) -> bool {
        let Some((tab, Ok(Some(played)))) = self.replay.next(false) else { return false };
        self.played += 1;
        for (at, event) in played.told {
            tell(PlayedBack::Told(tab, at, event));
        }
        // Also back, where the clock was set back.
        self.at = played.at.wall;
        true
    }

    fn place(&self) -> String {
        format!("frame {} at {}", self.played, self.zone.day_and_second(self.at))
    }

    fn end(&mut self) -> Clean {
        self.stand_still();
        self.ended = true;
        let what = match self.replay.fault() {
            Some(fault) => format!("the recording cannot be read on: {fault}"),
            None => "the recording ends here".to_owned(),
        };
        Clean::new(&format!("{what}: {}; {{ steps back", self.place()))
    }
}

impl Playback for PlayedRecording {
    fn now(&self) -> Millis {
        let (Some(since), ReplaySpeed::Times(times)) = (self.since, self.speed) else { return self.at };
        let now = self.at.after(since.elapsed() * times);
        // The screen never shows a time that what was told then did not have yet.
        self.replay.next_at().map_or(self.at, |next| if next >= self.at { now.min(next) } else { self.at })
    }

    fn wait(&self) -> Option<Duration> {
        let since = self.since?;
        let next = self.replay.next_at().unwrap_or(self.at);
        Some(self.speed.wait(self.at, next).saturating_sub(since.elapsed()))
    }

    fn advance(&mut self, tell: &mut dyn FnMut(PlayedBack)) -> Option<Clean> {
        let begun = Instant::now();
        while begun.elapsed() < SLICE && self.wait().is_some_and(|wait| wait.is_zero()) {
            match self.replay.next_at() {
                Some(next) if self.until.is_some_and(|until| next > until) => {
                    self.stand_still();
                    self.at = self.until.take().unwrap_or(self.at).max(self.at);
                    return Some(Clean::new(&format!("as it was after {}; Space plays on", self.place())));
                }
                _ if self.step(tell) => self.since = Some(Instant::now()),
                _ => return Some(self.end()),
            }
        }
        None
    }

    fn ask(&mut self, request: PlaybackRequest, tell: &mut dyn FnMut(PlayedBack)) -> Clean {
        match request {
            PlaybackRequest::Pause if self.since.is_some() => {
                self.stand_still();
                Clean::new(&format!("stands still: {}; Space plays on, {{ and }} step", self.place()))
            }
            PlaybackRequest::Pause if self.ended => self.end(),
            PlaybackRequest::Pause => {
                self.since = Some(Instant::now());
                Clean::literal("plays on; Space stands still")
            }
            PlaybackRequest::Step => {
                self.stand_still();
                if self.step(tell) { Clean::new(&self.place()) } else { self.end() }
            }
            PlaybackRequest::StepBack => {
                let target = self.played.saturating_sub(1);
                if let Err(error) = self.replay.rewind() {
                    return Clean::new(&error.to_string());
                }
                tell(PlayedBack::Anew);
                (self.since, self.played, self.ended) = (None, 0, false);
                self.at = self.replay.begins_at().unwrap_or(self.at);
                while self.played < target && self.step(tell) {}
                Clean::new(&self.place())
            }
        }
    }
}
