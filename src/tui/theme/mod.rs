//! Colours and glyphs. Sixteen colours, as the terminal's owner chose them; no background is ever set, so light, dark and
//! transparent terminals work alike. What a colour says, a glyph or a word says, too.

pub mod glyphs;

use ratatui::style::{Color, Modifier, Style};

/// Which colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// The sixteen of the terminal.
    #[default]
    Sixteen,
    /// None: bold, dim and reversed only, as `NO_COLOR` asks.
    None,
}

impl Colour {
    /// What the terminal on standard output can show and its user wants (`NO_COLOR`, `TERM`, `COLORTERM`).
    #[must_use]
    pub fn of_stdout() -> Self {
        supports_color::on(supports_color::Stream::Stdout).map_or(Self::None, |_| Self::Sixteen)
    }
}

/// Which characters frames and marks are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Lines, dots and bars.
    #[default]
    Unicode,
    /// Nothing but ASCII, for terminals and fonts without them.
    Ascii,
}

/// What a text is on the screen. A new one gets its look in [`Theme::style`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Plain,
    /// What matters less: headings, units, rules.
    Quiet,
    /// What matters more.
    Strong,
    /// What matters less, in the selected row.
    SelectedQuiet,
    /// The answer that Enter gives.
    Chosen,
    /// Where the keys go.
    Focus,
    /// Words that were looked for.
    Found,
    Good,
    /// What a person should look at.
    Attention,
    /// What must be seen all the time.
    Banner,
    /// What is broken, or breaks something.
    Bad,
}

impl Role {
    /// The same in the selected row, which is bold.
    pub const fn selected(self) -> Self {
        match self {
            Self::Plain => Self::Strong,
            Self::Quiet => Self::SelectedQuiet,
            role => role,
        }
    }
}

/// How each role looks: the only place that makes a style.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    colour: Colour,
}

impl Theme {
    pub const fn new(colour: Colour) -> Self {
        Self { colour }
    }

    pub const fn style(self, role: Role) -> Style {
        let (colour, modifier) = match role {
            Role::Plain => (None, Modifier::empty()),
            Role::Quiet => (None, Modifier::DIM),
            Role::Strong => (None, Modifier::BOLD),
            Role::SelectedQuiet => (None, Modifier::DIM.union(Modifier::BOLD)),
            Role::Chosen => (None, Modifier::REVERSED),
            Role::Focus => (Some(Color::Cyan), Modifier::BOLD),
            Role::Found => (Some(Color::Cyan), Modifier::BOLD.union(Modifier::UNDERLINED)),
            Role::Good => (Some(Color::Green), Modifier::empty()),
            Role::Attention => (Some(Color::Yellow), Modifier::BOLD),
            Role::Banner => (Some(Color::Red), Modifier::BOLD.union(Modifier::REVERSED)),
            Role::Bad => (Some(Color::Red), Modifier::BOLD),
        };
        let style = Style::new().add_modifier(modifier);
        match (colour, self.colour) {
            (Some(colour), Colour::Sixteen) => style.fg(colour),
            _ => style,
        }
    }
}
