//! All palettes, by name and by background.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ratatui::style::Color;
use serde::Deserialize;

use crate::tui::theme::colour::luminance;
use crate::tui::theme::palette::{MONO, Palette, TERMINAL};

/// Those with colours of their own; that all of them can be read is tested.
static COLOURED: LazyLock<Vec<PublishedPalette>> = LazyLock::new(|| {
    let file: PaletteFile = toml_edit::de::from_str(include_str!("palettes.toml")).unwrap_or_default();
    file.palette.into_iter().filter_map(WrittenPalette::read).collect()
});

#[derive(Default, Deserialize)]
struct PaletteFile {
    palette: Vec<WrittenPalette>,
}

/// A palette as the file has it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WrittenPalette {
    name: String,
    paints_background: bool,
    devices: Vec<String>,
    #[serde(default)]
    published: BTreeMap<String, String>,
    /// All other roles.
    #[serde(flatten)]
    colours: BTreeMap<String, String>,
}

/// A palette, and the published colour of each role whose lightness gave too little contrast.
struct PublishedPalette {
    palette: Palette,
    published: BTreeMap<String, String>,
}

impl WrittenPalette {
    fn read(self) -> Option<PublishedPalette> {
        let of = |role: &str| self.colours.get(role)?.parse().ok();
        let devices: Vec<Color> = self.devices.iter().filter_map(|colour| colour.parse().ok()).collect();
        let palette = Palette {
            name: self.name.leak(),
            background: of("background")?,
            paints_background: self.paints_background,
            selection: of("selection")?,
            text: of("text")?,
            muted: of("muted")?,
            accent: of("accent")?,
            border: of("border")?,
            border_focused: of("border-focused")?,
            good: of("good")?,
            notice: of("notice")?,
            alarm: of("alarm")?,
            incoming: of("incoming")?,
            outgoing: of("outgoing")?,
            sync: of("sync")?,
            devices: devices.try_into().ok()?,
            slow: of("slow")?,
            late: of("late")?,
            label: of("label")?,
            heading: of("heading")?,
        };
        Some(PublishedPalette { palette, published: self.published })
    }
}

impl Palette {
    /// All palettes, in the order in which they are offered.
    pub(in crate::tui) fn all() -> impl Iterator<Item = &'static Self> {
        let mut coloured = COLOURED.iter().map(|published| &published.palette);
        let own: Vec<&Self> = coloured.by_ref().take(2).collect();
        own.into_iter().chain([&TERMINAL, &MONO]).chain(coloured)
    }

    /// The palette of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|palette| palette.name == name)
    }

    /// The palette for a background, told by its red, green and blue.
    #[must_use]
    pub fn for_background(background: [u8; 3]) -> &'static Self {
        // As bright to the eye as a middle grey, or brighter.
        let name = if luminance(background) > 0.18 { "light" } else { "dark" };
        Self::named(name).unwrap_or(&TERMINAL)
    }

    /// The colours that were shifted to be read, by the names of their roles, as they were published.
    pub(in crate::tui) fn published(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of_this = COLOURED.iter().filter(|published| published.palette.name == self.name);
        of_this.flat_map(|published| published.published.iter().map(|(role, colour)| (role.as_str(), colour.as_str())))
    }
}
