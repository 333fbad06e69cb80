//! Playing recordings again: what was told then is told again, at the times of then. Connects nowhere, writes nothing.
//!
//! | file | what is in it |
//! |---|---|
//! | `lines` | as NDJSON or sentences, and compared with what was recorded |
//! | `playback` | for the dashboard |
//! | `pace` | how fast, and how far |
//! | `key` | which key opens a recording |

mod key;
mod lines;
mod pace;
mod playback;

use std::path::Path;
use std::sync::Arc;

pub use key::KeyChoice;
pub use lines::{ReplayTerms, print};
pub use pace::{ReplaySpeed, until};
pub use playback::PlayedRecording;

use crate::group::{Group, KnownDevices};
use crate::output::{Failure, Outcome};
use crate::protocol::{GroupKeys, GroupSecret, Millis};
use crate::record::{Played, RecordError, RecordedSession, Recording, SessionPlayer};
use crate::simulate::demo_secret;

/// All that a folder has, ready to be played.
#[derive(Debug)]
pub struct Replay {
    /// What is recorded, and the keys of each.
    sessions: Vec<(RecordedSession, Option<Arc<GroupKeys>>)>,
    /// In the order in which they began.
    players: Vec<SessionPlayer>,
    /// Segments that are cut short at their beginning.
    cut_short: Vec<RecordError>,
}

impl Replay {
    /// Opens a recording. Without the group's key, all that devices write to each other stays sealed.
    ///
    /// # Errors
    /// If there is none, it cannot be read, or the key is of no group in it.
    pub fn open(folder: &Path, secret: Option<&GroupSecret>) -> Result<Self, Failure> {
        let Recording { sessions, cut_short } = Recording::open(folder)?;
        let keyed = |session: RecordedSession| {
            let demo = session.start.demo_seed.map(demo_secret);
            let keys = demo.as_ref().or(secret);
            let keys = keys.map(|secret| Arc::new(GroupKeys::derive(session.start.dialect(), secret)));
            (session, keys)
        };
        let sessions: Vec<_> = sessions.into_iter().map(keyed).collect();
        let players = players(&sessions)?;
        if secret.is_some() && !players.is_empty() && !players.iter().any(SessionPlayer::has_key) {
            let id = players.first().map(|player| hex::encode(player.start().group_id)).unwrap_or_default();
            let words = format!("the key is not that of the group that was recorded, whose id is {id}");
            return Err(Failure::Usage(words));
        }
        Ok(Self { sessions, players, cut_short })
    }

    /// Its sessions, in the order in which they began.
    #[must_use]
    pub fn players(&self) -> &[SessionPlayer] {
        &self.players
    }

    /// How many sessions there are, and what the group of each begins with; its feed takes so many rows, and so many bytes
    /// of envelopes.
    pub fn groups(&self, rows: usize, envelope_bytes: usize) -> (usize, impl Fn(usize) -> Group + 'static) {
        let known = |player: &SessionPlayer| player.session().known().map(KnownDevices::ever).unwrap_or_default();
        let begins: Vec<_> = self.players.iter().map(|player| (known(player), player.names())).collect();
        let group = move |tab: usize| {
            let group = Group::with_feed_rows(rows).with_envelopes(envelope_bytes);
            match begins.get(tab) {
                Some((known, names)) => group.remembering(known).naming(names.clone()),
                None => group,
            }
        };
        (self.players.len(), group)
    }

    /// Back to the beginning.
    fn rewind(&mut self) -> Result<(), RecordError> {
        self.players = players(&self.sessions)?;
        Ok(())
    }

    /// When the recording begins.
    #[must_use]
    pub fn begins_at(&self) -> Option<Millis> {
        self.players.iter().filter_map(|player| Some(player.next_at()?.wall)).min()
    }

    /// Plays the next input of whichever session's comes first, and compares it if asked; which session it is.
    fn next(&mut self, compares: bool) -> Option<(usize, Result<Option<Played>, RecordError>)> {
        let open = self.players.iter().enumerate().filter_map(|(index, player)| Some((player.next_at()?.wall, index)));
        let (_, index) = open.min()?;
        self.players.get_mut(index).map(|player| (index, player.play(compares)))
    }

    /// When the next input came.
    fn next_at(&self) -> Option<Millis> {
        self.begins_at()
    }

    /// What was wrong with the recording after the last that could be played.
    fn fault(&mut self) -> Option<RecordError> {
        let fault = self.players.iter_mut().find_map(SessionPlayer::take_fault);
        fault.or_else(|| self.cut_short.pop())
    }
}

fn players(sessions: &[(RecordedSession, Option<Arc<GroupKeys>>)]) -> Result<Vec<SessionPlayer>, RecordError> {
    sessions.iter().map(|(session, keys)| SessionPlayer::new(session, keys.clone())).collect()
}

/// What came of a check.
fn different(words: String) -> Failure {
    Failure::Ended { outcome: Outcome::Different, words }
}
