//! [`SessionRecorder`]: records one session, as the loop that runs it feeds it.

use std::io;
use std::sync::Arc;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::entry::{Followed, RecordEntry, RecordedCommandLine, RecordedName, SegmentStart, StartPrivate};
use super::folder::RecordFolder;
use super::private::PrivateKey;
use super::writer::EntryWriter;
use super::{followed, input};
use crate::group::ConversationNames;
use crate::protocol::d2d::Conversation;
use crate::protocol::{Dialect, GroupKeys};
use crate::session::{Deed, Delivery, DeliveryInput, Now};
use crate::text::Clean;

/// Which session is recorded.
#[derive(Clone, Debug)]
pub struct SessionSubject {
    /// What the group is called on the screen.
    pub title: Clean,
    /// The mediator's host and port.
    pub host: String,
    pub accepts_any_certificate: bool,
    /// Which demo it is, if it is one.
    pub demo_seed: Option<u64>,
    pub command: RecordedCommandLine,
    /// What conversations are called.
    pub names: ConversationNames,
}

/// Records a session.
#[derive(Debug)]
pub struct SessionRecorder {
    folder: RecordFolder,
    writer: EntryWriter,
    subject: SessionSubject,
    key: PrivateKey,
    keys: Arc<GroupKeys>,
    session: u32,
    segment: u32,
    followed: Followed,
    /// Whether this segment has a connection.
    connected: bool,
    /// Whether a connection began just now that is to begin a segment.
    turns: bool,
}

impl SessionRecorder {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start(folder: &RecordFolder, keys: Arc<GroupKeys>, subject: SessionSubject) -> io::Result<Self> {
        Ok(Self {
            writer: EntryWriter::start(folder.clone())?,
            session: folder.session(),
            folder: folder.clone(),
            subject,
            key: PrivateKey::of(&keys),
            keys,
            segment: 0,
            followed: Followed::default(),
            connected: false,
            turns: false,
        })
    }

    fn dialect(&self) -> Dialect {
        self.keys.dialect()
    }

    /// Begins a segment, if the session is where it can begin.
    pub fn begin(&mut self, delivery: &mut Delivery) {
        let Some((carried, private)) = delivery.session().carried() else { return };
        let seed: [u8; 32] = rand::random();
        delivery.session_mut().reseed(StdRng::from_seed(seed));
        self.segment += 1;
        self.connected = carried.connecting_until.is_some();
        let SessionSubject { title, host, accepts_any_certificate, demo_seed, command, names } = &self.subject;
        let private = StartPrivate { title: title.as_str().to_owned(), carried: private, names: recorded_names(names) };
        let start = SegmentStart {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: self.folder.run(),
            session: self.session,
            segment: self.segment,
            is_mk: self.dialect() == Dialect::Mk,
            group_id: self.keys.device_group_id().0,
            host: host.clone(),
            accepts_any_certificate: *accepts_any_certificate,
            demo_seed: *demo_seed,
            command: command.clone(),
            keeps: delivery.keeps(),
            carried,
            seed,
            private: self.key.seal(&private),
        };
        self.writer.write(RecordEntry::Start(Box::new(start)));
    }

    /// Takes what the session is about to be told, so that it is there whatever that leads to.
    pub fn input(&mut self, now: Now, told: &DeliveryInput) {
        let entry = RecordEntry::Input(now.into(), input::recorded(told, &self.key, self.dialect()));
        self.writer.write(entry);
    }

    /// Takes what follows from it.
    pub fn deed(&mut self, deed: &Deed) {
        if *deed == Deed::Connect {
            self.turns = std::mem::replace(&mut self.connected, true);
        }
        followed::add(&mut self.followed, deed, &self.key);
    }

    /// All that followed is known. A new connection begins a segment, unless something still waits for the journal. Returns
    /// why recording has stopped, once; then there is nothing more to record.
    pub fn settle(&mut self, delivery: &mut Delivery) -> Option<Clean> {
        let followed = std::mem::take(&mut self.followed);
        self.writer.write(RecordEntry::Followed(followed));
        if std::mem::take(&mut self.turns) && !delivery.awaits_journal() {
            self.begin(delivery);
        }
        self.writer.take_end()
    }
}

fn recorded_names(names: &ConversationNames) -> Vec<RecordedName> {
    let name = |(conversation, parts): (&Conversation, crate::group::NameParts<'_>)| {
        let (identity, id) = match conversation {
            Conversation::Contact(identity) => (Some(identity.as_str().to_owned()), None),
            Conversation::Group { id, creator } => (Some(creator.as_str().to_owned()), Some(id.0)),
            Conversation::DistributionList(id) => (None, Some(id.0)),
        };
        let text = |text: &Clean| text.as_str().to_owned();
        RecordedName { identity, id, first: text(parts.first), last: text(parts.last), nickname: text(parts.nickname) }
    };
    names.iter().map(name).collect()
}
