//! An independent reader takes what is drawn, on dark and light screens.

use super::*;

/// As long as a link to the usual relay.
fn text() -> String {
    format!("threema://device-group/join#{}", "EgIKABqLARIg".repeat(17).get(..196).unwrap())
}

fn read(width: usize, height: usize, gray: impl Fn(usize, usize) -> u8) -> Option<String> {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, gray);
    let grids = image.detect_grids();
    grids.first().and_then(|grid| grid.decode().ok()).map(|(_, text)| text)
}

/// A screen of cells of eight by sixteen pixels, with a border of its own colour around.
fn on_screen(columns: usize, rows: usize, screen: u8, is_light: impl Fn(usize, usize, bool) -> bool) -> Option<String> {
    let (left, top) = (40, 40);
    read(columns * 8 + 2 * left, rows * 16 + 2 * top, |x, y| {
        let (Some(x), Some(y)) = (x.checked_sub(left), y.checked_sub(top)) else { return screen };
        if x >= columns * 8 || y >= rows * 16 {
            return screen;
        }
        if is_light(x / 8, y / 16, y % 16 < 8) { 255 } else { 0 }
    })
}

#[test]
fn half_blocks_are_read() {
    let qr = Qr::new(&text()).unwrap();
    for quiet_zone in [LEAST_QUIET_ZONE, QUIET_ZONE] {
        let rows: Vec<Vec<char>> = qr.half_blocks(quiet_zone).iter().map(|row| row.chars().collect()).collect();
        let (columns, height) = qr.cells(Drawing::HalfBlocks, quiet_zone);
        assert!(rows.len() == height && rows.iter().all(|row| row.len() == columns));
        for screen in [0, 40, 255] {
            let read = on_screen(columns, height, screen, |column, row, is_upper| match rows[row][column] {
                '█' => true,
                '▀' => is_upper,
                '▄' => !is_upper,
                _ => false,
            });
            assert_eq!(read, Some(text()), "quiet zone {quiet_zone} on {screen}");
        }
    }
}

/// Which parts a sextant has, told from its name in Unicode: `BLOCK SEXTANT-12` and so on, all in one order.
fn parts(sextant: char) -> u32 {
    match sextant {
        ' ' => 0,
        '▌' => 0b01_01_01,
        '▐' => 0b10_10_10,
        '█' => 0b11_11_11,
        _ => {
            let place = u32::from(sextant) - 0x1_fb00;
            (1..63).filter(|parts| ![0b01_01_01, 0b10_10_10].contains(parts)).nth(place as usize).unwrap()
        }
    }
}

#[test]
fn sextants_are_read() {
    let qr = Qr::new(&text()).unwrap();
    for quiet_zone in [LEAST_QUIET_ZONE, QUIET_ZONE] {
        let rows: Vec<Vec<u32>> = qr.sextants(quiet_zone).iter().map(|row| row.chars().map(parts).collect()).collect();
        let (columns, height) = qr.cells(Drawing::Sextants, quiet_zone);
        assert!(rows.len() == height && rows.iter().all(|row| row.len() == columns));
        let (width, tall) = (columns * 12, height * 24);
        for screen in [0, 40, 255] {
            let found = read(width + 80, tall + 80, |x, y| {
                let (Some(x), Some(y)) = (x.checked_sub(40), y.checked_sub(40)) else { return screen };
                if x >= width || y >= tall {
                    return screen;
                }
                let part = (x % 12) / 6 + 2 * ((y % 24) / 8);
                if rows[y / 24][x / 12] >> part & 1 == 1 { 255 } else { 0 }
            });
            assert_eq!(found, Some(text()), "quiet zone {quiet_zone} on {screen}");
        }
    }
    // By their names: 1, 1235, 2345, 23456.
    let named = ['\u{1fb00}', '\u{1fb15}', '\u{1fb1c}', '\u{1fb3b}'];
    assert_eq!([1, 0b01_01_11, 0b01_11_10, 0b11_11_10].map(super::sextant), named);
}

#[test]
fn backgrounds_are_read() {
    let qr = Qr::new(&text()).unwrap();
    for quiet_zone in [LEAST_QUIET_ZONE, QUIET_ZONE] {
        let modules = qr.light_modules(quiet_zone);
        let (columns, rows) = qr.cells(Drawing::Backgrounds, quiet_zone);
        for screen in [0, 255] {
            let read = on_screen(columns, rows, screen, |column, row, _| modules[row][column / 2]);
            assert_eq!(read, Some(text()), "quiet zone {quiet_zone} on {screen}");
        }
    }
}

/// The lines for standard output, as a terminal shows them.
#[test]
fn lines_say_the_same_in_colours() {
    let qr = Qr::new(&text()).unwrap();
    for drawing in [Drawing::HalfBlocks, Drawing::Backgrounds] {
        let (columns, rows) = qr.cells(drawing, QUIET_ZONE);
        let size = |length: usize| std::num::NonZeroU16::new(u16::try_from(length).unwrap()).unwrap();
        let mut terminal = vt100::Parser::new(size(rows + 1), size(columns + 1), 0);
        terminal.process(qr.lines(drawing, QUIET_ZONE).join("\r\n").as_bytes());
        let cell = |column: usize, row: usize| {
            terminal.screen().cell(u16::try_from(row).unwrap(), u16::try_from(column).unwrap()).unwrap()
        };
        let light = vt100::Color::Idx(LIGHT);
        let read = on_screen(columns, rows, 0, |column, row, is_upper| {
            let cell = cell(column, row);
            match cell.contents() {
                "█" => cell.fgcolor() == light,
                "▀" => (if is_upper { cell.fgcolor() } else { cell.bgcolor() }) == light,
                "▄" => (if is_upper { cell.bgcolor() } else { cell.fgcolor() }) == light,
                _ => cell.bgcolor() == light,
            }
        });
        assert_eq!(read, Some(text()), "{drawing:?}");
        assert_eq!(cell(columns, 0).bgcolor(), vt100::Color::Default, "colours end with the code");
    }
}

#[test]
fn the_picture_is_read() {
    let qr = Qr::new(&text()).unwrap();
    let file = qr.png().unwrap();
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file.as_slice()));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let (width, height) = (frame.width as usize, frame.height as usize);
    assert_eq!(read(width, height, |x, y| pixels[y * frame.line_size + x]), Some(text()));
    assert!(file.len() < 4_000, "{} bytes", file.len());
}

#[test]
fn the_vectors_are_the_dark_modules() {
    let qr = Qr::new(&text()).unwrap();
    let svg = qr.svg();
    let path = svg.rsplit("d=\"").next().unwrap().trim_end_matches("\"/></svg>\n");
    let mut dark = std::collections::BTreeSet::new();
    for run in path.split_terminator('z') {
        let numbers: Vec<usize> =
            run.split(|character: char| !character.is_ascii_digit()).flat_map(str::parse).collect();
        let [column, row, length, 1, _] = numbers[..] else { panic!("{run}") };
        dark.extend((column..column + length).map(|column| (column, row)));
    }
    let side = qr.size() + 8;
    let text_of = read(side * 4, side * 4, |x, y| if dark.contains(&(x / 4, y / 4)) { 0 } else { 255 });
    assert_eq!(text_of, Some(text()));
}

/// As the measured table has it.
#[test]
fn a_link_takes_57_by_29_cells() {
    let qr = Qr::new(&text()).unwrap();
    assert_eq!((text().len(), qr.size()), (224, 53));
    assert_eq!(qr.cells(Drawing::HalfBlocks, 2), (57, 29));
    assert_eq!(qr.cells(Drawing::HalfBlocks, 1), (55, 28));
    assert_eq!(qr.fitting(Drawing::HalfBlocks, 80, 24), None, "never in 24 rows");
    assert_eq!(qr.fitting(Drawing::HalfBlocks, 80, 28), Some(1));
    assert_eq!(qr.fitting(Drawing::HalfBlocks, 57, 29), Some(2));
    assert_eq!(qr.fitting(Drawing::Backgrounds, 113, 60), Some(1));
    assert_eq!(format!("{qr:?}"), "Qr(53 modules a side)");
    assert!(Qr::new(&"x".repeat(3_000)).is_none());
}

#[test]
fn a_screen_gets_what_it_can_show_or_is_told_what_it_lacks() {
    let qr = Qr::new(&text()).unwrap();
    let screen = CodeRoom { columns: 80, rows: 30, is_ascii: false, letters: Letters::HalfBlocks };
    let lines = qr.shown_on(screen).unwrap();
    assert_eq!((lines.len(), lines[0].contains('█')), (29, true));
    assert_eq!(qr.shown_on(CodeRoom { rows: 28, ..screen }).unwrap().len(), 28, "a smaller margin");
    let small = qr.shown_on(CodeRoom { rows: 24, ..screen }).unwrap_err();
    assert_eq!(small, NotShown::TooSmall { needs: (55, 28), has: (80, 24) });
    assert!(small.to_string().contains("needs 55 columns and 28 rows, and this terminal has 80 and 24"), "{small}");
    let ascii = CodeRoom { columns: 120, rows: 60, is_ascii: true, ..screen };
    let lines = qr.shown_on(ascii).unwrap();
    assert!(lines.len() == 57 && lines.iter().all(|line| line.is_ascii()));
    let small = qr.shown_on(CodeRoom { columns: 109, ..ascii }).unwrap_err();
    assert_eq!(small, NotShown::TooSmall { needs: (110, 55), has: (109, 60) });
    assert_eq!(qr.shown_on(CodeRoom { letters: Letters::Console, ..ascii }), Err(NotShown::Console));
}

#[test]
fn a_terminal_that_draws_sextants_itself_shows_a_code_in_24_rows() {
    let qr = Qr::new(&text()).unwrap();
    let kitty = Letters::of(Some("xterm-kitty"));
    let small = CodeRoom { columns: 80, rows: 24, is_ascii: false, letters: kitty };
    let lines = qr.shown_on(small).unwrap();
    assert_eq!(lines.len(), 19);
    assert!(qr.shown_on(CodeRoom { rows: 30, ..small }).unwrap().len() == 29, "half blocks where they fit");
    let smaller = qr.shown_on(CodeRoom { rows: 18, ..small }).unwrap_err();
    assert_eq!(smaller, NotShown::TooSmall { needs: (28, 19), has: (80, 18) });
    for other in [None, Some("xterm-256color"), Some("alacritty"), Some("tmux-256color")] {
        assert!(qr.shown_on(CodeRoom { letters: Letters::of(other), ..small }).is_err(), "{other:?}");
    }
}

#[test]
fn a_picture_is_there_while_the_code_is_shown() {
    let home = tempfile::tempdir().unwrap();
    let qr = Qr::new(&text()).unwrap();
    for (name, begins) in [("code.png", &b"\x89PNG"[..]), ("code.SVG", b"<svg")] {
        let path = home.path().join(name);
        let mut picture = PictureFile::new(path.clone()).unwrap();
        picture.show(&Qr::new("the first code").unwrap()).unwrap();
        picture.show(&qr).unwrap();
        assert_eq!(picture.path(), path);
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!((mode & 0o777, bytes.starts_with(begins)), (0o600, true), "{name}");
        drop(picture);
        assert!(!path.exists(), "{name}");
    }
    for name in ["code", "code.jpg", ".png"] {
        assert_eq!(PictureFile::new(home.path().join(name)).unwrap_err(), UnknownFormat, "{name}");
    }
}
