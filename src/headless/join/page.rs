//! The page with the code, on a screen of its own: when it goes, nothing of it stays where one can scroll back to.

use std::io::{self, Write as _};

use crossterm::cursor::MoveTo;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{cursor, execute, queue};

use super::offer::Offer;
use crate::output::qr::{CodeRoom, Letters};

/// Where on the phone to tap, beside the code. The menus are those of the apps of 2026.
const BESIDE: [&str; 12] = [
    "Scan this code with a phone",
    "of your group.",
    "",
    "Android: main menu,",
    "  Threema 2.0 for Desktop (Beta),",
    "  Add device",
    "iOS: Settings,",
    "  Threema 2.0 for Desktop (Beta),",
    "  Add Device",
    "",
    "l    the link as text",
    "Esc  leave",
];
/// The same where there is no room beside it.
const BELOW: [&str; 3] = [
    "Android: main menu, Threema 2.0 for Desktop, Add device",
    "iOS: Settings, Threema 2.0 for Desktop, Add Device",
    "l: the link as text  Esc: leave",
];
/// Between the code and what stands beside it.
const GAP: usize = 2;

/// The terminal in raw mode, given back when this goes, whatever happens.
pub(super) struct Terminal {
    on_page: bool,
    ascii: bool,
    shows_link: bool,
}

impl Terminal {
    pub(super) fn take(ascii: bool) -> io::Result<Self> {
        enable_raw_mode()?;
        Ok(Self { on_page: false, ascii, shows_link: false })
    }

    pub(super) const fn toggle_link(&mut self) {
        self.shows_link = !self.shows_link;
    }

    /// Draws the code, or the link, or why the code cannot be drawn.
    pub(super) fn draw(&mut self, offer: &Offer, picture: Option<&std::path::Path>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if !std::mem::replace(&mut self.on_page, true) {
            execute!(out, EnterAlternateScreen, cursor::Hide)?;
        }
        let (columns, rows) = size().map_or((80, 24), |(columns, rows)| (usize::from(columns), usize::from(rows)));
        let lines = if self.shows_link {
            // The terminal breaks the line where it ends.
            vec![offer.link.to_string(), String::new(), "l: the code  Esc: leave".to_owned()]
        } else {
            self.lines(offer, columns, rows, picture)
        };
        queue!(out, Clear(ClearType::All))?;
        let mut row = 0_u16;
        for line in &lines {
            queue!(out, MoveTo(0, row))?;
            out.write_all(line.as_bytes())?;
            // Only the link and sentences are longer than the terminal is wide; the code's lines have colours.
            let width = if line.contains('\x1b') { 1 } else { line.chars().count().max(1) };
            row = row.saturating_add(u16::try_from(width.div_ceil(columns.max(1))).unwrap_or(u16::MAX));
        }
        out.flush()
    }

    fn lines(&self, offer: &Offer, columns: usize, rows: usize, picture: Option<&std::path::Path>) -> Vec<String> {
        let Some(qr) = &offer.qr else { return vec!["the link is too long for a code; l shows it as text".to_owned()] };
        let letters = Letters::of(std::env::var("TERM").ok().as_deref());
        let screen = CodeRoom { columns, rows, is_ascii: self.ascii, letters };
        let code = match qr.shown_on(screen) {
            Ok(code) => code,
            Err(why) => {
                let picture = picture.map(|path| format!("The code is a picture in {}.", path.display()));
                let mut lines = vec![picture.unwrap_or_else(|| why.to_string()), String::new()];
                lines.extend(BELOW.map(str::to_owned));
                return lines;
            }
        };
        let width = code.first().map_or(0, |line| cells(line));
        let beside = BESIDE.iter().map(|line| line.len()).max().unwrap_or(0);
        if width + GAP + beside <= columns {
            let text = BESIDE.iter().copied().chain(std::iter::repeat(""));
            return code.iter().zip(text).map(|(line, text)| format!("{}  {text}", line.as_str())).collect();
        }
        let mut lines: Vec<String> = code.iter().map(|line| line.to_string()).collect();
        lines.extend(BELOW.iter().take(rows.saturating_sub(lines.len())).map(|line| (*line).to_owned()));
        lines
    }

    /// Leaves the page with the code.
    pub(super) fn leave_page(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.on_page, false) {
            execute!(io::stdout(), Clear(ClearType::All), LeaveAlternateScreen, cursor::Show)?;
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.leave_page();
        let _ = disable_raw_mode();
    }
}

/// How many cells a line with colours takes.
fn cells(line: &str) -> usize {
    let mut in_escape = false;
    let seen = line.chars().filter(|letter| {
        let shown = !in_escape && *letter != '\x1b';
        in_escape = if in_escape { *letter != 'm' } else { *letter == '\x1b' };
        shown
    });
    seen.count()
}
