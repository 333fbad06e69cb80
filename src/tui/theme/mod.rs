//! Colours and glyphs. Sixteen colours, as the terminal's owner chose them; no background is ever set, so light, dark and
//! transparent terminals work alike. What a colour says, a glyph or a word says, too.

use ratatui::buffer::Buffer;
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

pub const ON: &str = "●";
pub const OFF: &str = "○";
pub const OWN: &str = "◆";
pub const UNKNOWN: &str = "?";
pub const WAITING: &str = "◌";
pub const FILLING: &str = "◐";
pub const BAD: &str = "✖";
pub const ATTENTION: &str = "!";
pub const SELECTED: &str = "▸";
pub const MARKED: &str = "▪";
/// Before a row that is looked for.
pub const HIT: &str = "*";
/// Before a row out of the journal.
pub const IN_JOURNAL: &str = "·";
pub const INCOMING: &str = "←";
pub const OUTGOING: &str = "→";
pub const SYNC: &str = "⇄";
/// Eighths of a cell, from the lowest bar to the full block.
pub const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Styles by what they mean.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    colour: Colour,
}

impl Theme {
    /// Text.
    pub const PLAIN: Style = Style::new();
    /// What matters less: headings, units, rules.
    pub const QUIET: Style = Style::new().add_modifier(Modifier::DIM);
    /// What matters more.
    pub const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
    /// The answer that Enter gives.
    pub const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);

    pub const fn new(colour: Colour) -> Self {
        Self { colour }
    }

    const fn coloured(self, colour: Color, modifier: Modifier) -> Style {
        let style = Style::new().add_modifier(modifier);
        match self.colour {
            Colour::Sixteen => style.fg(colour),
            Colour::None => style,
        }
    }

    /// Where the keys go.
    pub const fn focus(self) -> Style {
        self.coloured(Color::Cyan, Modifier::BOLD)
    }

    /// Words that were looked for.
    pub const fn found(self) -> Style {
        self.coloured(Color::Cyan, Modifier::BOLD.union(Modifier::UNDERLINED))
    }

    /// What is well.
    pub const fn good(self) -> Style {
        self.coloured(Color::Green, Modifier::empty())
    }

    /// What a person should look at.
    pub const fn attention(self) -> Style {
        self.coloured(Color::Yellow, Modifier::BOLD)
    }

    /// What must be seen all the time.
    pub const fn banner(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD.union(Modifier::REVERSED))
    }

    /// What is broken, or breaks something.
    pub const fn bad(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD)
    }
}

/// Replaces every character that is not ASCII, ours by its likeness and others by a question mark.
pub fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let likeness = ascii(cell.symbol());
            cell.set_symbol(likeness);
        }
    }
}

fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "─" | "▃" => "-",
        "│" => "|",
        "┬" | "┴" | "├" | "┤" | "┼" | "┌" | "┐" | "└" | "┘" | "▆" => "+",
        ON | "▇" => "*",
        OFF => "o",
        OWN => "@",
        WAITING => ".",
        FILLING => "%",
        BAD => "X",
        SELECTED | OUTGOING => ">",
        INCOMING => "<",
        SYNC | MARKED | "▅" => "=",
        "·" | "±" => "-",
        "…" => "~",
        "▁" => "_",
        "▂" => ".",
        "▄" => ":",
        "█" => "#",
        "↑" => "^",
        "↓" => "v",
        "✓" => "+",
        _ => UNKNOWN,
    }
}
