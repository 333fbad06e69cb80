//! How large files and rooms may become before they have to be divided.

use std::collections::BTreeMap;

use super::source::Source;

/// Half of the files have so many lines or less.
const MEDIAN: usize = 150;
/// Nine of ten have so many or less.
const NINE_OF_TEN: usize = 350;
/// What a room may have, without its tests.
const ROOM: usize = 5_500;
/// The same for the terminal's room, which is larger.
const TUI: usize = 12_000;
/// The same for each folder of it.
const TUI_FOLDER: usize = 3_000;
/// What a file of `headless` may have, without its tests: what takes more is a loop, and belongs in `runtime`.
const COMMAND_FILE: usize = 200;

/// How many lines the files have: the one in the middle, and the one that nine of ten do not exceed.
fn quantiles(sources: &[Source]) -> (usize, usize) {
    let mut lines: Vec<usize> = sources.iter().map(|source| source.line_count).collect();
    lines.sort_unstable();
    (lines[lines.len() / 2], lines[lines.len() * 9 / 10])
}

/// The rooms, and folders of `tui`, that are too large, with their lines.
fn too_large(sources: &[Source]) -> Vec<(String, usize)> {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for source in sources {
        if let Some(path) = source.path.strip_prefix("src/tui/") {
            let folder = path.split_once('/').map_or("", |(folder, _)| folder);
            *lines.entry(format!("tui/{folder}")).or_default() += source.shipped_line_count;
        }
        *lines.entry(source.room().to_owned()).or_default() += source.shipped_line_count;
    }
    let most = |name: &str| match name {
        "tui" => TUI,
        name if name.starts_with("tui/") => TUI_FOLDER,
        _ => ROOM,
    };
    lines.into_iter().filter(|(name, lines)| *lines > most(name)).collect()
}

/// The files of commands that are too large, with their lines.
fn too_large_commands(sources: &[Source]) -> Vec<(&str, usize)> {
    let commands = sources.iter().filter(|source| source.room() == "headless");
    let lines = commands.map(|source| (source.path.as_str(), source.shipped_line_count));
    lines.filter(|(_, lines)| *lines > COMMAND_FILE).collect()
}

#[test]
fn files_and_rooms_can_be_surveyed() {
    let sources = super::sources("src");
    let (median, nine_of_ten) = quantiles(&sources);
    assert!(median <= MEDIAN, "half of the files have more than {median} lines");
    assert!(nine_of_ten <= NINE_OF_TEN, "a tenth of the files has more than {nine_of_ten} lines");
    let too_large = too_large(&sources);
    assert!(
        too_large.is_empty(),
        "lines without tests, of {ROOM} (tui {TUI}, a folder of it {TUI_FOLDER}): {too_large:?}"
    );
    let commands = too_large_commands(&sources);
    assert!(commands.is_empty(), "lines without tests, of {COMMAND_FILE} in a file of a command: {commands:?}");
}

/// And too large ones are found; else the test above would pass for the wrong reason.
#[test]
fn what_is_too_large_is_found_and_tests_do_not_count() {
    let source = |path: &str, lines: usize, tests: usize| {
        let tests = "#[cfg(test)]\nmod tests {".to_owned() + &"\n".repeat(tests) + "}\n";
        Source::new(path.to_owned(), &("\n".repeat(lines) + &tests))
    };
    let sources = [
        source("src/net/link.rs", ROOM, 100),
        source("src/tui/view/feed.rs", TUI_FOLDER + 1, 0),
        source("src/tui/view.rs", TUI_FOLDER, 0),
        source("src/tui/pages/help.rs", TUI_FOLDER, 0),
        source("src/tui/state/mod.rs", TUI - 3 * TUI_FOLDER, 100),
        source("src/group/a.rs", ROOM / 2, 900),
        source("src/group/b.rs", ROOM / 2 + 1, 0),
    ];
    let found = [("group", ROOM + 1), ("tui", TUI + 1), ("tui/view", TUI_FOLDER + 1)];
    assert_eq!(too_large(&sources), found.map(|(name, lines)| (name.to_owned(), lines)));
    let commands = [
        source("src/headless/watch.rs", COMMAND_FILE, 100),
        source("src/headless/drop/mod.rs", COMMAND_FILE + 1, 0),
        source("src/runtime/watch.rs", COMMAND_FILE + 1, 0),
    ];
    assert_eq!(too_large_commands(&commands), [("src/headless/drop/mod.rs", COMMAND_FILE + 1)]);
    let lengths = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map(|lines| source("src/net/link.rs", lines - 3, 1));
    assert_eq!(quantiles(&lengths), (60, 100));
}
