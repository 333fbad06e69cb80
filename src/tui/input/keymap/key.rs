//! One key, as it is pressed and as it is written.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key and whether Ctrl is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
}

/// Keys with a name: the first name of each is the one that is shown.
const NAMED: [(&str, KeyCode); 22] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Del", KeyCode::Delete),
    ("Ins", KeyCode::Insert),
    ("↑", KeyCode::Up),
    ("↓", KeyCode::Down),
    ("←", KeyCode::Left),
    ("→", KeyCode::Right),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
];

/// The text names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Alt and a key arrive as Esc and that key.
    #[error("Alt cannot be told from Esc here; take Ctrl or another letter")]
    Alt,
    /// Neither a character nor a name.
    #[error("{0} is no key: write a character, Ctrl-X, F1 to F12, or Enter, Esc, Tab, Space, Up, PgDn, Home, Del …")]
    Unknown(String),
}

impl Key {
    pub const fn character(character: char) -> Self {
        Self { code: KeyCode::Char(character), ctrl: false }
    }

    pub const fn ctrl(character: char) -> Self {
        Self { code: KeyCode::Char(character), ctrl: true }
    }

    pub const fn named(code: KeyCode) -> Self {
        Self { code, ctrl: false }
    }

    /// The key of an event; [`None`] with modifiers that mean nothing here, and must not act as the bare key.
    pub fn of(event: KeyEvent) -> Option<Self> {
        let meaningless = KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META | KeyModifiers::HYPER;
        if event.modifiers.intersects(meaningless) {
            return None;
        }
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            // With Ctrl, some terminals tell Shift or Caps Lock and some do not.
            KeyCode::Char(character) if ctrl => KeyCode::Char(character.to_ascii_lowercase()),
            code => code,
        };
        Some(Self { code, ctrl })
    }

    /// The same key with the Latin letter that is in its place on the keyboard.
    pub fn in_latin(self) -> Option<Self> {
        let KeyCode::Char(character) = self.code else { return None };
        let latin = super::layouts::latin(character)?;
        let code = KeyCode::Char(if self.ctrl { latin.to_ascii_lowercase() } else { latin });
        Some(Self { code, ..self })
    }

    pub const fn code(self) -> KeyCode {
        self.code
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(character)) if self.ctrl => write!(f, "{}", character.to_uppercase()),
            (None, KeyCode::Char(character)) => write!(f, "{character}"),
            (None, KeyCode::F(number)) => write!(f, "F{number}"),
            (None, _) => f.write_str("?"),
        }
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || KeyError::Unknown(text.to_owned());
        let one = |text: &str| {
            let mut characters = text.chars();
            characters.next().filter(|first| characters.next().is_none() && !first.is_control())
        };
        let prefix = |names: [&str; 4]| {
            names.into_iter().find_map(|name| {
                let head = text.get(..name.len())?;
                head.eq_ignore_ascii_case(name).then(|| text.get(name.len()..).unwrap_or_default())
            })
        };
        if prefix(["Alt-", "Alt+", "M-", "Meta-"]).is_some() {
            return Err(KeyError::Alt);
        }
        if let Some(rest) = prefix(["Ctrl-", "Ctrl+", "C-", "Control-"]) {
            let character = one(rest).filter(char::is_ascii_graphic).ok_or_else(unknown)?;
            return Ok(Self::ctrl(character.to_ascii_lowercase()));
        }
        if let Some((_, code)) = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Ok(Self::named(*code));
        }
        let function = text.strip_prefix(['F', 'f']).and_then(|number| number.parse().ok());
        if let Some(number @ 1..=12) = function {
            return Ok(Self::named(KeyCode::F(number)));
        }
        one(text).map(Self::character).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for (text, key, shown) in [
            ("x", Key::character('x'), "x"),
            ("X", Key::character('X'), "X"),
            ("ж", Key::character('ж'), "ж"),
            ("Ctrl-D", Key::ctrl('d'), "Ctrl-D"),
            ("ctrl+d", Key::ctrl('d'), "Ctrl-D"),
            ("C-d", Key::ctrl('d'), "Ctrl-D"),
            ("pagedown", Key::named(KeyCode::PageDown), "PgDn"),
            ("Up", Key::named(KeyCode::Up), "↑"),
            ("space", Key::character(' '), "Space"),
            ("F5", Key::named(KeyCode::F(5)), "F5"),
            ("f", Key::character('f'), "f"),
            ("shift-tab", Key::named(KeyCode::BackTab), "Shift-Tab"),
        ] {
            assert_eq!(text.parse::<Key>(), Ok(key), "{text}");
            assert_eq!(key.to_string(), shown);
            assert_eq!(shown.parse::<Key>(), Ok(key), "what is shown can be written");
        }
        for text in ["", "xx", "Ctrl-", "Ctrl-xx", "F13", "F0", "\u{1b}", "Hyper-x"] {
            assert_eq!(text.parse::<Key>(), Err(KeyError::Unknown(text.to_owned())), "{text:?}");
        }
        assert_eq!("Alt-x".parse::<Key>(), Err(KeyError::Alt));
    }
}
