//! Recordings: what a session was told and what followed from it, in a folder, so that it can be played again.
//!
//! A folder has segments, a file each: `00000001.d2mrec` and on. A segment begins with what the session carried over to the
//! connection that it records, and has every input since, each with what followed from it.
//!
//! ```text
//! file     magic "D2MREC\r\n", format as two bytes, entries
//! entry    length as four bytes, CRC-32 of what follows as four bytes, postcard of a RecordEntry
//! ```
//!
//! Frames are recorded as they are on the wire, so sealed; whatever else the group's key would be needed for is sealed by a
//! key derived from it ([`Private`]). A key is never written, nor what a chat client and the chat server say to each other.
//!
//! | file | what is in it |
//! |---|---|
//! | `entry` | the entries, as values |
//! | `codec` | entries to bytes and back, with bounds and checksums |
//! | `input`, `followed` | inputs and what follows from them, to entries and back |
//! | `folder` | numbers, the limit, and who records |
//! | `recorder`, `writer` | a session's recorder, and the thread that writes |
//! | `reader` | a folder's segments, in order |
//! | `player` | a session once more, from its entries |

mod codec;
mod entry;
mod error;
mod folder;
mod followed;
mod input;
mod player;
mod private;
mod reader;
mod recorder;
mod writer;

pub use codec::{EntryReader, encode_entry};
pub use entry::{
    Followed, Moment, RecordEntry, RecordedCommand, RecordedCommandLine, RecordedDeed, RecordedEvent, RecordedInput,
    RecordedJournal, RecordedMessages, RecordedName, SegmentStart, StartPrivate,
};
pub use error::{RecordError, RecordFault};
pub use folder::RecordFolder;
pub use followed::Difference;
pub use player::{Played, SessionPlayer};
pub use private::{Private, PrivateKey};
pub use reader::{RecordedSession, Recording, SessionEntries};
pub use recorder::{SessionRecorder, SessionSubject};

/// How a segment begins.
const MAGIC: [u8; 8] = *b"D2MREC\r\n";

/// The version of the format.
const VERSION: u16 = 1;

/// How the files of segments end.
const EXTENSION: &str = "d2mrec";
