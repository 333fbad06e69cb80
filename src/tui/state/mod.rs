//! What the user is looking at: read by the panes and pages, changed by what the keys do.

pub mod device_order;
pub mod device_selection;
pub mod dialog;
pub mod feed;
pub mod notice;
pub mod open_prompt;
pub mod opened_row;
pub mod page;

use crate::group::Group;
use crate::protocol::{DeviceId, Millis};
use crate::tui::context::View;
use crate::tui::format::clock::Clock;
use crate::tui::input::keymap::Place;
use crate::tui::input::pane::Pane;
use crate::tui::settings::Settings;
use crate::tui::state::device_order::Order;
use crate::tui::state::device_selection::Selection;
use crate::tui::state::dialog::Dialog;
use crate::tui::state::feed::Reading;
use crate::tui::state::notice::{Refreshed, Told};
use crate::tui::state::open_prompt::Line;
use crate::tui::state::page::Page;
use crate::tui::theme::Theme;

/// What the user is looking at.
#[derive(Debug)]
pub struct Ui {
    pub settings: Settings,
    pub focus: Pane,
    /// Whether the user has chosen it.
    pub focus_chosen: bool,
    pub zoomed: bool,
    pub order: Order,
    pub selection: Selection,
    pub refreshed: Option<Refreshed>,
    pub reading: Reading,
    pub overlay: Overlay,
    pub notice: Option<Told>,
    /// How many of the group's notices were read.
    pub notices_read: u64,
    /// The disconnection whose explanation was read, by its time.
    pub explained: Option<Millis>,
    /// The last disconnection that was noticed, by its time.
    pub ended: Option<Millis>,
    /// Whether the user has accepted that the clocks differ.
    pub clock_accepted: bool,
    /// How many devices a page shows.
    pub device_page: usize,
    pub wrong_at: Option<Millis>,
    pub room: Room,
    /// What is to be put into the clipboard.
    pub copied: Option<String>,
}

/// Whether the last frame had room for more than saying that it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Enough,
    TooLittle,
}

/// What lies over the panes.
#[derive(Clone, Debug, Default)]
pub enum Overlay {
    #[default]
    None,
    Page(Page),
    Dialog(Dialog),
    Line(Box<Line>),
}

impl Ui {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            focus: Pane::default(),
            focus_chosen: false,
            zoomed: false,
            order: Order::default(),
            selection: Selection::default(),
            refreshed: None,
            reading: Reading::default(),
            overlay: Overlay::None,
            notice: None,
            notices_read: 0,
            explained: None,
            ended: None,
            clock_accepted: false,
            device_page: 0,
            wrong_at: None,
            room: Room::Enough,
            copied: None,
        }
    }

    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// When the last frame becomes wrong by the passing of time alone.
    pub const fn wrong_at(&self) -> Option<Millis> {
        self.wrong_at
    }

    /// Puts the focus where it is best, unless the user has chosen.
    pub const fn focus_first(&mut self, pane: Pane) {
        if !self.focus_chosen {
            self.focus = pane;
        }
    }

    /// Where the user is.
    pub const fn place(&self) -> Place {
        match &self.overlay {
            Overlay::None => Place::On(self.focus),
            Overlay::Page(page) if page.has_text() => Place::Row,
            Overlay::Page(_) => Place::Page,
            Overlay::Dialog(_) => Place::Dialog,
            Overlay::Line(_) => Place::Line,
        }
    }

    /// The selected device, if it is still there.
    pub fn selected_of(&self, order: &[DeviceId]) -> Option<DeviceId> {
        self.selection.of(order)
    }

    /// What is to be put into the clipboard, once.
    pub const fn take_copied(&mut self) -> Option<String> {
        self.copied.take()
    }

    pub fn with_view<T>(&self, group: &Group, now: Millis, make: impl FnOnce(&View<'_>) -> T) -> T {
        let clock = Clock::new(now, self.settings.zone);
        make(&View {
            group,
            clock: &clock,
            settings: &self.settings,
            theme: Theme::new(self.settings.colour),
            clock_accepted: self.clock_accepted,
        })
    }
}
