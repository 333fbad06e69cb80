//! The faults of recordings and of their folders.

use std::io;
use std::path::PathBuf;

/// A recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The folder or a file of it cannot be used.
    #[error("the recording {}: {cause}", .path.display())]
    File { path: PathBuf, cause: io::Error },
    /// Another process records there.
    #[error("the recording {}: another d2mtop{process} records there; take another folder", .path.display())]
    InUse { path: PathBuf, process: String },
    /// Nothing is recorded there.
    #[error("{} has no recording: it has no file *.d2mrec; give the folder that --record was given", .0.display())]
    Empty(PathBuf),
    /// A segment is not one, or not whole.
    #[error("{}, byte {offset}: {fault}", .path.display())]
    Faulty {
        path: PathBuf,
        /// Where the entry begins that cannot be read.
        offset: u64,
        fault: RecordFault,
    },
}

/// What is wrong with a segment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    #[error("this is no recording of d2mtop")]
    Foreign,
    #[error("written by a newer d2mtop (format {0}); this one reads format {VERSION}: update it", VERSION = super::VERSION)]
    Newer(u16),
    #[error("written by an early d2mtop (format {0}), which this one does not read")]
    Older(u16),
    #[error("the file ends within an entry; what is before it was read")]
    Truncated,
    #[error("the entry is damaged: its checksum does not fit")]
    Checksum,
    #[error("an entry of {0} bytes is larger than any that d2mtop writes")]
    TooLarge(u64),
    #[error("the entry cannot be read: {0}")]
    Malformed(&'static str),
    #[error("the segments of this session are not in order: one is missing or there twice")]
    OutOfOrder,
}
