//! Several groups, one at a time: each keeps what the user was looking at, and a line tells how all of them stand.

use std::borrow::Cow;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::group::Group;
use crate::output::standing::Standing;
use crate::output::text_width::{cut, cut_apart, width};
use crate::protocol::Millis;
use crate::text::Clean;
use crate::tui::draw::text_run::TextRun;
use crate::tui::settings::{Neighbours, Settings};
use crate::tui::state::Ui;
use crate::tui::theme::glyphs::{ATTENTION, BAD, FILLING, OFF, ON, SELECTED, WAITING};
use crate::tui::theme::{Palette, Role, Theme};
use crate::tui::view::layout::split_top;

/// The columns of a name that is not in sight, when there is hardly any room.
const SHORT_NAME: usize = 8;

/// All tabs; which of them is in sight.
#[derive(Debug)]
pub struct Tabs {
    uis: Vec<Ui>,
    visible: usize,
    /// Where each tab stands in the line, if it does.
    places: Vec<(Rect, usize)>,
}

impl Tabs {
    pub fn new(settings: Vec<Settings>) -> Self {
        let mut tabs = Self { uis: settings.into_iter().map(Ui::new).collect(), visible: 0, places: Vec::new() };
        tabs.introduce();
        tabs
    }

    /// One more, in the theme of the others.
    pub fn add(&mut self, settings: Settings) {
        let palette = self.visible().map_or(settings.palette, |ui| ui.settings.palette);
        self.uis.push(Ui::new(Settings { palette, ..settings }));
        self.introduce();
    }

    /// Tells each what else there is.
    fn introduce(&mut self) {
        let tabs: Vec<Clean> = self.uis.iter().map(|ui| ui.settings.title.clone()).collect();
        for Settings { neighbours, .. } in self.uis.iter_mut().map(|ui| &mut ui.settings) {
            *neighbours = Arc::new(Neighbours { tabs: tabs.clone(), profiles: neighbours.profiles.clone() });
        }
    }

    pub fn visible(&self) -> Option<&Ui> {
        self.uis.get(self.visible)
    }

    pub fn visible_mut(&mut self) -> Option<&mut Ui> {
        self.uis.get_mut(self.visible)
    }

    pub fn get_mut(&mut self, tab: usize) -> Option<&mut Ui> {
        self.uis.get_mut(tab)
    }

    /// Another theme, for all of them.
    pub fn set_palette(&mut self, palette: &'static Palette) {
        for ui in &mut self.uis {
            ui.settings.palette = palette;
        }
    }

    pub const fn show(&mut self, tab: usize) {
        self.visible = tab;
    }

    /// How many tabs on the one is that stands there.
    pub fn step_to(&self, column: u16, row: u16) -> Option<isize> {
        let place = self.places.iter().find(|(area, _)| area.contains(Position { x: column, y: row }));
        let number = |index: usize| isize::try_from(index).ok();
        place.and_then(|(_, index)| Some(number(*index)? - number(self.visible)?))
    }

    /// Draws the line of tabs, if there are several, and the group that is in sight.
    pub fn draw(&mut self, buffer: &mut Buffer, group: &Group, standings: &[Standing], now: Millis) {
        let mut places = Vec::new();
        let area = if self.uis.len() > 1 { self.draw_line(buffer, standings, &mut places) } else { buffer.area };
        self.places = places;
        if let Some(ui) = self.visible_mut() {
            ui.draw(buffer, area, group, now);
        }
    }

    /// Returns what is left below.
    fn draw_line(&self, buffer: &mut Buffer, standings: &[Standing], places: &mut Vec<(Rect, usize)>) -> Rect {
        let (line, rest) = split_top(buffer.area, 1);
        let Some(settings) = self.visible().map(Ui::settings) else { return rest };
        let theme = Theme::new(settings.palette, settings.colour);
        let labels = self.labels(standings, usize::from(line.width));
        let mut run = TextRun::new(buffer, line, theme);
        let first = first_in_sight(&labels, self.visible, usize::from(line.width));
        if first > 0 {
            elsewhere(&mut run, labels.iter().take(first));
        }
        for (index, label) in labels.iter().enumerate().skip(first) {
            let is_visible = index == self.visible;
            // There must be room to say that there are others, too.
            let others = usize::from(index + 1 < labels.len());
            if !is_visible && run.room() < label.width() + others {
                elsewhere(&mut run, labels.iter().skip(index));
                break;
            }
            let style = if is_visible { Role::Accent } else { Role::Text };
            places.push((run.ahead(label.width()), index));
            run.text(if is_visible { SELECTED } else { " " }, style).text(&label.name, style);
            run.gap(1).text(label.glyph, label.style);
            if !label.words.is_empty() {
                run.gap(1).text(label.words, label.style);
            }
            run.gap(1);
            if index + 1 < labels.len() {
                run.text("│", Role::Border);
            }
        }
        theme.paint_background(buffer, line);
        rest
    }

    /// As long as there is room for: with words, without, or with the names of the others cut.
    fn labels(&self, standings: &[Standing], room: usize) -> Vec<TabLabel> {
        let long = room / 2;
        let label = |with_words: bool, others: usize| {
            let tabs = self.uis.iter().zip(standings.iter().copied().chain(std::iter::repeat(Standing::Idle)));
            let labels: Vec<TabLabel> = tabs
                .enumerate()
                .map(|(index, (ui, standing))| {
                    let (glyph, style) = mark(standing);
                    let title = ui.settings().title.as_str();
                    let name = if index == self.visible { cut(title, long) } else { self.name(index, title, others) };
                    let words = if with_words { standing.words() } else { "" };
                    TabLabel { name: name.into_owned(), glyph, style, words, needs_user: standing.needs_user() }
                })
                .collect();
            labels
        };
        let fits = |labels: &Vec<TabLabel>| labels.iter().map(TabLabel::width).sum::<usize>() <= room;
        let whole = [label(true, long), label(false, long)].into_iter().find(fits);
        let cut = || (SHORT_NAME..long).rev().map(|others| label(false, others)).find(fits);
        whole.or_else(cut).unwrap_or_else(|| label(false, SHORT_NAME))
    }

    /// A name in so many columns, with what tells it apart from the others.
    fn name<'a>(&self, index: usize, title: &'a str, columns: usize) -> Cow<'a, str> {
        let others = self.uis.iter().enumerate().filter(|(other, _)| *other != index);
        let same = others.map(|(_, ui)| same_beginning(title, ui.settings().title.as_str())).max();
        cut_apart(title, same.unwrap_or(0), columns)
    }
}

/// How many grapheme clusters both begin with.
fn same_beginning(one: &str, other: &str) -> usize {
    one.graphemes(true).zip(other.graphemes(true)).take_while(|(one, other)| one == other).count()
}

/// One tab in the line.
struct TabLabel {
    name: String,
    glyph: &'static str,
    style: Role,
    words: &'static str,
    needs_user: bool,
}

impl TabLabel {
    /// With the marker before, and the blank and the rule behind.
    fn width(&self) -> usize {
        let words = if self.words.is_empty() { 0 } else { width(self.words) + 1 };
        1 + width(&self.name) + 1 + width(self.glyph) + words + 2
    }
}

/// There are tabs beyond the end of the line; perhaps one that needs the user.
fn elsewhere<'a>(run: &mut TextRun<'_>, mut labels: impl Iterator<Item = &'a TabLabel>) {
    if labels.any(|label| label.needs_user) {
        run.text(ATTENTION, Role::Notice);
    } else {
        run.text("…", Role::Muted);
    }
}

/// The first tab to be drawn, so that the one in sight is in the line.
fn first_in_sight(labels: &[TabLabel], visible: usize, room: usize) -> usize {
    let wanted = |first: usize| labels.iter().take(visible + 1).skip(first).map(TabLabel::width).sum::<usize>();
    (0..visible).find(|first| wanted(*first) + usize::from(*first > 0) <= room).unwrap_or(visible)
}

const fn mark(standing: Standing) -> (&'static str, Role) {
    match standing {
        Standing::Idle => (OFF, Role::Muted),
        Standing::Connecting => (WAITING, Role::Text),
        Standing::Draining => (FILLING, Role::Text),
        Standing::Live => (ON, Role::Good),
        Standing::Reconnecting | Standing::GaveUpLeading => (WAITING, Role::Notice),
        Standing::Leading | Standing::Alarm | Standing::NeedsUser => (ATTENTION, Role::Notice),
        Standing::Over => (BAD, Role::Alarm),
    }
}
