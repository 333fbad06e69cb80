//! The parts of the screen that keys can go to.

/// A part of the screen that keys can go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// Who is in the group.
    #[default]
    Devices,
    /// Who may change things.
    Lock,
    /// Who serves the chat server.
    Role,
    /// What was reflected.
    Feed,
    /// How long things took.
    Latency,
}

impl Pane {
    /// In the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Devices, Self::Lock, Self::Role, Self::Feed, Self::Latency];

    /// What the title says.
    pub(in crate::tui) const fn name(self) -> &'static str {
        match self {
            Self::Devices => "Devices",
            Self::Lock => "Lock",
            Self::Role => "Role",
            Self::Feed => "Feed",
            Self::Latency => "Latency",
        }
    }

    pub(in crate::tui) const fn index(self) -> usize {
        self as usize
    }

    /// The pane so many places on, around the end.
    pub(in crate::tui) fn step(self, by: usize) -> Self {
        Self::ALL.into_iter().cycle().nth(self.index() + by).unwrap_or(self)
    }
}
