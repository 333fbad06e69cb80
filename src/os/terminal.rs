//! What the terminal can show, as far as the environment tells: colours, and characters beyond ASCII.

use std::env;
use std::io::{self, IsTerminal as _};

/// How many colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourDepth {
    /// The sixteen of the terminal.
    Sixteen,
    /// The palette of 256.
    Indexed,
    True,
}

/// The colours that the terminal on standard output can show and its user wants; [`None`] if none.
#[must_use]
pub fn colours() -> Option<ColourDepth> {
    colours_of(io::stdout().is_terminal(), variable)
}

/// Why nothing but ASCII is drawn; [`None`] if all characters can be.
#[must_use]
pub fn only_ascii() -> Option<&'static str> {
    only_ascii_of(variable)
}

/// Whether the terminal is GNU screen, which prints long escape sequences over what it shows.
#[must_use]
pub fn is_gnu_screen() -> bool {
    is_gnu_screen_of(variable)
}

/// A variable that is set to something: an empty one counts as unset.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// In the order in which the conventions go before each other (no-color.org, force-color.org, `COLORTERM`, terminfo names).
fn colours_of(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Option<ColourDepth> {
    match variable("FORCE_COLOR").as_deref() {
        Some("0" | "false") => return None,
        Some("2") => return Some(ColourDepth::Indexed),
        Some("3") => return Some(ColourDepth::True),
        Some(_) => return Some(ColourDepth::Sixteen),
        None => {}
    }
    let term = variable("TERM").filter(|term| term != "dumb")?;
    if variable("NO_COLOR").is_some() || !is_terminal {
        return None;
    }
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let says_true = matches!(variable("COLORTERM").as_deref(), Some("truecolor" | "24bit"));
    if says_true || term.ends_with("direct") || term.ends_with("truecolor") || program == "iTerm.app" {
        Some(ColourDepth::True)
    } else if term.ends_with("256") || term.ends_with("256color") || program == "Apple_Terminal" {
        Some(ColourDepth::Indexed)
    } else {
        Some(ColourDepth::Sixteen)
    }
}

fn only_ascii_of(variable: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    match variable("TERM").as_deref() {
        Some("dumb") => return Some("TERM=dumb has no lines and dots"),
        // Of ⇄ ▃ ▄ ▆ ◆ ○ its usual fonts have none.
        Some("linux") => return Some("the fonts of TERM=linux lack signs"),
        _ => {}
    }
    // The first one that is set counts (POSIX.1-2024, 8.2).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default();
    let charset = locale.split('@').next().unwrap_or_default().rsplit('.').next().unwrap_or_default();
    let charset: String = charset.chars().filter(char::is_ascii_alphanumeric).collect();
    (!charset.eq_ignore_ascii_case("utf8")).then_some("the locale (LC_ALL, LC_CTYPE or LANG) is not UTF-8")
}

fn is_gnu_screen_of(variable: impl Fn(&str) -> Option<String>) -> bool {
    // tmux calls itself screen, too. Which of both is the inner one cannot be told: what GNU screen bears, tmux does.
    let is_screen = variable("TERM").is_some_and(|term| term.starts_with("screen"));
    variable("STY").is_some() || is_screen && variable("TMUX").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(variables: &[(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        let variables = variables.to_vec();
        move |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned()).filter(|value| !value.is_empty())
        }
    }

    #[test]
    fn colours_follow_the_conventions() {
        use ColourDepth::{Indexed, Sixteen, True};
        for (variables, depth) in [
            (&[("TERM", "xterm")][..], Some(Sixteen)),
            (&[("TERM", "linux")], Some(Sixteen)),
            (&[("TERM", "xterm-256color")], Some(Indexed)),
            (&[("TERM", "xterm"), ("COLORTERM", "truecolor")], Some(True)),
            (&[("TERM", "xterm-direct")], Some(True)),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], None),
            (&[("TERM", "xterm"), ("NO_COLOR", "0")], None),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], Some(Sixteen)),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], None),
            (&[], None),
            (&[("NO_COLOR", "1"), ("FORCE_COLOR", "2")], Some(Indexed)),
            (&[("TERM", "xterm"), ("FORCE_COLOR", "")], Some(Sixteen)),
            (&[("TERM", "xterm"), ("FORCE_COLOR", "0")], None),
        ] {
            assert_eq!(colours_of(true, set(variables)), depth, "{variables:?}");
        }
        assert_eq!(colours_of(false, set(&[("TERM", "xterm")])), None);
        assert_eq!(colours_of(false, set(&[("TERM", "xterm"), ("FORCE_COLOR", "3")])), Some(True));
    }

    #[test]
    fn signs_need_a_locale_and_a_font_that_have_them() {
        for (variables, is_ascii) in [
            (&[("LANG", "C.UTF-8")][..], false),
            (&[("LANG", "de_DE.utf8")], false),
            (&[("LANG", "ca_ES.UTF-8@valencia")], false),
            (&[("LC_CTYPE", "UTF-8")], false),
            (&[("LANG", "de_DE@euro")], true),
            (&[("LANG", "de_DE.ISO-8859-1")], true),
            (&[("LANG", "C")], true),
            (&[], true),
            (&[("LANG", "C.UTF-8"), ("LC_ALL", "POSIX")], true),
            (&[("LANG", "C.UTF-8"), ("LC_ALL", "")], false),
            (&[("LANG", "C"), ("LC_CTYPE", "en_US.UTF-8")], false),
            (&[("LANG", "C.UTF-8"), ("TERM", "linux")], true),
            (&[("LANG", "C.UTF-8"), ("TERM", "dumb")], true),
            (&[("LANG", "C.UTF-8"), ("TERM", "linux-16color")], false),
        ] {
            assert_eq!(only_ascii_of(set(variables)).is_some(), is_ascii, "{variables:?}");
        }
    }

    #[test]
    fn gnu_screen_is_told_from_tmux() {
        for (variables, is_screen) in [
            (&[("TERM", "screen"), ("STY", "1.x")][..], true),
            (&[("TERM", "screen.xterm-256color"), ("STY", "1.x")], true),
            (&[("TERM", "screen")], true),
            (&[("TERM", "screen-256color"), ("TMUX", "/tmp/x")], false),
            (&[("TERM", "screen-256color")], true),
            (&[("TERM", "screen"), ("TMUX", "/tmp/x"), ("STY", "1.x")], true),
            (&[("TERM", "xterm-256color"), ("STY", "1.x")], true),
            (&[("TERM", "xterm-256color")], false),
        ] {
            assert_eq!(is_gnu_screen_of(set(variables)), is_screen, "{variables:?}");
        }
    }
}
