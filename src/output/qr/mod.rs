//! [`Qr`]: a join link as a QR code, in cells of a terminal or as a picture.
//!
//! Scanners differ in what they take; these drawings were read from screenshots of five terminals by two readers. In half
//! blocks the *light* modules are ink: between the rows of a terminal there may be seams of background, which cut dark
//! patterns but not light ones. The colours are explicit and have nothing to do with a theme: an inverted code is not
//! found by every reader, nor one whose margin is dark.

mod picture;
mod picture_file;
mod screen;

use std::fmt;

use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

pub use picture_file::{PictureFile, UnknownFormat};
pub use screen::{CodeRoom, Letters, NotShown};

/// White that no theme changes, of the 256 colours: what light modules are.
pub const LIGHT: u8 = 231;
/// Black, likewise.
pub const DARK: u8 = 16;
/// The light margin, in modules. Some readers find nothing without one.
pub const QUIET_ZONE: usize = 2;
/// The least margin that all take.
pub const LEAST_QUIET_ZONE: usize = 1;

/// How a code is drawn on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    /// Two modules a cell, one above the other: [`LIGHT`] half blocks on [`DARK`].
    HalfBlocks,
    /// Six modules a cell, two columns of three: [`LIGHT`] sextants on [`DARK`]. Only terminals that draw them themselves
    /// draw them without seams, and so that they can be read.
    Sextants,
    /// Half a module a cell: spaces on [`LIGHT`] or [`DARK`], two columns a module.
    Backgrounds,
}

/// The modules of a code. As secret as what it says.
pub struct Qr {
    size: usize,
    dark: Zeroizing<Vec<bool>>,
}

impl Qr {
    /// The smallest code for this text, with the lowest error correction: a screen is not scratched, and each step up
    /// takes more rows. [`None`] if it is too long for any.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let size = code.width();
        let dark = code.into_colors().into_iter().map(|color| color == Color::Dark).collect();
        Some(Self { size, dark: Zeroizing::new(dark) })
    }

    /// Modules a side, margin not counted.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Whether a module is light, counted from the corner of the margin; outside everything is.
    fn is_light(&self, column: usize, row: usize, quiet_zone: usize) -> bool {
        let inside = |at: usize| at.checked_sub(quiet_zone).filter(|at| *at < self.size);
        let (Some(column), Some(row)) = (inside(column), inside(row)) else { return true };
        !self.dark.get(row * self.size + column).copied().unwrap_or(false)
    }

    const fn size_with(&self, quiet_zone: usize) -> usize {
        self.size + 2 * quiet_zone
    }

    /// Columns and rows that a drawing takes.
    #[must_use]
    pub const fn cells(&self, drawing: Drawing, quiet_zone: usize) -> (usize, usize) {
        let size = self.size_with(quiet_zone);
        match drawing {
            Drawing::HalfBlocks => (size, size.div_ceil(2)),
            Drawing::Sextants => (size.div_ceil(2), size.div_ceil(3)),
            Drawing::Backgrounds => (2 * size, size),
        }
    }

    /// The widest margin up to [`QUIET_ZONE`] with which a drawing fits; [`None`] if it does not fit at all.
    #[must_use]
    pub fn fitting(&self, drawing: Drawing, columns: usize, rows: usize) -> Option<usize> {
        (LEAST_QUIET_ZONE..=QUIET_ZONE).rev().find(|quiet_zone| {
            let (needs_columns, needs_rows) = self.cells(drawing, *quiet_zone);
            needs_columns <= columns && needs_rows <= rows
        })
    }

    /// The rows of half blocks, to be drawn in [`LIGHT`] on [`DARK`].
    #[must_use]
    pub fn half_blocks(&self, quiet_zone: usize) -> Vec<String> {
        let size = self.size_with(quiet_zone);
        let cell =
            |column, row| match (self.is_light(column, row, quiet_zone), self.is_light(column, row + 1, quiet_zone)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            };
        (0..size).step_by(2).map(|row| (0..size).map(|column| cell(column, row)).collect()).collect()
    }

    /// The rows of sextants, to be drawn in [`LIGHT`] on [`DARK`].
    #[must_use]
    pub fn sextants(&self, quiet_zone: usize) -> Vec<String> {
        let size = self.size_with(quiet_zone);
        let cell = |column, row| {
            let places = [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)];
            let is_light = |(right, below): (usize, usize)| self.is_light(column + right, row + below, quiet_zone);
            sextant(places.iter().enumerate().map(|(bit, place)| u8::from(is_light(*place)) << bit).sum())
        };
        let row_of = |row| (0..size).step_by(2).map(|column| cell(column, row)).collect();
        (0..size).step_by(3).map(row_of).collect()
    }

    /// Whether each module is light, row by row, margin included: to be drawn as two spaces each on [`LIGHT`] or [`DARK`].
    #[must_use]
    pub fn light_modules(&self, quiet_zone: usize) -> Vec<Vec<bool>> {
        let size = self.size_with(quiet_zone);
        (0..size).map(|row| (0..size).map(|column| self.is_light(column, row, quiet_zone)).collect()).collect()
    }

    /// The lines with their colours, for standard output.
    #[must_use]
    pub fn lines(&self, drawing: Drawing, quiet_zone: usize) -> Vec<String> {
        match drawing {
            Drawing::HalfBlocks => light_on_dark(self.half_blocks(quiet_zone)),
            Drawing::Sextants => light_on_dark(self.sextants(quiet_zone)),
            Drawing::Backgrounds => self
                .light_modules(quiet_zone)
                .into_iter()
                .map(|row| {
                    let runs = row.chunk_by(PartialEq::eq).map(|run| {
                        let color = if run.first() == Some(&true) { LIGHT } else { DARK };
                        format!("\x1b[48;5;{color}m{:1$}", "", 2 * run.len())
                    });
                    runs.chain(["\x1b[0m".to_owned()]).collect()
                })
                .collect(),
        }
    }
}

fn light_on_dark(rows: Vec<String>) -> Vec<String> {
    rows.into_iter().map(|row| format!("\x1b[38;5;{LIGHT};48;5;{DARK}m{row}\x1b[0m")).collect()
}

/// The character with these parts, from the upper left on, row by row. Unicode has those in order, but for four that it has
/// elsewhere.
fn sextant(parts: u8) -> char {
    match parts {
        0 => ' ',
        0b01_01_01 => '▌',
        0b10_10_10 => '▐',
        0b11_11_11.. => '█',
        _ => {
            let before = u32::from(parts > 0b01_01_01) + u32::from(parts > 0b10_10_10);
            char::from_u32(0x1_fb00 + u32::from(parts) - 1 - before).unwrap_or('█')
        }
    }
}

impl fmt::Debug for Qr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Qr({} modules a side)", self.size)
    }
}

#[cfg(test)]
mod tests;
