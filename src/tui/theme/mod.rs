//! Looks by role: what a text is decides how it looks, in [`Theme::style`] alone. What a colour says, a glyph or a word
//! says, too.

mod catalogue;
mod colour;
pub mod device_colours;
pub mod glyphs;
mod palette;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

pub use colour::{Colour, place_of, shown_as};
pub use palette::{DEVICE_COLOURS, Palette, TERMINAL};

/// Which characters frames and marks are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Lines, dots and bars.
    #[default]
    Unicode,
    /// Nothing but ASCII, for terminals and fonts without them.
    Ascii,
}

/// What a text is on the screen. A new one gets its colour in [`Palette::colour`] and its weight in [`Theme::style`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Text,
    /// What matters less: times, ids, units, column heads.
    Muted,
    /// Keys, and what the keys act on.
    Accent,
    /// The answer that Enter gives, and the cursor.
    Selection,
    Border,
    /// The border of the pane that the keys act on.
    BorderFocused,
    Good,
    /// What a person should look at.
    Notice,
    /// What is broken, or breaks something.
    Alarm,
    /// What must be seen all the time, and the button that destroys.
    AlarmBanner,
    Incoming,
    Outgoing,
    Sync,
    /// A device, by its colour: 0 to 7.
    Device(u8),
    /// A time that deserves no look.
    Fast,
    Slow,
    Late,
    /// The name of a fact.
    Label,
    Value,
    /// Titles, names, figures.
    Heading,
    /// Words that were looked for.
    Found,
}

/// How each role looks: the only place that makes a style.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    palette: &'static Palette,
    colour: Colour,
}

impl Theme {
    pub const fn new(palette: &'static Palette, colour: Colour) -> Self {
        Self { palette, colour }
    }

    pub fn style(self, role: Role) -> Style {
        let modifier = match role {
            Role::Heading | Role::Accent | Role::Notice | Role::Alarm | Role::BorderFocused => Modifier::BOLD,
            Role::Found => Modifier::BOLD.union(Modifier::UNDERLINED),
            Role::Selection => Modifier::REVERSED,
            Role::AlarmBanner => Modifier::BOLD.union(Modifier::REVERSED),
            // Dim only where there is no colour for it: on top of a colour it would take its contrast away.
            Role::Muted | Role::Border if self.is_plain() => Modifier::DIM,
            _ => Modifier::empty(),
        };
        let style = Style::new().add_modifier(modifier);
        match self.colour.nearest(self.palette.colour(role), self.palette.background) {
            Color::Reset => style,
            colour => style.fg(colour),
        }
    }

    /// The lines around a pane. Where no colour can light the focused one up, they are heavier.
    pub fn pane_lines(self, is_focused: bool) -> (border::Set<'static>, Role) {
        let role = if is_focused { Role::BorderFocused } else { Role::Border };
        let is_heavy = is_focused && self.style(role).fg.is_none();
        (if is_heavy { border::THICK } else { border::PLAIN }, role)
    }

    /// Paints the background of the whole frame, if the theme has one of its own.
    pub fn paint_background(self, buffer: &mut Buffer, area: Rect) {
        if !self.palette.paints_background || self.colour == Colour::None {
            return;
        }
        // The background is read on nothing.
        let background = self.colour.nearest(self.palette.background, Color::Reset);
        let text = self.colour.nearest(self.palette.text, self.palette.background);
        for position in area.intersection(buffer.area).positions() {
            // Bars have theirs already.
            if let Some(cell) = buffer.cell_mut(position).filter(|cell| cell.bg == Color::Reset) {
                cell.set_bg(background);
                if cell.fg == Color::Reset {
                    cell.set_fg(text);
                }
            }
        }
    }

    /// Turns what was drawn into the selected row: a bar over its whole width.
    pub fn paint_bar(self, buffer: &mut Buffer, area: Rect) {
        // In sixteen colours the bar could be as its text, so the text is reversed there, and in one colour.
        if self.is_plain() || self.colour == Colour::Sixteen {
            let style = Style::new().fg(Color::Reset).bg(Color::Reset);
            let style = style.remove_modifier(Modifier::DIM).add_modifier(Modifier::REVERSED);
            buffer.set_style(area, style);
        } else {
            let style = Style::new().bg(self.colour.nearest(self.palette.selection, Color::Reset));
            buffer.set_style(area, style.remove_modifier(Modifier::DIM).add_modifier(Modifier::BOLD));
        }
    }

    /// Whether the terminal's own foreground and background are all there is.
    fn is_plain(self) -> bool {
        self.colour == Colour::None || self.palette.background == Color::Reset
    }
}
