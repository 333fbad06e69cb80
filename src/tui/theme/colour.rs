//! Colours as numbers: how far apart they are, how bright, and the nearest that a terminal has.

use ratatui::style::Color;

use crate::os::terminal::{self, ColourDepth};

/// Which colours the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// The sixteen of the terminal.
    #[default]
    Sixteen,
    /// The palette of 256.
    Indexed,
    True,
    /// None: bold, dim and reversed only, as `NO_COLOR` asks.
    None,
}

impl Colour {
    /// What the terminal on standard output can show and its user wants (`NO_COLOR`, `TERM`, `COLORTERM`).
    #[must_use]
    pub fn of_stdout() -> Self {
        match terminal::colours() {
            None => Self::None,
            Some(ColourDepth::Sixteen) => Self::Sixteen,
            Some(ColourDepth::Indexed) => Self::Indexed,
            Some(ColourDepth::True) => Self::True,
        }
    }

    /// The nearest colour that can be shown, and read on this background.
    #[must_use]
    pub fn nearest(self, colour: Color, background: Color) -> Color {
        match (self, colour) {
            (Self::None, _) => Color::Reset,
            (Self::Sixteen, Color::Rgb(red, green, blue)) => nearest_of_sixteen([red, green, blue], background),
            (Self::Indexed, Color::Rgb(red, green, blue)) => nearest_indexed([red, green, blue]),
            (_, colour) => colour,
        }
    }
}

/// The sixteen as xterm shows them; owners change them, but seldom beyond recognition.
const SIXTEEN: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

/// The place of a colour in the palette of 256, if it is of that.
pub fn place_of(colour: Color) -> Option<u8> {
    let of_sixteen = (0_u8..).zip(SIXTEEN).find(|(_, (name, _))| *name == colour).map(|(place, _)| place);
    if let Color::Indexed(place) = colour { Some(place) } else { of_sixteen }
}

/// A colour by its red, green and blue as xterm shows it; none for the terminal's own.
pub fn shown_as(colour: Color) -> Option<[u8; 3]> {
    if let Color::Rgb(red, green, blue) = colour {
        return Some([red, green, blue]);
    }
    let place = place_of(colour)?;
    let of_sixteen = SIXTEEN.get(usize::from(place)).map(|(_, rgb)| *rgb);
    let step = |step: u8| STEPS.get(usize::from(step)).copied();
    if let Some(grey) = place.checked_sub(232) {
        return Some([8 + 10 * grey; 3]);
    }
    let of_cube = |cube: u8| Some([step(cube / 36)?, step(cube / 6 % 6)?, step(cube % 6)?]);
    of_sixteen.or_else(|| of_cube(place.checked_sub(16)?))
}

/// The steps of the cube of 6 by 6 by 6 in the palette of 256.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// A pale red has to become a red and not a grey, which is nearer: so a colour is looked for among those of its hue, and
/// only what has none becomes a grey. What cannot be read on the background is no choice.
fn nearest_of_sixteen(wanted: [u8; 3], background: Color) -> Color {
    /// From how much colour on there is a hue.
    const COLOURED: f64 = 0.045;
    /// How far a hue may be off, in degrees.
    const ALIKE: f64 = 45.0;
    let hue = Lch::of(wanted);
    let is_read = |colour: [u8; 3]| match background {
        Color::Rgb(red, green, blue) => contrast(colour, [red, green, blue]) >= 3.0,
        _ => true,
    };
    let readable = SIXTEEN.into_iter().filter(|(_, colour)| is_read(*colour)).map(|(name, rgb)| (name, Lch::of(rgb)));
    let of_hue = |colour: &Lch| colour.chroma >= COLOURED && hue.degrees_from(colour) <= ALIKE;
    let off = |colour: &Lch| hue.degrees_from(colour) / 90.0 + (hue.lightness - colour.lightness).abs();
    let alike = readable.clone().filter(|(_, colour)| hue.chroma >= COLOURED && of_hue(colour));
    let alike = alike.min_by(|(_, one), (_, other)| off(one).total_cmp(&off(other)));
    let greys = readable.filter(|(_, colour)| colour.chroma < COLOURED);
    let apart = |colour: &Lch| (hue.lightness - colour.lightness).abs();
    let nearest = alike.or_else(|| greys.min_by(|(_, one), (_, other)| apart(one).total_cmp(&apart(other))));
    nearest.map_or(Color::Reset, |(name, _)| name)
}

/// A colour as the eye sees it: how light, how strong, and of which hue (Oklch, by Björn Ottosson).
struct Lch {
    lightness: f64,
    chroma: f64,
    hue: f64,
}

impl Lch {
    #[allow(clippy::many_single_char_names, reason = "the names of the colour space")]
    fn of(colour: [u8; 3]) -> Self {
        let [r, g, b] = colour.map(linear);
        let mix = |of: [f64; 3], [x, y, z]: [f64; 3]| {
            let [one, two, three] = of;
            one.mul_add(x, two.mul_add(y, three * z))
        };
        let [l, m, s] = [
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ]
        .map(|row| mix(row, [r, g, b]).cbrt());
        let [lightness, a, b] = [
            [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
            [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
            [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
        ]
        .map(|row| mix(row, [l, m, s]));
        Self { lightness, chroma: a.hypot(b), hue: b.atan2(a).to_degrees() }
    }

    fn degrees_from(&self, other: &Self) -> f64 {
        let apart = (self.hue - other.hue).abs();
        apart.min(360.0 - apart)
    }
}

fn nearest_indexed(wanted: [u8; 3]) -> Color {
    let step = |part: u8| {
        let nearest = (0_u8..).zip(STEPS).min_by_key(|(_, step)| step.abs_diff(part));
        nearest.unwrap_or_default()
    };
    let [red, green, blue] = wanted.map(step);
    let cube = (16 + 36 * red.0 + 6 * green.0 + blue.0, [red.1, green.1, blue.1]);
    let greys = (0_u8..24).map(|grey| (232 + grey, [8 + 10 * grey; 3]));
    let nearest = greys.chain([cube]).min_by_key(|(_, colour)| distance(*colour, wanted));
    nearest.map_or(Color::Reset, |(index, _)| Color::Indexed(index))
}

/// The square of the distance, weighted as the eye weighs.
fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    let parts = one.into_iter().zip(other).zip([3, 4, 2]);
    parts.map(|((one, other), weight)| weight * u32::from(one.abs_diff(other)).pow(2)).sum()
}

/// How bright a colour is, from 0 to 1 (WCAG 2.2, relative luminance).
pub fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(linear);
    0.2126f64.mul_add(red, 0.7152f64.mul_add(green, 0.0722 * blue))
}

/// How well one can be read on the other, from 1 to 21 (WCAG 2.2, contrast ratio).
pub fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn linear(part: u8) -> f64 {
    let part = f64::from(part) / 255.0;
    if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DARK: Color = Color::Rgb(0x16, 0x18, 0x1d);
    const LIGHT: Color = Color::Rgb(0xfa, 0xfa, 0xfa);

    #[test]
    fn colours_become_the_nearest_that_there_is() {
        for (colour, indexed) in [
            (Color::Rgb(0, 0, 0), Color::Indexed(16)),
            (Color::Rgb(255, 250, 250), Color::Indexed(231)),
            (Color::Rgb(0x88, 0x88, 0x8a), Color::Indexed(102)),
            (Color::Rgb(250, 5, 5), Color::Indexed(196)),
            (Color::Rgb(0, 200, 210), Color::Indexed(44)),
        ] {
            assert_eq!(Colour::True.nearest(colour, DARK), colour);
            assert_eq!(Colour::Indexed.nearest(colour, DARK), indexed, "{colour:?}");
            assert_eq!(Colour::None.nearest(colour, DARK), Color::Reset);
        }
        assert_eq!(Colour::Indexed.nearest(Color::Cyan, DARK), Color::Cyan, "the terminal's own stay");
    }

    #[test]
    fn sixteen_colours_keep_the_hue_and_can_be_read() {
        for (red, green, blue, on_dark, on_light) in [
            // Pale colours, to which a grey is nearer.
            (0xf6, 0x84, 0x7d, Color::LightRed, Color::LightRed),
            (0x7b, 0xc2, 0x75, Color::Green, Color::DarkGray),
            (0xe5, 0xc0, 0x7b, Color::Yellow, Color::DarkGray),
            (0x8f, 0xb4, 0xf0, Color::LightBlue, Color::LightBlue),
            (0x00, 0x00, 0x00, Color::DarkGray, Color::Black),
            (0xd7, 0xda, 0xe0, Color::Gray, Color::DarkGray),
            (0xff, 0xff, 0xff, Color::White, Color::DarkGray),
        ] {
            let colour = Color::Rgb(red, green, blue);
            assert_eq!(Colour::Sixteen.nearest(colour, DARK), on_dark, "{colour:?} on dark");
            assert_eq!(Colour::Sixteen.nearest(colour, LIGHT), on_light, "{colour:?} on light");
        }
    }
}
