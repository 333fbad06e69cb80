//! Colours as numbers: how far apart they are, how bright, and the nearest that a terminal has.

use ratatui::style::Color;

/// Which colours the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// The sixteen of the terminal.
    #[default]
    Sixteen,
    /// The palette of 256.
    Indexed,
    /// Any.
    True,
    /// None: bold, dim and reversed only, as `NO_COLOR` asks.
    None,
}

impl Colour {
    /// What the terminal on standard output can show and its user wants (`NO_COLOR`, `TERM`, `COLORTERM`).
    #[must_use]
    pub fn of_stdout() -> Self {
        match supports_color::on(supports_color::Stream::Stdout) {
            None => Self::None,
            Some(level) if level.has_16m => Self::True,
            Some(level) if level.has_256 => Self::Indexed,
            Some(_) => Self::Sixteen,
        }
    }

    /// The nearest colour that can be shown.
    #[must_use]
    pub fn nearest(self, colour: Color) -> Color {
        match (self, colour) {
            (Self::None, _) => Color::Reset,
            (Self::Sixteen, Color::Rgb(red, green, blue)) => nearest_of_sixteen([red, green, blue]),
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

/// The steps of the cube of 6 by 6 by 6 in the palette of 256.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_of_sixteen(wanted: [u8; 3]) -> Color {
    let nearest = SIXTEEN.into_iter().min_by_key(|(_, colour)| distance(*colour, wanted));
    nearest.map_or(Color::Reset, |(colour, _)| colour)
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
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = colour.map(linear);
    0.2126f64.mul_add(red, 0.7152f64.mul_add(green, 0.0722 * blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_the_nearest_that_there_is() {
        for (colour, indexed, sixteen) in [
            (Color::Rgb(0, 0, 0), Color::Indexed(16), Color::Black),
            (Color::Rgb(255, 250, 250), Color::Indexed(231), Color::White),
            (Color::Rgb(0x88, 0x88, 0x8a), Color::Indexed(102), Color::DarkGray),
            (Color::Rgb(250, 5, 5), Color::Indexed(196), Color::LightRed),
            (Color::Rgb(0, 200, 210), Color::Indexed(44), Color::Cyan),
        ] {
            assert_eq!(Colour::True.nearest(colour), colour);
            assert_eq!(Colour::Indexed.nearest(colour), indexed, "{colour:?}");
            assert_eq!(Colour::Sixteen.nearest(colour), sixteen, "{colour:?}");
            assert_eq!(Colour::None.nearest(colour), Color::Reset);
        }
        assert_eq!(Colour::Indexed.nearest(Color::Cyan), Color::Cyan, "the terminal's own stay");
    }
}
