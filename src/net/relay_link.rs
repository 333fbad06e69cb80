//! [`RelayLink`]: the connection of either end of a rendezvous to its relay.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use super::address::Address;
use super::link::{Link, LinkEvent};
use crate::rendezvous::wire::MAX_FRAME;
use crate::rendezvous::{LinkInput, LinkOutput, RelayLinkEnd};
use crate::session;

/// The most bytes of one message that is sent: a whole frame and its length.
const LONGEST_SENT: usize = MAX_FRAME + 4;

/// What happens on the connection.
#[derive(Debug)]
pub enum RelayLinkEvent {
    /// Something for the machine.
    Input(LinkInput),
    /// All that was to be sent has been written to the socket.
    Flushed,
}

/// The connection of either end of a rendezvous to its relay.
///
/// Whoever has the machine asks for [`RelayLink::next`] and does with [`RelayLink::act`] what the machine wants, in that
/// order. Needs a tokio runtime with network and time.
pub struct RelayLink {
    state: RelayLinkState,
    /// Of one batch; each is handed out alone.
    came: VecDeque<Bytes>,
}

type Opening = Pin<Box<dyn Future<Output = Result<Link, session::LinkEnd>> + Send>>;

enum RelayLinkState {
    Opening(Opening),
    Open(Box<Link>),
    Closed,
}

impl RelayLink {
    /// Begins to connect.
    #[must_use]
    pub fn open(address: &Address) -> Self {
        let address = address.clone().in_parts(LONGEST_SENT);
        let opening = Box::pin(async move { address.connect().await });
        Self { state: RelayLinkState::Opening(opening), came: VecDeque::new() }
    }

    /// Waits for something to happen; for ever once it is closed. May be dropped at any point without losing anything.
    pub async fn next(&mut self) -> RelayLinkEvent {
        loop {
            if let Some(bytes) = self.came.pop_front() {
                return RelayLinkEvent::Input(LinkInput::Bytes(bytes));
            }
            let event = match &mut self.state {
                RelayLinkState::Opening(opening) => match opening.await {
                    Ok(link) => {
                        self.state = RelayLinkState::Open(Box::new(link));
                        return RelayLinkEvent::Input(LinkInput::Up);
                    }
                    Err(end) => LinkEvent::End(end),
                },
                RelayLinkState::Open(link) => match link.next(true).await {
                    None => return RelayLinkEvent::Flushed,
                    Some(event) => event,
                },
                RelayLinkState::Closed => std::future::pending().await,
            };
            return RelayLinkEvent::Input(match event {
                LinkEvent::Frames(frames) => {
                    self.came.extend(frames);
                    continue;
                }
                LinkEvent::TextFrame => LinkInput::Text,
                LinkEvent::Pong | LinkEvent::Alive => LinkInput::Alive,
                LinkEvent::End(end) => {
                    self.state = RelayLinkState::Closed;
                    LinkInput::Down(end.into())
                }
            });
        }
    }

    /// Does what the machine wants. Closing takes up to two seconds: until all is written, and the relay has answered.
    pub async fn act(&mut self, output: LinkOutput) {
        let RelayLinkState::Open(link) = &mut self.state else {
            if matches!(output, LinkOutput::Close(_)) {
                self.forget();
            }
            return;
        };
        match output {
            LinkOutput::Send(frame) => link.send(frame),
            LinkOutput::Ping => link.ping(),
            LinkOutput::Close(code) => {
                link.close(code).await;
                if let RelayLinkState::Open(link) = std::mem::replace(&mut self.state, RelayLinkState::Closed) {
                    self.forget();
                    link.linger().await;
                }
            }
        }
    }

    fn forget(&mut self) {
        self.state = RelayLinkState::Closed;
        self.came.clear();
    }
}

impl fmt::Debug for RelayLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RelayLink")
    }
}

impl From<session::LinkEnd> for RelayLinkEnd {
    fn from(end: session::LinkEnd) -> Self {
        match end {
            session::LinkEnd::Closed { code, reason } => Self::Closed { code, reason },
            session::LinkEnd::Unreachable(why) | session::LinkEnd::Busy { why, .. } => Self::Unreachable(why),
            session::LinkEnd::Broken(how) => Self::Broken(how),
        }
    }
}

#[cfg(test)]
mod tests;
