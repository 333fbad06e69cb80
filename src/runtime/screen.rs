//! What the dashboard's loop needs of a screen; the screen itself lives in a room above.

use std::io;

use super::PlaybackRequest;
use super::ProfileState;
use super::observers::Observer;
use crate::group::{FeedRow, Group};
use crate::net::Address;
use crate::output::standing::Standing;
use crate::protocol::Millis;
use crate::session::{Command, Session};
use crate::text::Clean;

/// What a session is started from: where it connects to, what it remembers, and who looks on.
pub type SessionParts = (Session, Address, ProfileState, Vec<Box<dyn Observer>>);

/// What an input of the user leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Reaction {
    /// Nothing changed on the screen.
    Nothing,
    /// The screen changed.
    Redraw,
    /// The screen changed, and is drawn anew from nothing, as after a resize or when the user asks for it.
    Repaint,
    /// Turn to the tab so many places on.
    Tab(isize),
    /// Open this profile in a tab of its own by [`Screen::open_tab`], with the terminal given back meanwhile.
    Open(Clean),
    /// Ask this of the session; the screen changed, too.
    Command(Command),
    /// Read a page of the journal for [`Screen::take_older`]; the screen changed, too.
    Older {
        /// The number of the oldest row that was read so far; [`None`] reads what is just older than the oldest row in
        /// memory.
        before: Option<u64>,
        /// How many rows at most.
        count: usize,
    },
    /// Stop as by Ctrl-Z: give the terminal back, stop the process, take the terminal again when it continues.
    Suspend,
    /// Ask this of what is played; the screen changed, too.
    Playback(PlaybackRequest),
    /// End the program.
    Quit,
}

/// What the journal has of the time before.
#[derive(Clone, Debug, PartialEq)]
pub enum OlderRows {
    /// Nothing is kept.
    NoJournal,
    /// Why it could not be read.
    Failed(Clean),
    /// The newest of the rows that were asked for.
    Rows {
        /// Their numbers in the journal, strictly rising; strictly older than what is in memory.
        rows: Vec<(u64, FeedRow)>,
        /// Whether there are still older ones.
        more: bool,
    },
}

/// What a slice of work led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// Whether the screen changed.
    pub changed: bool,
    /// Whether there is more to do.
    pub more: bool,
}

/// A screen: draws the group, turns inputs into reactions, and can give the terminal back.
pub trait Screen {
    /// One input of the user: a key, a resize, a focus change.
    type Input;

    /// Draws one frame into memory: the group of the tab in sight, and how the groups of all tabs stand.
    ///
    /// # Errors
    /// If the size of the terminal cannot be told.
    fn draw(&mut self, group: &Group, standings: &[Standing], now: Millis) -> io::Result<()>;

    /// Writes what was drawn to the terminal; takes as long as the terminal takes, while the group goes on.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    fn present(&mut self) -> io::Result<()>;

    /// Takes one input.
    fn handle(&mut self, input: Self::Input, group: &Group, now: Millis) -> Reaction;

    /// Does a part of what takes longer than a frame, for a few milliseconds at most; called while nothing else waits,
    /// until there is no more to do, and again after each frame.
    fn work(&mut self, group: &Group) -> Worked;

    /// Takes what was asked for by [`Reaction::Older`] in that tab.
    fn take_older(&mut self, tab: usize, page: OlderRows, group: &Group) -> Reaction;

    /// Prepares the session of a profile and has it started; true if it has a tab then, the last one. A passphrase may be
    /// asked for. Whatever stands in the way is said like by [`Self::notify`].
    fn open_tab(&mut self, profile: &Clean, start: &mut dyn FnMut(SessionParts) -> io::Result<()>) -> bool;

    /// Turns to another tab, which the groups that follow belong to. At first that is tab 0.
    fn show_tab(&mut self, tab: usize);

    /// Shows a line about something that just happened, until the next key.
    fn notify(&mut self, notice: Clean);

    /// When what is on the screen changes next by the passing of time alone; [`None`] if never.
    fn changes_at(&self, group: &Group, now: Millis) -> Option<Millis>;

    /// Gives the terminal back.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    fn suspend(&mut self) -> io::Result<()>;

    /// Takes the terminal again; the next frame is drawn whole.
    ///
    /// # Errors
    /// If the terminal cannot be set up.
    fn resume(&mut self) -> io::Result<()>;
}
