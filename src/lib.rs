//! d2mtop: a terminal dashboard for a Threema-style multi-device group, over the device-to-mediator protocol (D2M).
//!
//! # The house
//!
//! | room | kind | what is in it |
//! |---|---|---|
//! | [`text`] | pure | [`text::Clean`]: the only way untrusted bytes become displayable text |
//! | [`protocol`] | pure | the wire, both directions and both dialects: containers, messages, keys, boxes, close codes |
//! | [`group`] | pure | what one device knows of its group; the vocabulary of events; one reducer |
//! | [`session`] | pure | the client state machine: handshake, drain, live; lock, drop, leader policy, backoff |
//! | [`mediator`] | pure | the server state machine: slots, queues, lock, leader |
//! | [`rendezvous`] | pure | how a device joins a group: both devices' state machines, and the relay's |
//! | [`os`] | system | signals, systemd, log, clocks, private and lock files, child processes, accepted connections |
//! | [`journal`] | disk | what was received, durably: rows, acknowledgements and nonces, in a database; queries |
//! | [`profile`] | disk | who we are: options, profiles, keys and where they are kept, imports, what is known of our slot |
//! | [`net`] | socket | the client's link and the mediator's listener |
//! | [`metrics`] | socket | what is counted, and how it is served |
//! | [`alerts`] | processes | rules, their queues, and the commands that they run |
//! | [`output`] | stdout | NDJSON, sentences, the writers of lines, times and sizes, how the program ends |
//! | [`runtime`] | loops | driver, journal thread, dashboard, one-shot session, observers |
//! | [`simulate`] | devices | the demo's devices and their story |
//! | [`tui`] | screen | a view of the group, and keys that become actions; one file a pane |
//! | [`headless`] | stdout | one file or folder a command |
//! | [`cli`] | types | the command line, without logic |
//!
//! Arrows point down only, and siblings never import each other:
//!
//! ```text
//! main -> {tui, headless} -> simulate -> runtime -> {metrics, alerts, output} -> {net, journal, profile}
//!      -> {session, mediator, rendezvous} -> group -> protocol -> text            os: below net, journal, profile; knows none of ours
//! ```
//!
//! Pure means: no event loop, terminal, file, socket, environment, clock or random source; time, randomness and bytes come
//! in as arguments, outputs are values. `tests/architecture.rs` keeps both rules.
//!
//! # The way a byte goes
//!
//! ```text
//! socket -> net::Link -> session::Session::handle(now, Input::Frames) -> Output::Reflected
//!        -> journal, on a thread of its own -> Input::Durable -> ReflectedAck out, one flush a batch
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
//! What destroys takes a [`session::Confirmed`], which only a dialog makes.

pub mod alerts;
#[allow(
    missing_docs,
    clippy::doc_markdown,
    rustdoc::broken_intra_doc_links,
    reason = "clap shows these texts to users as they are"
)]
pub mod cli;
pub mod group;
pub mod headless;
pub mod journal;
pub mod mediator;
pub mod metrics;
pub mod net;
pub mod os;
pub mod output;
pub mod profile;
pub mod protocol;
pub mod rendezvous;
pub mod runtime;
pub mod session;
pub mod simulate;
pub mod text;
pub mod tui;
