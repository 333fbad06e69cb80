//! [`SessionPlayer`]: a session once more, fed with what it was told.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::entry::{Followed, Moment, RecordEntry, RecordedInput, SegmentStart, StartPrivate};
use super::error::{RecordError, RecordFault};
use super::followed::{self, Difference};
use super::input;
use super::private::PrivateKey;
use super::reader::{RecordedSession, SessionEntries};
use crate::group::{ConversationNames, Event, ReflectedMessage};
use crate::protocol::{DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, ReflectedId};
use crate::session::{Deed, Delivery, DeliveryInput, Now, Session};
use crate::text::Clean;

/// What the player knows of what is just about to be played.
#[derive(Debug)]
struct Upcoming {
    path: PathBuf,
    offset: u64,
    at: Moment,
    input: RecordedInput,
    /// [`None`] if the recorder was killed before it knew.
    followed: Option<Followed>,
}

/// One input, played again.
#[derive(Debug)]
pub struct Played {
    /// The segment that it is in, and where it begins there.
    pub path: PathBuf,
    pub offset: u64,
    pub at: Now,
    pub input: RecordedInput,
    /// What is told, and the time of each.
    pub told: Vec<(Millis, Event)>,
    /// How what follows differs from what followed then, if it was compared.
    pub difference: Option<Difference>,
}

/// A session once more.
#[derive(Debug)]
pub struct SessionPlayer {
    entries: SessionEntries,
    keys: Arc<GroupKeys>,
    has_key: bool,
    key: PrivateKey,
    start: SegmentStart,
    private: StartPrivate,
    delivery: Delivery,
    /// What waits for the journal.
    stored: VecDeque<(u64, Vec<ReflectedMessage>)>,
    upcoming: Option<Upcoming>,
    /// Read already, and not yet taken.
    next_entry: Option<(PathBuf, u64, RecordEntry)>,
    fault: Option<RecordError>,
    /// How a segment begins otherwise than the one before it ended.
    turned: Option<Difference>,
}

impl SessionPlayer {
    /// A player of a session. Of keys that are not those of its group, or without any, all that is sealed stays so.
    ///
    /// # Errors
    /// If its beginning cannot be read.
    pub fn new(session: &RecordedSession, keys: Option<Arc<GroupKeys>>) -> Result<Self, RecordError> {
        let start = session.start.clone();
        let keys = keys.filter(|keys| keys.device_group_id().0 == start.group_id && keys.dialect() == start.dialect());
        let has_key = keys.is_some();
        let keys = keys.unwrap_or_else(|| no_keys(start.dialect()));
        let key = PrivateKey::of(&keys);
        let private: StartPrivate = key.open(&start.private).unwrap_or_default();
        let (carried, seed) = (start.carried.clone(), StdRng::from_seed(start.seed));
        let machine = Session::going_on(Arc::clone(&keys), carried, private.carried.clone(), seed);
        let mut player = Self {
            entries: session.entries(),
            delivery: Delivery::new(machine, start.keeps),
            keys,
            has_key,
            key,
            start,
            private,
            stored: VecDeque::new(),
            upcoming: None,
            next_entry: None,
            fault: None,
            turned: None,
        };
        // The start, which is known.
        player.entries.read()?;
        player.look_ahead();
        Ok(player)
    }

    /// What its oldest segment begins with.
    #[must_use]
    pub const fn start(&self) -> &SegmentStart {
        &self.start
    }

    /// What the group was called on the screen; the mediator's host without the key.
    #[must_use]
    pub fn title(&self) -> Clean {
        let title = &self.private.title;
        Clean::new(if title.is_empty() { &self.start.host } else { title })
    }

    /// Whether it has the key of the group.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        self.has_key
    }

    /// The keys that it opens with: without the group's, such as open nothing.
    #[must_use]
    pub const fn keys(&self) -> &Arc<GroupKeys> {
        &self.keys
    }

    /// The session as it is now.
    #[must_use]
    pub const fn session(&self) -> &Session {
        self.delivery.session()
    }

    /// What conversations were called at the beginning.
    #[must_use]
    pub fn names(&self) -> ConversationNames {
        let mut names = ConversationNames::none();
        for name in &self.private.names {
            let text = |text: &String| Clean::new(text);
            match (&name.identity, name.id) {
                (Some(identity), None) => {
                    let (first, last) = (text(&name.first), text(&name.last));
                    names.set_contact(&Clean::new(identity), &first, &last, &text(&name.nickname));
                }
                (Some(creator), Some(id)) => names.set_group(MessageId(id), &Clean::new(creator), &text(&name.first)),
                (None, Some(id)) => names.set_distribution_list(MessageId(id), &text(&name.first)),
                (None, None) => {}
            }
        }
        names
    }

    /// When the next input came; [`None`] at the end.
    #[must_use]
    pub fn next_at(&self) -> Option<Now> {
        self.upcoming.as_ref().map(|upcoming| upcoming.at.into())
    }

    /// What was wrong with the recording after the last that could be played.
    pub const fn take_fault(&mut self) -> Option<RecordError> {
        self.fault.take()
    }

    /// Plays the next input; [`None`] at the end. What follows is compared with what followed then, if that is asked for:
    /// it takes longer than the rest.
    ///
    /// # Errors
    /// If what comes next cannot be read; what was before it was played.
    pub fn play(&mut self, compares: bool) -> Result<Option<Played>, RecordError> {
        let Some(Upcoming { path, offset, at, input, followed }) = self.upcoming.take() else {
            return self.take_fault().map_or(Ok(None), Err);
        };
        let told_again = match input::input(input.clone(), &self.keys) {
            Ok(Some(told)) => told,
            Ok(None) => {
                let (Some((connection, messages)), RecordedInput::HandOn { durable }) =
                    (self.stored.pop_front(), &input)
                else {
                    let fault = RecordFault::Malformed("the journal hands on what it was not given");
                    return Err(RecordError::Faulty { path, offset, fault });
                };
                DeliveryInput::HandOn { connection, messages, durable: *durable }
            }
            Err(fault) => return Err(RecordError::Faulty { path, offset, fault }),
        };
        for (id, nonce, is_redelivery) in followed.iter().flat_map(|followed| &followed.known) {
            if let Some(nonce) = nonce.first_chunk() {
                self.delivery.session_mut().remember(ReflectedId(*id), Nonce(*nonce), *is_redelivery);
            }
        }
        if let Some(followed) = followed.as_ref().filter(|_| !self.has_key) {
            self.delivery.session_mut().heard_of(followed.authors.iter().map(|author| DeviceId(*author)));
        }
        let now = Now::from(at);
        self.delivery.handle(now, told_again);
        let before = followed.filter(|_| compares);
        let (after, told) = self.follow(before.is_some());
        let turned = self.turned.take().filter(|_| compares);
        let difference = turned.or_else(|| {
            let before = &before?.deeds;
            followed::difference(before, &after.deeds, &self.key, self.has_key, self.keys.dialect())
        });
        self.look_ahead();
        Ok(Some(Played { path, offset, at: now, input, told, difference }))
    }

    /// Does what follows, as far as that is done without a network, and says what it is, if that is asked for.
    fn follow(&mut self, is_compared: bool) -> (Followed, Vec<(Millis, Event)>) {
        let (mut after, mut told) = (Followed::default(), Vec::new());
        while let Some(deed) = self.delivery.poll() {
            if is_compared {
                followed::add(&mut after, &deed, &self.key);
            }
            match deed {
                Deed::Tell(at, event) => told.push((at, event)),
                Deed::Store { connection, messages } => self.stored.push_back((connection, messages)),
                _ => {}
            }
        }
        (after, told)
    }

    fn read(&mut self) -> Option<(PathBuf, u64, RecordEntry)> {
        if let Some(entry) = self.next_entry.take() {
            return Some(entry);
        }
        match self.entries.read() {
            Ok(entry) => entry,
            Err(fault) => {
                self.fault = Some(fault);
                None
            }
        }
    }

    /// Reads the next input and what followed from it; at the beginning of a segment the session goes on as it did then.
    fn look_ahead(&mut self) {
        while let Some((path, offset, entry)) = self.read() {
            match entry {
                RecordEntry::Start(start) => self.turn(&start),
                // What followed from nothing.
                RecordEntry::Followed(_) => {}
                RecordEntry::Input(at, input) => {
                    let followed = match self.read() {
                        Some((_, _, RecordEntry::Followed(followed))) => Some(followed),
                        other => {
                            self.next_entry = other;
                            None
                        }
                    };
                    self.upcoming = Some(Upcoming { path, offset, at, input, followed });
                    return;
                }
            }
        }
    }

    fn turn(&mut self, start: &SegmentStart) {
        let carried = self.delivery.session().carried().map(|(carried, _)| carried);
        if self.has_key && carried.as_ref() != Some(&start.carried) {
            self.turned = Some(Difference {
                what: format!("segment {}", start.segment),
                field: "carried over".to_owned(),
                before: format!("{:?}", start.carried),
                after: format!("{carried:?}"),
            });
        }
        self.delivery.session_mut().reseed(StdRng::from_seed(start.seed));
    }
}

/// Keys that open nothing of a group, for a recording without its key.
fn no_keys(dialect: Dialect) -> Arc<GroupKeys> {
    Arc::new(GroupKeys::derive(dialect, &GroupSecret::new(&mut [0; 32])))
}
