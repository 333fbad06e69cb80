//! A palette: the colour of each role, and where it is from.

use ratatui::style::Color;

use crate::tui::theme::Role;

/// How many colours devices are told apart by.
pub const DEVICE_COLOURS: usize = 8;

/// The colours of a theme.
#[derive(Debug, PartialEq, Eq)]
pub struct Palette {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What all of it is read on.
    pub background: Color,
    /// Whether the background is painted; otherwise the terminal's own is assumed to be like it.
    pub paints_background: bool,
    /// The background of the selected row.
    pub selection: Color,
    /// The colour of text.
    pub text: Color,
    /// The colour of what matters less.
    pub muted: Color,
    /// The colour of keys and what they act on.
    pub accent: Color,
    /// The colour of borders.
    pub border: Color,
    /// The colour of the border of the focused pane.
    pub border_focused: Color,
    /// The colour of what is well.
    pub good: Color,
    /// The colour of what a person should look at.
    pub notice: Color,
    /// The colour of what is broken.
    pub alarm: Color,
    /// The colour of incoming messages.
    pub incoming: Color,
    /// The colour of outgoing messages.
    pub outgoing: Color,
    /// The colour of what own devices tell each other.
    pub sync: Color,
    /// The colour of each device, in the order of first sight.
    pub devices: [Color; DEVICE_COLOURS],
    /// The colour of times that are slow.
    pub slow: Color,
    /// The colour of times that are too long.
    pub late: Color,
    /// The colour of names of facts.
    pub label: Color,
    /// The colour of titles, names and figures.
    pub heading: Color,
}

/// The sixteen colours as the terminal's owner chose them; no background, so light, dark and transparent terminals work
/// alike.
pub static TERMINAL: Palette = Palette {
    accent: Color::Cyan,
    border_focused: Color::Cyan,
    good: Color::Green,
    notice: Color::Yellow,
    alarm: Color::Red,
    incoming: Color::Green,
    outgoing: Color::Blue,
    sync: Color::Magenta,
    devices: [
        Color::Blue,
        Color::Yellow,
        Color::Green,
        Color::Magenta,
        Color::Cyan,
        Color::LightBlue,
        Color::LightRed,
        Color::LightMagenta,
    ],
    slow: Color::Yellow,
    late: Color::Red,
    ..plain("terminal")
};

/// No colour at all: what it would say is said by bold, dim, reversed, glyphs and words.
pub static MONO: Palette = plain("mono");

/// Nothing but the terminal's own text on its own background.
const fn plain(name: &'static str) -> Palette {
    Palette {
        name,
        background: Color::Reset,
        paints_background: false,
        selection: Color::Reset,
        text: Color::Reset,
        muted: Color::Reset,
        accent: Color::Reset,
        border: Color::Reset,
        border_focused: Color::Reset,
        good: Color::Reset,
        notice: Color::Reset,
        alarm: Color::Reset,
        incoming: Color::Reset,
        outgoing: Color::Reset,
        sync: Color::Reset,
        devices: [Color::Reset; DEVICE_COLOURS],
        slow: Color::Reset,
        late: Color::Reset,
        label: Color::Reset,
        heading: Color::Reset,
    }
}

impl Palette {
    /// The colour of a role's text.
    #[must_use]
    pub fn colour(&self, role: Role) -> Color {
        match role {
            Role::Text | Role::Value | Role::Selection => self.text,
            Role::Muted | Role::Fast => self.muted,
            Role::Accent | Role::Found => self.accent,
            Role::Border => self.border,
            Role::BorderFocused => self.border_focused,
            Role::Good => self.good,
            Role::Notice => self.notice,
            Role::Alarm | Role::AlarmBanner => self.alarm,
            Role::Incoming => self.incoming,
            Role::Outgoing => self.outgoing,
            Role::Sync => self.sync,
            Role::Device(index) => self.devices.get(usize::from(index) % DEVICE_COLOURS).copied().unwrap_or(self.text),
            Role::Slow => self.slow,
            Role::Late => self.late,
            Role::Label => self.label,
            Role::Heading => self.heading,
        }
    }
}
