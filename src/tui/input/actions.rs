//! All that the user can want, by name: the table of keys, the bottom line and the help refer to these.

use crate::tui::input::pane::Pane;

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Help,
    Quit,
    Back,
    Confirm,
    Choose(isize),
    /// Goes to the answer that does what is asked, or leaves the dialog.
    Answer(bool),
    Move(Motion),
    Focus(Pane),
    FocusStep(usize),
    /// So many tabs on.
    Tab(isize),
    Sort,
    Reverse,
    Pause,
    Detail,
    Zoom,
    Refresh,
    Connect,
    Drop,
    Lock,
    Probe,
    AcceptClock,
    Note,
    /// Opens a line to type into.
    Ask(PromptKind),
    /// Takes the next completion, or the one before.
    Complete(isize),
    /// The next hit of the search, or the one before.
    Hit(SearchDirection),
    Mark,
    Copy,
    /// Writes the screen as pictures.
    Picture,
    /// Gives the focused pane more room, or less.
    Resize(i16),
    /// Everything that can be done, to choose from.
    Palette,
    /// What was told in the last line.
    Messages,
    /// From an open row to the one beside it: newer or older.
    Beside(Motion),
    /// Shows what people wrote, or hides it again.
    Reveal,
    Repaint,
    Suspend,
    /// Where there is no profile yet: starts the demo.
    Demo,
    /// The same: joins a group.
    Join,
}

impl Action {
    /// Whether it may be done where nothing but the lack of room is shown.
    pub const fn works_unseen(self) -> bool {
        matches!(self, Self::Quit | Self::Suspend | Self::Repaint)
    }
}

/// What is typed into a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// Which rows are shown.
    Filter,
    /// Which row is looked for.
    Search,
    /// Which time to go to.
    Time,
    /// Which lines of a page are shown.
    Lines,
    /// To which file rows are written.
    File,
    /// What is wanted of everything that can be done.
    Choice,
}

/// Which way through the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchDirection {
    /// To what came before.
    Older,
    /// To what came after.
    Newer,
}

/// A movement through rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    Up,
    Down,
    HalfPageUp,
    HalfPageDown,
    PageUp,
    PageDown,
    First,
    Last,
}
