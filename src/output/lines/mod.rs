//! Lines on standard output. Whoever makes them never waits for whoever reads them.
//!
//! ```text
//! LineQueue ─> LineSink: a thread formats ─> LineWriter   for commands that serve: who does not read is ignored
//!           ─> the command itself formats ─> Printer      for commands that print: they end when nobody reads
//! ```
//!
//! A [`LineQueue`] is bounded; [`Overflow`] says what it leaves out. [`EventQueue`] is the one of a session's events. Both ends write on a thread of their own.

mod event_queue;
mod event_selection;
mod line_writer;
mod outage;
mod printer;
mod queue;
mod sink;
mod writer_thread;

pub use event_queue::{EventQueue, LeftOutEvents, QueuedEvent, TimedEvent};
pub use event_selection::EventSelection;
pub use outage::JournalOutage;
pub use printer::Printer;
pub use queue::{EndOnDrop, LineQueue, Overflow, Queued};
pub use sink::{FormatLines, LineSink};
