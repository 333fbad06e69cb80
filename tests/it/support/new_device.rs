//! A new device that joins by a link of its own: the machine over a bare WebSocket, and a real login of the program.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use bytes::Bytes;
use d2mtop::protocol::{CloseCode, Millis};
use d2mtop::rendezvous::wire::{AuthenticationKey, Emoji, EssentialData, JoinLink, RelayPath};
use d2mtop::rendezvous::{
    Fresh, Join, JoinEnd, JoinEvent, JoinInput, JoinOutput, JoinTiming, LinkInput, LinkOutput, Persist, RelayLinkEnd,
};
use d2mtop::text::Clean;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// What came of it.
pub struct Joined {
    pub end: JoinEnd,
    /// What it was given.
    pub data: Option<EssentialData>,
}

/// Takes the slot, and tells how many other devices there are.
pub type LogIn = Box<dyn FnOnce(&EssentialData) -> usize + Send>;

pub struct NewDevice {
    pub link: String,
    emoji: Receiver<[Emoji; 3]>,
    running: JoinHandle<Joined>,
}

impl NewDevice {
    /// Waits at the relay of a mediator. `log_in` takes its slot, and tells how many others there are; [`None`] has it
    /// leave instead.
    pub fn wait_at(port: u16, log_in: Option<LogIn>) -> Self {
        Self::start(port, log_in, false)
    }

    /// One that leaves as soon as there is something to compare.
    pub fn that_cancels(port: u16) -> Self {
        Self::start(port, None, true)
    }

    fn start(port: u16, log_in: Option<LogIn>, cancels: bool) -> Self {
        let key = AuthenticationKey::new(&mut rand::random());
        let link =
            JoinLink::request(key, &RelayPath::new(rand::random()), &format!("ws://127.0.0.1:{port}/rendezvous"));
        let text = link.text().as_str().to_owned();
        let (shows, emoji) = channel();
        let (there, is_there) = channel();
        let running = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(join(link, log_in, cancels, &shows, &there))
        });
        is_there.recv().expect("it reaches the relay");
        Self { link: text, emoji, running }
    }

    /// What it shows, as soon as it does.
    pub fn emoji(&self) -> [Emoji; 3] {
        self.emoji.recv_timeout(super::one_shot::PATIENCE).expect("it shows emoji")
    }

    pub fn end(self) -> Joined {
        self.running.join().expect("the new device ends")
    }
}

async fn join(
    link: JoinLink,
    mut log_in: Option<LogIn>,
    cancels: bool,
    shows: &Sender<[Emoji; 3]>,
    there: &Sender<()>,
) -> Joined {
    let (mut socket, _) = tokio_tungstenite::connect_async(link.relay_url.as_str()).await.expect("the relay");
    let mut join = Join::new(&link, Fresh::new(&mut rand::random(), rand::random()), JoinTiming::default());
    let began = std::time::Instant::now();
    let now = || Millis(0).after(began.elapsed());
    let (mut data, mut inputs) = (None, vec![JoinInput::Link(LinkInput::Up)]);
    there.send(()).unwrap();
    loop {
        for input in inputs.drain(..) {
            join.handle(now(), input);
        }
        while let Some(output) = join.poll() {
            match output {
                JoinOutput::Link(LinkOutput::Send(frame)) => {
                    socket.send(Message::Binary(frame)).await.unwrap();
                    inputs.push(JoinInput::Flushed);
                }
                JoinOutput::Link(LinkOutput::Ping) => socket.send(Message::Ping(Bytes::new())).await.unwrap(),
                JoinOutput::Link(LinkOutput::Close(CloseCode(code))) => {
                    let _ = socket.close(Some(CloseFrame { code: code.into(), reason: "".into() })).await;
                }
                JoinOutput::Event(JoinEvent::Emoji(emoji)) => {
                    let _ = shows.send(emoji);
                    if cancels {
                        inputs.push(JoinInput::Cancel);
                    }
                }
                JoinOutput::Event(_) | JoinOutput::Forget => {}
                JoinOutput::Persist(persist) => {
                    if let Persist::Joining(given) = persist {
                        data = Some(*given);
                    }
                    inputs.push(JoinInput::Persisted);
                }
                JoinOutput::LogIn => match log_in.take() {
                    Some(log_in) => {
                        let given = data.as_ref().expect("the data came first");
                        inputs.push(JoinInput::LoggedIn { others: log_in(given) });
                    }
                    None => inputs.push(JoinInput::Cancel),
                },
                JoinOutput::DropSlot => inputs.push(JoinInput::Dropped),
                JoinOutput::Ended(end) => return Joined { end, data },
            }
        }
        if !inputs.is_empty() {
            continue;
        }
        inputs.push(JoinInput::Link(match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => LinkInput::Bytes(bytes),
            Some(Ok(Message::Text(_))) => LinkInput::Text,
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or(CloseCode(1005), |frame| CloseCode(frame.code.into()));
                LinkInput::Down(RelayLinkEnd::Closed { code, reason: Clean::default() })
            }
            Some(Ok(_)) => LinkInput::Alive,
            Some(Err(error)) => LinkInput::Down(RelayLinkEnd::Broken(Clean::new(&error.to_string()))),
            None => LinkInput::Down(RelayLinkEnd::Broken(Clean::default())),
        }));
    }
}
