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

pub(super) const ON: &str = "●";
pub(super) const OFF: &str = "○";
pub(super) const OWN: &str = "◆";
pub(super) const UNKNOWN: &str = "?";
pub(super) const WAITING: &str = "◌";
pub(super) const FILLING: &str = "◐";
pub(super) const BAD: &str = "✖";
pub(super) const ATTENTION: &str = "!";
pub(super) const SELECTED: &str = "▸";
pub(super) const MARKED: &str = "▪";
/// Before a row that is looked for.
pub(super) const HIT: &str = "*";
/// Before a row out of the journal.
pub(super) const IN_JOURNAL: &str = "·";
pub(super) const INCOMING: &str = "←";
pub(super) const OUTGOING: &str = "→";
pub(super) const SYNC: &str = "⇄";
/// Eighths of a cell, from the lowest bar to the full block.
pub(super) const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Styles by what they mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    colour: Colour,
}

impl Theme {
    /// Text.
    pub(super) const PLAIN: Style = Style::new();
    /// What matters less: headings, units, rules.
    pub(super) const QUIET: Style = Style::new().add_modifier(Modifier::DIM);
    /// What matters more.
    pub(super) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
    /// The answer that Enter gives.
    pub(super) const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);

    pub(super) const fn new(colour: Colour) -> Self {
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
    pub(super) const fn focus(self) -> Style {
        self.coloured(Color::Cyan, Modifier::BOLD)
    }

    /// Words that were looked for.
    pub(super) const fn found(self) -> Style {
        self.coloured(Color::Cyan, Modifier::BOLD.union(Modifier::UNDERLINED))
    }

    /// What is well.
    pub(super) const fn good(self) -> Style {
        self.coloured(Color::Green, Modifier::empty())
    }

    /// What a person should look at.
    pub(super) const fn attention(self) -> Style {
        self.coloured(Color::Yellow, Modifier::BOLD)
    }

    /// What must be seen all the time.
    pub(super) const fn banner(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD.union(Modifier::REVERSED))
    }

    /// What is broken, or breaks something.
    pub(super) const fn bad(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD)
    }
}

/// Replaces every character that is not ASCII, ours by its likeness and others by a question mark.
pub(super) fn to_ascii(buffer: &mut Buffer) {
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
