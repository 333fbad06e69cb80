//! The panes, and what stands around them: each reads the state and draws itself.

pub mod bottom_line;
pub mod chooser;
pub mod devices;
pub mod dialog;
pub mod feed;
pub mod header;
mod hour;
mod latency;
pub mod layout;
mod lock;
mod lock_timeline;
pub mod prompt;
mod role;
pub mod rules;
pub mod too_small;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::context::FrameContext;
use crate::tui::input::pane::Pane;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use hour::hour_axis;

/// What every pane is: a body, and the parts of the title above it. A new pane is a file with these two functions, and a
/// line in [`PaneView::of`].
pub struct PaneView {
    pub draw: fn(&mut Buffer, Rect, &FrameContext<'_>, &Ui),
    pub title: fn(&FrameContext<'_>, &Ui) -> Vec<TitlePart>,
}

impl PaneView {
    pub fn of(pane: Pane) -> Self {
        match pane {
            Pane::Devices => Self { draw: devices::draw, title: devices::title },
            Pane::Lock => Self { draw: lock::draw, title: lock::title },
            Pane::Role => Self { draw: role::draw, title: role::title },
            Pane::Feed => Self { draw: feed::draw, title: feed::title },
            Pane::Latency => Self { draw: latency::draw, title: latency::title },
        }
    }
}

/// A part of a pane's title.
pub struct TitlePart {
    pub text: String,
    pub style: Role,
    /// Whether it belongs to the piece before, with no rule between.
    pub joined: bool,
    /// The columns below which it is left out rather than cut; [`None`] if it is never cut.
    pub least: Option<usize>,
}

impl TitlePart {
    pub fn new(text: impl Into<String>, style: Role) -> Self {
        Self { text: text.into(), style, joined: false, least: None }
    }

    pub fn joined(text: impl Into<String>, style: Role) -> Self {
        Self { joined: true, ..Self::new(text, style) }
    }

    /// Words that may be long, and say something when they are cut.
    pub fn words(text: impl Into<String>, style: Role) -> Self {
        const LEAST: usize = 12;
        Self { least: Some(LEAST), ..Self::new(text, style) }
    }
}
