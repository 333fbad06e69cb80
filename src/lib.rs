//! A client and a server of the device-to-mediator protocol (D2M), which keeps the devices of a Threema-style group in
//! step: as state machines without a socket, and as the terminal dashboard `d2mtop`.
//!
//! A client's [`Session`](session::Session) is told what the socket and the clock bring, and says what is to be done. What
//! happened goes into a [`Group`](group::Group), which is what one device knows of its group:
//!
//! ```
//! use d2mtop::{group::Group, protocol::*, session::*};
//! use rand::{SeedableRng as _, rngs::StdRng};
//!
//! let keys = GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [7; 32]));
//! // Seeded from the system in earnest.
//! let mut session = Session::new(SessionConfig::of(keys.into(), DeviceId(1)), StdRng::seed_from_u64(1));
//! let (mut group, now) = (Group::default(), Millis(0));
//! session.handle(now, SessionInput::Timer);
//! while let Some(output) = session.poll() {
//!     match output {
//!         SessionOutput::Event(event) => group.apply(now, &event),
//!         // To open the WebSocket, to send, to close it.
//!         todo => println!("to be done: {todo:?}"),
//!     }
//! }
//! assert_eq!(group.connection(), &d2mtop::group::ConnectionState::Connecting { attempt: 1 });
//! ```
//!
//! `examples/observe.rs` does the same with a socket, `examples/embed_mediator.rs` tests a client against a mediator in the
//! same process, and `examples/decode.rs` opens an envelope.
//!
//! # The most important types
//!
//! | type | what it is |
//! |---|---|
//! | [`protocol::GroupKeys`] | all keys of a group, derived of its [secret](protocol::GroupSecret) in one [dialect](protocol::Dialect) |
//! | [`protocol::ClientMessage`], [`protocol::ServerMessage`] | what one binary message of the WebSocket says |
//! | [`protocol::Sealed`] | what only devices of the group can open, such as an [`Envelope`](protocol::Envelope) |
//! | [`session::Session`] | a client: [inputs](session::SessionInput), [outputs](session::SessionOutput), [commands](session::Command) |
//! | [`group::Event`], [`group::Group`] | what happened, and what a device knows of its group after it |
//! | [`mediator::Mediator`] | a server: [inputs](mediator::MediatorInput), [outputs](mediator::MediatorOutput) |
//! | [`text::Clean`] | text of others that may be shown |
//! | `net::Address`, `net::Link`, `net::Listener` | the sockets of both, with feature `net` |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | none | [`text`], [`protocol`], [`rendezvous`], [`group`], [`session`], [`mediator`]: nothing that waits, reads a file or opens a socket |
//! | `net` | `net`, on tokio and rustls |
//! | `app` (default) | all that the program is made of; depend on the library with `default-features = false` |
//!
//! The rooms of `app` are public for the program, its tests and its benchmarks alone. They are hidden here, and may change
//! with any version; `RUSTDOCFLAGS="--cfg house" cargo doc` shows them.
//!
//! # The house
//!
//! | room | kind | what is in it |
//! |---|---|---|
//! | [`text`] | pure | [`text::Clean`]: the only way untrusted bytes become displayable text |
//! | [`protocol`] | pure | the wire, both directions and both dialects: containers, messages, keys, boxes, close codes |
//! | [`rendezvous`] | pure | how a device joins a group: links, frames, both devices' state machines, and the relay's |
//! | [`group`] | pure | what one device knows of its group; the vocabulary of events; one reducer |
//! | [`session`] | pure | the client state machine: handshake, drain, live; lock, drop, leader policy, backoff |
//! | [`mediator`] | pure | the server state machine: slots, queues, lock, leader |
//! | `os` | system | signals, systemd, log, clocks, private and lock files, child processes, accepted connections |
//! | `journal` | disk | what was received, durably: rows, acknowledgements and nonces, in a database; queries |
//! | `store` | disk | what a mediator keeps, durably: slots, queues, shared data |
//! | `record` | disk | what a session was told and what followed from it, in files; a session played from them |
//! | `profile` | disk | who we are: options, profiles, keys and where they are kept, imports, what is known of our slot |
//! | `net` | socket | the client's link and the mediator's listener |
//! | `control` | socket | the way of whoever runs a mediator into it |
//! | `metrics` | socket | what is counted, and how it is served |
//! | `alerts` | processes | rules, their queues, and the commands that they run |
//! | `output` | stdout | NDJSON, sentences, the writers of lines, times and sizes, how the program ends |
//! | `runtime` | loops | driver, journal thread, dashboard, watch, lock, one-shot session, observers |
//! | `simulate` | devices | the demo's devices and their story |
//! | `replay` | stdout | recordings played again |
//! | `tui` | screen | a view of the group, and keys that become actions; one file a pane |
//! | `headless` | stdout | one file or folder a command |
//! | `cli` | types | the command line, without logic |
//!
//! Arrows point down only, and siblings never import each other:
//!
//! ```text
//! main -> {tui, headless} -> replay -> simulate -> {runtime, control} -> {metrics, alerts, output} -> {net, journal, store, profile, record}
//!      -> {session, mediator} -> group -> rendezvous -> protocol -> text          os: below net, journal, store, profile; knows none of ours
//! ```
//!
//! Pure means: no event loop, terminal, file, socket, environment, clock or random source; time, randomness and bytes come
//! in as arguments, outputs are values. `tests/it/architecture` keeps both rules.
//!
//! # The way a byte goes
//!
//! ```text
//! socket -> net::Link -> session::Session::handle(now, SessionInput::Frames) -> SessionOutput::Reflected
//!        -> journal, on a thread of its own -> SessionInput::Durable -> ReflectedAck out, one flush a batch
//!        -> group::Group::apply(event) -> tui draws | headless prints | metrics count | alerts run
//! ```
//!
//! The unit is the batch: what one read of the socket brings is handled, made durable, acknowledged and handed on
//! together. What happens after a batch is told after it. Without a journal a batch counts as durable once it is handed on.
//!
//! # The way a key goes
//!
//! ```text
//! key -> tui keymap -> runtime::screen::Reaction -> session::Command -> protocol::ClientMessage -> socket
//! ```
//!
//! What destroys takes a [`session::Confirmed`], which only a dialog, a question and `--yes` make.

pub mod group;
pub mod mediator;
pub mod protocol;
pub mod rendezvous;
pub mod session;
pub mod text;

#[cfg(feature = "net")]
pub mod net;

// Public for the program, its tests and its benchmarks alone.
#[cfg(feature = "net")]
#[cfg_attr(not(house), doc(hidden))]
pub mod os;

#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod alerts;
#[allow(
    missing_docs,
    clippy::doc_markdown,
    rustdoc::broken_intra_doc_links,
    reason = "clap shows these texts to users as they are"
)]
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod cli;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod control;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod headless;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod journal;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod metrics;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod output;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod profile;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod record;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod replay;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod runtime;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod simulate;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod store;
#[cfg(feature = "app")]
#[cfg_attr(not(house), doc(hidden))]
pub mod tui;
