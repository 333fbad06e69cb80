//! [`Remembering`]: an observer that keeps what is learned of the own slot, without making the session wait for the disk.

use std::io;

use super::driver::Observer;
use super::newest::Newest;
use crate::group::Event;
use crate::profile::SlotMemory;
use crate::protocol::Millis;
use crate::session::Proxied;

/// Hands every event on, and notes what it says of our slot.
#[derive(Debug)]
pub struct Remembering<O> {
    observer: O,
    notes: Option<(SlotMemory, Newest<SlotMemory>)>,
}

impl<O: Observer> Remembering<O> {
    /// Remembers nothing without a memory.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(observer: O, memory: Option<SlotMemory>) -> io::Result<Self> {
        let notes = memory.map(|memory| Ok::<_, io::Error>((memory, Newest::start("slot memory", write)?)));
        Ok(Self { observer, notes: notes.transpose()? })
    }
}

impl<O: Observer> Observer for Remembering<O> {
    fn tell(&mut self, at: Millis, event: Event) {
        if let Some((memory, newest)) = &mut self.notes
            && memory.learn(at, &event)
        {
            newest.write(memory.clone());
        }
        self.observer.tell(at, event);
    }

    fn proxied(&mut self, proxied: Proxied) {
        self.observer.proxied(proxied);
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is the last who has it")]
fn write(memory: SlotMemory) {
    if let Err(error) = memory.write() {
        tracing::warn!("cannot remember the slot: {error}");
    }
}
