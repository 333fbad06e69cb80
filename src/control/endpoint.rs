//! Who answers.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::message::{ControlAnswer, ControlRequest, OperationTally};
use super::moving::{export, import};
use crate::mediator::{OperatorRefusal, OperatorRequest};
use crate::net::Inspector;
use crate::os::{acceptor, unix_socket};

/// For its owner only.
const MODE: u32 = 0o600;
/// How many may be connected at once.
const MOST_CLIENTS: usize = 16;
/// The longest request.
const MOST_REQUEST: usize = 64 * 1024;
/// How long a client may be silent, or not take its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The socket at which a mediator is asked. It goes when this is dropped.
#[derive(Debug)]
pub struct ControlEndpoint {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlEndpoint {
    /// Takes the place; one that was left over by who is gone is taken again.
    ///
    /// # Errors
    /// If the system does not give it.
    pub fn bind(path: &Path) -> io::Result<Self> {
        Ok(Self { listener: unix_socket::bind(path, MODE)?, path: path.to_owned() })
    }

    /// Answers until it is dropped. One client more than may be is told so.
    pub async fn run(self, inside: Inspector) {
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if connected(&mut clients) < MOST_CLIENTS => drop(clients.spawn(serve(stream, inside.clone()))),
                    Ok((stream, _)) => drop(clients.spawn(turn_away(stream))),
                    Err(_) => tokio::time::sleep(acceptor::PAUSE).await,
                },
                Some(_) = clients.join_next() => {}
            }
        }
    }
}

impl Drop for ControlEndpoint {
    fn drop(&mut self) {
        // Somebody may have taken it away.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// How many are still connected.
fn connected(clients: &mut JoinSet<()>) -> usize {
    while clients.try_join_next().is_some() {}
    clients.len()
}

async fn turn_away(mut stream: UnixStream) {
    let words = format!("{MOST_CLIENTS} others are connected already; try again later");
    let _ = tell(&mut stream, ControlAnswer::Error(words)).await;
}

/// Answers one request after the other, until the client goes, is silent for too long, or says what is none.
async fn serve(mut stream: UnixStream, inside: Inspector) {
    let mut read = Vec::new();
    while let Ok(Some(line)) = timeout(PATIENCE, next_line(&mut stream, &mut read)).await {
        let request = line.and_then(|line| {
            serde_json::from_slice::<ControlRequest>(&line).map_err(|error| format!("this is no request: {error}"))
        });
        let (answer, goes_on) = match request {
            Ok(request) => (answer(request, &inside).await, true),
            Err(words) => (ControlAnswer::Error(words), false),
        };
        if tell(&mut stream, answer).await.is_err() || !goes_on {
            return;
        }
    }
}

/// The next line, or words about one that is too long; none at the end.
async fn next_line(stream: &mut UnixStream, read: &mut Vec<u8>) -> Option<Result<Vec<u8>, String>> {
    loop {
        if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            return Some(Ok(read.drain(..=end).collect()));
        }
        if read.len() > MOST_REQUEST {
            return Some(Err(format!("a request has {MOST_REQUEST} bytes at most")));
        }
        let mut part = [0; 4_096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => read.extend_from_slice(part.get(..length).unwrap_or_default()),
        }
    }
}

async fn tell(stream: &mut UnixStream, answer: ControlAnswer) -> io::Result<()> {
    // The state of many groups takes its time, in which others are served.
    let mut line = tokio::task::spawn_blocking(move || serde_json::to_vec(&answer)).await??;
    line.push(b'\n');
    timeout(PATIENCE, stream.write_all(&line)).await.map_err(io::Error::from)?
}

async fn answer(request: ControlRequest, inside: &Inspector) -> ControlAnswer {
    let done = match request {
        ControlRequest::Status {} => {
            let status = inside.status().await;
            let ended = || ControlAnswer::Error(OperatorRefusal::ShuttingDown.to_string());
            return status.map_or_else(ended, |status| ControlAnswer::Status(status.into()));
        }
        ControlRequest::Drop { group, device } => operate(inside, OperatorRequest::DropDevice { group, device }).await,
        ControlRequest::Forget { group } => operate(inside, OperatorRequest::ForgetGroup { group }).await,
        ControlRequest::Export { prefixes, file } => export(inside, prefixes, file).await,
        ControlRequest::Import { file } => import(inside, file).await,
    };
    done.map_or_else(ControlAnswer::Error, ControlAnswer::Done)
}

async fn operate(inside: &Inspector, request: OperatorRequest) -> Result<OperationTally, String> {
    inside.operate(request).await.map(|_| OperationTally::default()).map_err(|refusal| refusal.to_string())
}
