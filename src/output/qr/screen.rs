//! How a code is drawn on a screen, and what to say where it cannot be.

use zeroize::Zeroizing;

use super::{Drawing, LEAST_QUIET_ZONE, Qr};

/// What a terminal has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRoom {
    /// Columns that are free for the code.
    pub columns: usize,
    /// Rows that are free for it.
    pub rows: usize,
    /// Whether nothing but ASCII may be shown.
    pub is_ascii: bool,
    pub letters: Letters,
}

/// What a terminal's letters can draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// The console of Linux has no half blocks.
    Console,
    HalfBlocks,
    /// Also sextants, which the terminal draws itself and not out of a font: kitty does.
    Sextants,
}

impl Letters {
    /// Of a terminal, by its name in `TERM`.
    #[must_use]
    pub fn of(name: Option<&str>) -> Self {
        match name {
            Some("linux") => Self::Console,
            Some("xterm-kitty") => Self::Sextants,
            _ => Self::HalfBlocks,
        }
    }
}

/// Why a code cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotShown {
    /// The terminal is too small.
    #[error(
        "the code needs {} columns and {} rows, and this terminal has {} and {}: make its window larger or its letters \
         smaller, or have the code as a picture with --qr-file FILE.png", .needs.0, .needs.1, .has.0, .has.1
    )]
    TooSmall {
        /// The columns and rows that it takes at least.
        needs: (usize, usize),
        /// Those that there are.
        has: (usize, usize),
    },
    /// The console of Linux.
    #[error("the console of Linux cannot show the code: have it as a picture with --qr-file FILE.png")]
    Console,
}

impl Qr {
    /// The code as lines with its colours, for this screen.
    ///
    /// # Errors
    /// If it has no room for it.
    pub fn shown_on(&self, screen: CodeRoom) -> Result<Vec<Zeroizing<String>>, NotShown> {
        let drawings: &[Drawing] = match screen.letters {
            Letters::Console => return Err(NotShown::Console),
            _ if screen.is_ascii => &[Drawing::Backgrounds],
            Letters::HalfBlocks => &[Drawing::HalfBlocks],
            // Smaller, and so only where the others have no room.
            Letters::Sextants => &[Drawing::HalfBlocks, Drawing::Sextants],
        };
        let fits = |drawing: &Drawing| Some((*drawing, self.fitting(*drawing, screen.columns, screen.rows)?));
        let (drawing, quiet_zone) = drawings.iter().find_map(fits).ok_or_else(|| {
            let needs = drawings.last().map_or((0, 0), |smallest| self.cells(*smallest, LEAST_QUIET_ZONE));
            NotShown::TooSmall { needs, has: (screen.columns, screen.rows) }
        })?;
        Ok(self.lines(drawing, quiet_zone).into_iter().map(Zeroizing::new).collect())
    }
}
