//! [`JournalPages`]: pages of the journal for the screen, read on a thread of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::mpsc::UnboundedSender;

use super::screen::OlderRows;
use crate::group::{Feed, FeedRow};
use crate::journal::{History, JournalError, Query, Within};
use crate::protocol::{Millis, Nonce, ReflectedId};
use crate::text::Clean;

/// More than came within a millisecond.
const AT_ONCE: usize = 4_096;

/// Which rows are wanted.
struct RowsRequest {
    older_than: PageStart,
    count: usize,
}

/// Before which row of the journal.
#[derive(Clone, Copy)]
enum PageStart {
    Row(u64),
    /// That of this message, which is in memory.
    Message {
        received_at: Millis,
        id: ReflectedId,
        nonce: Option<Nonce>,
    },
    /// None: memory is empty.
    End,
}

/// Reads a journal for a screen that shows what is older than memory.
#[derive(Debug)]
pub(super) struct JournalPages {
    path: PathBuf,
    /// Begun with the first request.
    requests: Option<Sender<RowsRequest>>,
}

impl JournalPages {
    pub(super) const fn of(path: PathBuf) -> Self {
        Self { path, requests: None }
    }

    /// Asks for the rows before this one, or else before all that the feed has; `answer` gets them with the number of the
    /// tab.
    pub(super) fn ask(
        &mut self,
        before: Option<u64>,
        count: usize,
        feed: &Feed,
        answer: (usize, &UnboundedSender<(usize, OlderRows)>),
    ) -> io::Result<()> {
        let of_message =
            |row: FeedRow| PageStart::Message { received_at: row.received_at, id: row.id, nonce: row.nonce };
        let oldest = || feed.get(feed.first()).map(of_message);
        let older_than = before.map(PageStart::Row).or_else(oldest).unwrap_or(PageStart::End);
        let requests = match &self.requests {
            Some(requests) => requests,
            None => self.requests.insert(start(self.path.clone(), answer.0, answer.1.clone())?),
        };
        // A reader that is gone has answered that it failed.
        let _ = requests.send(RowsRequest { older_than, count });
        Ok(())
    }
}

fn start(path: PathBuf, tab: usize, answers: UnboundedSender<(usize, OlderRows)>) -> io::Result<Sender<RowsRequest>> {
    let (requests, incoming) = channel();
    std::thread::Builder::new().name("history".to_owned()).spawn(move || answer(&path, tab, &incoming, &answers))?;
    Ok(requests)
}

fn answer(path: &Path, tab: usize, requests: &Receiver<RowsRequest>, answers: &UnboundedSender<(usize, OlderRows)>) {
    let mut opened = None;
    for RowsRequest { older_than, count } in requests {
        let history = match opened.take() {
            Some(history) => Ok(history),
            None => History::open(path),
        };
        // What failed is opened anew the next time.
        let page = match history {
            Ok(history) => match page(&history, older_than, count) {
                Ok(page) => {
                    opened = Some(history);
                    page
                }
                Err(error) => failed(&error),
            },
            Err(error) => failed(&error),
        };
        if answers.send((tab, page)).is_err() {
            return;
        }
    }
}

fn failed(error: &JournalError) -> OlderRows {
    OlderRows::Failed(Clean::new(&error.to_string()))
}

fn page(history: &History, older_than: PageStart, count: usize) -> Result<OlderRows, JournalError> {
    let within = match older_than {
        PageStart::Row(row) => Within::Before(row),
        PageStart::Message { received_at, id, nonce } => Within::Before(row_of(history, received_at, id, nonce)?),
        PageStart::End => Within::Newest,
    };
    // One more than wanted tells whether there is more.
    let mut found = history.page(&Query::default(), within, count.saturating_add(1))?;
    let more = found.len() > count;
    if more {
        found.remove(0);
    }
    let rows: Vec<(u64, FeedRow)> = found.into_iter().map(|row| (row.number, row.shown())).collect();
    Ok(OlderRows::Rows { rows, more })
}

/// The number of a message's row; that of the first row after it, if it is not in the journal.
fn row_of(history: &History, received_at: Millis, id: ReflectedId, nonce: Option<Nonce>) -> Result<u64, JournalError> {
    let then = Query { since: Some(received_at), ..Query::default() };
    let rows = history.page(&then, Within::After(0), AT_ONCE)?;
    if let Some(row) = rows.iter().find(|row| row.row.received_at == received_at && row.row.id == id) {
        return Ok(row.number);
    }
    // What was delivered again has the time of its first delivery there.
    let newest = history.page(&Query::default(), Within::Newest, AT_ONCE)?;
    let same = newest.iter().rfind(|row| row.row.id == id && row.row.nonce == nonce);
    Ok(same.or_else(|| rows.first()).map_or(u64::MAX, |row| row.number))
}
