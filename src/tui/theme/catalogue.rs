//! All palettes, by name and by background.

use crate::tui::theme::colour::luminance;
use crate::tui::theme::own::{DARK, HIGH_CONTRAST, LIGHT};
use crate::tui::theme::palette::{MONO, Palette, TERMINAL};
use crate::tui::theme::well_known::{
    CATPPUCCIN_LATTE, CATPPUCCIN_MOCHA, GRUVBOX_DARK, GRUVBOX_LIGHT, NORD, SOLARIZED_DARK, SOLARIZED_LIGHT,
};

/// All of them, in the order in which they are offered.
pub const PALETTES: [&Palette; 12] = [
    &DARK,
    &LIGHT,
    &TERMINAL,
    &HIGH_CONTRAST,
    &MONO,
    &CATPPUCCIN_MOCHA,
    &CATPPUCCIN_LATTE,
    &GRUVBOX_DARK,
    &GRUVBOX_LIGHT,
    &SOLARIZED_DARK,
    &SOLARIZED_LIGHT,
    &NORD,
];

impl Palette {
    /// All palettes, in the order in which they are offered.
    pub(in crate::tui) fn all() -> impl Iterator<Item = &'static Self> {
        PALETTES.into_iter()
    }

    /// The palette of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PALETTES.into_iter().find(|palette| palette.name == name)
    }

    /// The palette for a background, told by its red, green and blue.
    #[must_use]
    pub fn for_background(background: [u8; 3]) -> &'static Self {
        // As bright to the eye as a middle grey, or brighter.
        if luminance(background) > 0.18 { &LIGHT } else { &DARK }
    }
}
