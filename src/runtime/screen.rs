//! What the dashboard's loop needs of a screen; the screen itself lives in a room above.

use std::io;

use crate::group::{Group, Standing};
use crate::protocol::Millis;
use crate::session::Command;

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
    /// Ask this of the session; the screen changed, too.
    Command(Command),
    /// Stop as by Ctrl-Z: give the terminal back, stop the process, take the terminal again when it continues.
    Suspend,
    /// End the program.
    Quit,
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

    /// Turns to another tab, which the groups that follow belong to. At first that is tab 0.
    fn show_tab(&mut self, tab: usize);

    /// Shows a line about something that just happened, until the next key.
    fn notify(&mut self, notice: crate::text::Clean);

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
