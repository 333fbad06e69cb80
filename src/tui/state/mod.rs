//! What the user is looking at: read by the panes and pages, changed by what the keys do.

pub mod chooser;
pub mod click;
pub mod device_selection;
pub mod dialog;
pub mod exporting;
pub mod feed;
pub mod notice;
pub mod open_prompt;
pub mod opened_row;
pub mod page;

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::group::{Group, NoticeKind};
use crate::output::clock::Clock;
use crate::output::device_order::DeviceOrder;
use crate::protocol::{DeviceId, Millis};
use crate::text::Clean;
use crate::tui::context::FrameContext;
use crate::tui::input::keymap::{InputContext, Key};
use crate::tui::input::pane::Pane;
use crate::tui::panes::PaneSizes;
use crate::tui::remembered::Remembered;
use crate::tui::settings::Settings;
use crate::tui::state::chooser::{Chooser, ThemeChoice};
use crate::tui::state::click::{ClickMap, LastClick};
use crate::tui::state::device_selection::DeviceSelection;
use crate::tui::state::dialog::Dialog;
use crate::tui::state::exporting::{Exporting, PlannedExport};
use crate::tui::state::feed::FeedState;
use crate::tui::state::notice::{LocalNotice, PendingLook, PendingRefresh};
use crate::tui::state::open_prompt::OpenPrompt;
use crate::tui::state::page::Page;
use crate::tui::theme::Theme;
use crate::tui::theme::device_colours::DeviceColours;

/// What the user is looking at.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "what is open, chosen and read does not depend on each other")]
pub struct Ui {
    pub settings: Settings,
    /// Devices in the order of first sight.
    pub colours: DeviceColours,
    pub focus: Pane,
    /// Whether the user has chosen it.
    pub focus_chosen: bool,
    pub zoomed: bool,
    pub order: DeviceOrder,
    /// By how much panes are larger than usual.
    pub sizes: PaneSizes,
    /// The same in the last frame, as far as there was room.
    pub sizes_in_sight: PaneSizes,
    /// Whether the panes stood side by side in the last frame.
    pub is_wide: bool,
    pub planned_export: Option<PlannedExport>,
    pub exporting: Option<Exporting>,
    /// Whether the screen is to be written to files.
    pub picture_wanted: bool,
    pub selection: DeviceSelection,
    pub refreshed: Option<PendingRefresh>,
    pub looked: Option<PendingLook>,
    pub feed_state: FeedState,
    pub overlay: Overlay,
    pub notice: Option<LocalNotice>,
    /// What was told so far by the dashboard itself, the oldest first.
    pub told: VecDeque<(Millis, NoticeKind, Clean)>,
    /// Whether the last line had no room for all of its message.
    pub message_is_cut: bool,
    /// When the last frame was drawn.
    pub drawn_at: Millis,
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
    pub room: ScreenSpace,
    /// Keys that mean nothing, and of which that was said.
    pub unknown_keys: Vec<Key>,
    /// What a click hits in the last frame.
    pub clicks: ClickMap,
    pub last_click: Option<LastClick>,
    /// When a click has opened the dialog that is open.
    pub dialog_by_click: Option<Millis>,
    /// A theme that was chosen for all tabs, until the screen has taken it.
    pub theme_chosen: Option<ThemeChoice>,
    /// Text for the clipboard, until the screen has taken it.
    pub copied: Option<String>,
}

/// Whether the last frame had room for more than saying that it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScreenSpace {
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
    Prompt(Box<OpenPrompt>),
    Chooser(Box<Chooser>),
}

impl Ui {
    pub fn new(settings: Settings) -> Self {
        let left = settings.left.clone();
        let order = left.as_ref().and_then(|left| DeviceOrder::named(&left.sort));
        Self {
            colours: DeviceColours::kept_in(settings.seen_devices.clone()),
            focus: settings.preferences.start_pane.unwrap_or_default(),
            focus_chosen: settings.preferences.start_pane.is_some(),
            zoomed: left.as_ref().is_some_and(|left| left.zoomed),
            order: order.unwrap_or(settings.preferences.order),
            sizes: left.map(|left| left.sizes).unwrap_or_default(),
            sizes_in_sight: PaneSizes::default(),
            is_wide: false,
            planned_export: None,
            exporting: None,
            picture_wanted: false,
            selection: DeviceSelection::default(),
            refreshed: None,
            looked: None,
            feed_state: FeedState::with(settings.preferences.filters.clone()),
            overlay: Overlay::None,
            notice: None,
            told: VecDeque::new(),
            message_is_cut: false,
            drawn_at: Millis(0),
            notices_read: 0,
            explained: None,
            ended: None,
            clock_accepted: false,
            device_page: 0,
            wrong_at: None,
            room: ScreenSpace::Enough,
            unknown_keys: Vec::new(),
            clicks: ClickMap::default(),
            last_click: None,
            dialog_by_click: None,
            theme_chosen: None,
            copied: None,
            settings,
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

    /// What keys mean now depends on this.
    pub const fn place(&self) -> InputContext {
        match &self.overlay {
            Overlay::None => InputContext::On(self.focus),
            Overlay::Page(page) if page.typed().is_some() => InputContext::Line,
            Overlay::Page(page) if page.has_private() => InputContext::Row,
            Overlay::Page(_) => InputContext::Page,
            Overlay::Dialog(_) => InputContext::Dialog,
            Overlay::Prompt(_) => InputContext::Line,
            Overlay::Chooser(_) => InputContext::Chooser,
        }
    }

    /// The selected device, if it is still there.
    pub fn selected_of(&self, order: &[DeviceId]) -> Option<DeviceId> {
        self.selection.of(order)
    }

    /// The text for the clipboard, given once.
    pub const fn take_copied(&mut self) -> Option<String> {
        self.copied.take()
    }

    /// How the screen is left.
    pub fn left(&self) -> Remembered {
        Remembered { sort: self.order.name(), zoomed: self.zoomed, sizes: self.sizes }
    }

    /// The theme that was chosen, given once.
    pub const fn take_theme(&mut self) -> Option<ThemeChoice> {
        self.theme_chosen.take()
    }

    pub fn with_context<T>(&self, group: &Group, now: Millis, make: impl FnOnce(&FrameContext<'_>) -> T) -> T {
        let clock = Clock::new(now, self.settings.zone);
        make(&FrameContext {
            group,
            clock: &clock,
            settings: &self.settings,
            theme: Theme::new(self.settings.palette, self.settings.colour),
            colours: &self.colours,
            told: &self.told,
            clock_accepted: self.clock_accepted,
            clicks: RefCell::default(),
        })
    }
}
