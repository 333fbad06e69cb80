//! Who asks.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::message::{ControlAnswer, ControlRequest};
use crate::text::Clean;

/// How long a mediator may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than the state of any mediator takes.
const MOST_ANSWER: u64 = 1024 * 1024 * 1024;

/// Why there is no answer, or none that could be wished for.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens there.
    #[error("no mediator at {}: {cause}; start one with --control, or name its socket", path.display())]
    NoMediator {
        /// Where it was looked for.
        path: PathBuf,
        /// The cause, as the system tells it.
        cause: io::Error,
    },
    /// It has not answered.
    #[error("the mediator does not answer: {0}")]
    NoAnswer(io::Error),
    /// It has answered something else.
    #[error("what answers is no mediator of this version of d2mtop")]
    NoSense,
    /// It does not do it.
    #[error("{0}")]
    Refused(Clean),
}

/// A connection to a mediator's control socket.
#[derive(Debug)]
pub struct ControlClient(BufReader<UnixStream>);

impl ControlClient {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there.
    pub fn connect(path: &Path) -> Result<Self, ControlError> {
        let connected = UnixStream::connect(path).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        });
        let failed = |cause| ControlError::NoMediator { path: path.to_owned(), cause };
        connected.map(|stream| Self(BufReader::new(stream))).map_err(failed)
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// If none comes, or it says that it is not done.
    pub fn ask(&mut self, request: &ControlRequest) -> Result<ControlAnswer, ControlError> {
        let mut line = serde_json::to_vec(request).map_err(|error| ControlError::NoAnswer(error.into()))?;
        line.push(b'\n');
        self.0.get_mut().write_all(&line).map_err(ControlError::NoAnswer)?;
        line.clear();
        if matches!(request, ControlRequest::Export { .. } | ControlRequest::Import { .. }) {
            // As long as it takes.
            self.0.get_mut().set_read_timeout(None).map_err(ControlError::NoAnswer)?;
        }
        self.0.by_ref().take(MOST_ANSWER).read_until(b'\n', &mut line).map_err(ControlError::NoAnswer)?;
        if line.is_empty() {
            return Err(ControlError::NoAnswer(io::ErrorKind::UnexpectedEof.into()));
        }
        match serde_json::from_slice(&line).map_err(|_| ControlError::NoSense)? {
            ControlAnswer::Error(words) => Err(ControlError::Refused(Clean::new(&words))),
            answer => Ok(answer),
        }
    }
}
