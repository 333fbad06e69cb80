//! Whether the profile's journal can be kept, and what it has.

use std::path::Path;

use bytesize::ByteSize;

use super::finding::{Finding, Status};
use crate::journal::{self, Checked, JournalError};
use crate::profile::{ConnectionOptions, ProfileName, Record, profile_state};

/// Less than this is soon full.
const LITTLE: u64 = 64 << 20;

const CHECK: &str = "journal";

/// Of the profile, if it is one; nothing is logged in, and no key needed.
pub(super) fn examine(profile: Option<(&ProfileName, &Record)>, options: &ConnectionOptions) -> Finding {
    let Some((name, record)) = profile else { return Finding::skipped(CHECK, "only profiles keep one") };
    if options.no_journal || !record.journal {
        return Finding::skipped(CHECK, "this profile keeps none");
    }
    let Some(directory) = profile_state(name) else {
        return Finding::new(CHECK, Status::Warn, "none is kept: HOME and XDG_STATE_HOME name no place for it");
    };
    let path = record.journal_settings(&directory).path;
    told(&path, journal::check(&path))
}

fn told(path: &Path, checked: Result<Checked, JournalError>) -> Finding {
    let Checked { messages, free, is_suspect } = match checked {
        Err(error) => return Finding::new(CHECK, Status::Fail, &error.to_string()),
        Ok(checked) => checked,
    };
    let what = match messages {
        None => "none yet; one can be kept".to_owned(),
        Some(1) => "1 message".to_owned(),
        Some(messages) => format!("{messages} messages"),
    };
    let room = format!("{} free there", ByteSize(free));
    let words = format!("{what} in {}; {room}", path.display());
    if is_suspect {
        let words =
            format!("{words}; it is damaged: the next session looks it through, and keeps a damaged file aside");
        return Finding::new(CHECK, Status::Warn, &words);
    }
    if free < LITTLE {
        let words =
            format!("{words}, which is little: free some, or shorten journal_age or journal_rows of the profile");
        return Finding::new(CHECK, Status::Warn, &words);
    }
    Finding::new(CHECK, Status::Ok, &words)
}
