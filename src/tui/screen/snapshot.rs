//! The screen as a picture: SVG for people, and text with colours for terminals.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::os::private_files::NewFile;
use crate::output::text_width::width;
use crate::tui::theme::{place_of, shown_as};

/// The size of a character; a row is higher than its letters, or blocks would show gaps.
const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 15.8;
const FONT: u8 = 14;

/// The text and the background where a cell has no colour of its own.
const PLAIN: [u32; 2] = [0xd7_dae0, 0x16_181d];

/// Writes both pictures as new files beside each other; files that are there stay.
///
/// # Errors
/// If one cannot be written.
pub fn write(buffer: &Buffer, plain: Option<[Color; 2]>, name: &Path) -> io::Result<()> {
    let plain = plain.map_or(PLAIN, |[text, background]| [rgb(text, PLAIN[0]), rgb(background, PLAIN[1])]);
    for (ending, text) in [("svg", svg(buffer, plain)), ("ans", ansi(buffer))] {
        let path = name.with_extension(ending);
        let mut file = NewFile::beside(&path)?;
        file.write(text.as_bytes())?;
        file.finish(&path, false)?;
    }
    Ok(())
}

/// Cells of one look, side by side: the first column, how many, and the text.
struct Run<'a> {
    x: u16,
    columns: u16,
    text: String,
    look: &'a Cell,
}

/// The runs of a row. After a wide character a new one begins, because fonts disagree about its width.
fn runs(buffer: &Buffer, y: u16) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    let mut x = buffer.area.left();
    let mut is_wide = false;
    while x < buffer.area.right() {
        let Some(cell) = buffer.cell((x, y)) else { break };
        let columns = u16::try_from(width(cell.symbol()).max(1)).unwrap_or(1);
        let same = |run: &&mut Run<'_>| {
            (run.look.fg, run.look.bg, run.look.modifier) == (cell.fg, cell.bg, cell.modifier)
                && !is_wide
                && columns == 1
        };
        match runs.last_mut().filter(same) {
            Some(run) => {
                run.text.push_str(cell.symbol());
                run.columns += columns;
            }
            None => runs.push(Run { x, columns, text: cell.symbol().to_owned(), look: cell }),
        }
        is_wide = columns > 1;
        x += columns;
    }
    runs
}

fn svg(buffer: &Buffer, plain: [u32; 2]) -> String {
    let (width, height) = (f32::from(buffer.area.width) * WIDTH, f32::from(buffer.area.height) * HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" font-family=\"monospace\" \
         font-size=\"{FONT}\" xml:space=\"preserve\">\n<rect width=\"100%\" height=\"100%\" fill=\"#{:06x}\"/>\n",
        plain[1]
    );
    for y in buffer.area.top()..buffer.area.bottom() {
        let top = f32::from(y) * HEIGHT;
        for run in runs(buffer, y) {
            let x = f32::from(run.x) * WIDTH;
            let (mut text, mut background) = (rgb(run.look.fg, plain[0]), rgb(run.look.bg, plain[1]));
            if run.look.modifier.contains(Modifier::REVERSED) {
                std::mem::swap(&mut text, &mut background);
            }
            // Writing to a string cannot fail.
            if background != plain[1] {
                let columns = f32::from(run.columns) * WIDTH;
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{columns:.1}\" height=\"{HEIGHT}\" fill=\"#{background:06x}\"/>"
                );
            }
            if run.text.trim().is_empty() {
                continue;
            }
            let mut look = String::new();
            for (modifier, words) in [
                (Modifier::BOLD, " font-weight=\"bold\""),
                (Modifier::DIM, " opacity=\"0.6\""),
                (Modifier::UNDERLINED, " text-decoration=\"underline\""),
            ] {
                if run.look.modifier.contains(modifier) {
                    look.push_str(words);
                }
            }
            let escaped = run.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let base = top + HEIGHT * 0.76;
            let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{base:.1}\" fill=\"#{text:06x}\"{look}>{escaped}</text>");
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn ansi(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        for run in runs(buffer, y) {
            text.push_str("\x1b[0");
            for (modifier, code) in [
                (Modifier::BOLD, ";1"),
                (Modifier::DIM, ";2"),
                (Modifier::UNDERLINED, ";4"),
                (Modifier::REVERSED, ";7"),
            ] {
                if run.look.modifier.contains(modifier) {
                    text.push_str(code);
                }
            }
            colour(&mut text, 38, run.look.fg);
            colour(&mut text, 48, run.look.bg);
            text.push('m');
            text.push_str(&run.text);
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

/// A colour as terminals take it.
fn colour(text: &mut String, layer: u8, colour: Color) {
    // Writing to a string cannot fail.
    let _ = match (colour, place_of(colour)) {
        (Color::Rgb(red, green, blue), _) => write!(text, ";{layer};2;{red};{green};{blue}"),
        (_, Some(number)) => write!(text, ";{layer};5;{number}"),
        _ => Ok(()),
    };
}

fn rgb(colour: Color, plain: u32) -> u32 {
    shown_as(colour).map_or(plain, |[red, green, blue]| u32::from_be_bytes([0, red, green, blue]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn a_picture_has_the_text_in_its_colours_and_nothing_breaks_out_of_it() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "<b>&日x", Style::new().fg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::BOLD));
        buffer.set_string(0, 1, "bar", Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED));
        let svg = svg(&buffer, PLAIN);
        assert!(svg.contains("fill=\"#010203\" font-weight=\"bold\">&lt;b&gt;&amp;</text>"), "{svg}");
        assert!(
            svg.contains(">日</text>") && svg.contains("x=\"50.4\""),
            "what comes after it has its own place: {svg}"
        );
        assert!(svg.contains("fill=\"#cd0000\"/>"), "a reversed row is a bar: {svg}");
        let ansi = ansi(&buffer);
        assert!(ansi.starts_with("\x1b[0;1;38;2;1;2;3m<b>&") && ansi.contains("\x1b[0;7;38;5;1mbar"), "{ansi:?}");
        assert_eq!(ansi.lines().count(), 2);
    }

    #[test]
    fn both_files_are_private_and_take_the_place_of_nothing() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let buffer = Buffer::empty(Rect::new(0, 0, 2, 1));
        let name = home.path().join("screen");
        write(&buffer, None, &name).unwrap();
        for ending in ["svg", "ans"] {
            let mode = std::fs::metadata(name.with_extension(ending)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{ending}");
        }
        assert_eq!(write(&buffer, None, &name).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2, "nothing else is left behind");
    }
}
