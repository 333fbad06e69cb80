//! Keeps the house in order: reads the sources and names file, line and rule of everything that is out of place.
//!
//! What the rooms are for stands in the crate's documentation. `#[cfg(test)]` items are exempt from purity and from the
//! rule about confirmations, but not from the directions of imports.

mod circles;
mod comments;
mod map;
mod names;
mod sizes;
mod source;

use std::fs;
use std::path::Path;

use source::Source;

/// Rooms and how high they stand: imports go down only, and never to a room of the same height.
const HEIGHTS: [(&str, u32); 22] = [
    ("os", 0),
    ("text", 0),
    ("protocol", 1),
    ("rendezvous", 2),
    ("group", 3),
    ("session", 4),
    ("mediator", 4),
    ("net", 5),
    ("journal", 5),
    ("profile", 5),
    ("store", 5),
    ("record", 5),
    ("metrics", 6),
    ("alerts", 6),
    ("output", 6),
    ("control", 7),
    ("runtime", 7),
    ("simulate", 8),
    ("replay", 9),
    ("tui", 10),
    ("headless", 10),
    ("main", u32::MAX),
];

/// Types of the command line: imports nothing of the crate; these may import it.
const MAY_IMPORT_CLI: [&str; 2] = ["main", "headless"];

/// Time, randomness and bytes come in as arguments here.
const PURE: [&str; 6] = ["text", "protocol", "group", "session", "mediator", "rendezvous"];

/// What a pure room must not name.
const IMPURE: [&str; 20] = [
    "tokio",
    "ratatui",
    "crossterm",
    "tokio_tungstenite",
    "rustls",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "Instant::now",
    "SystemTime::now",
    "Local::now",
    "Utc::now",
    "OsRng",
    "thread_rng",
    "getrandom",
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
];

/// Who may say that a person has agreed: the dialog, commands with `--yes`, the demo's own devices, and a recording of what
/// was agreed to then, which goes nowhere.
const MAY_CONFIRM: [&str; 4] = ["src/tui/state/dialog/", "src/headless/", "src/simulate/", "src/record/input.rs"];

/// The longest file, tests included.
const MOST_LINES: usize = 600;

/// The longest file of the terminal's room, without its tests.
const MOST_LINES_TUI: usize = 400;

fn height(room: &str) -> Option<u32> {
    HEIGHTS.iter().find(|(name, _)| *name == room).map(|(_, height)| *height)
}

/// Why a room may not import another; [`None`] if it may.
fn import_rule(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    if from == "cli" {
        return Some("cli imports nothing of the crate".to_owned());
    }
    if to == "cli" {
        return (!MAY_IMPORT_CLI.contains(&from)).then(|| format!("only {} import cli", MAY_IMPORT_CLI.join(", ")));
    }
    if to == "os" && PURE.contains(&from) {
        return Some(format!("{from} is pure and must not import os"));
    }
    match (height(from), height(to)) {
        (Some(from_height), Some(to_height)) if from_height > to_height => None,
        (Some(from_height), Some(to_height)) if from_height == to_height => {
            Some(format!("{from} and {to} are siblings and must not know each other"))
        }
        (Some(_), Some(_)) => Some(format!("{from} must not import {to}, which stands above it")),
        _ => Some(format!("no room is called {to}")),
    }
}

/// All that is wrong with one file.
fn violations(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut report = |line: usize, rule: String| found.push(format!("{}:{line}: {rule}", source.path));
    let room = source.room();
    if room != "lib" && room != "main" && room != "cli" && height(room).is_none() {
        report(1, format!("no room is called {room}; the map has only {HEIGHTS:?}"));
    }
    for (line, target) in source.crate_imports() {
        if let Some(rule) = import_rule(room, &target) {
            report(line, rule);
        }
    }
    if PURE.contains(&room) {
        for forbidden in IMPURE {
            for line in source.lines_naming(forbidden) {
                report(line, format!("{room} is pure and must not name {forbidden}"));
            }
        }
    }
    if !MAY_CONFIRM.iter().any(|allowed| source.path.starts_with(allowed)) {
        for line in source.calls_of("after_asking") {
            report(line, format!("only {} may say that a person agreed", MAY_CONFIRM.join(", ")));
        }
    }
    if source.line_count > MOST_LINES {
        report(source.line_count, format!("{} lines; no file has more than {MOST_LINES}", source.line_count));
    }
    if room == "tui" && source.shipped_line_count > MOST_LINES_TUI {
        report(
            1,
            format!("{} lines without tests; no file of tui has more than {MOST_LINES_TUI}", source.shipped_line_count),
        );
    }
    for line in source.ignored_tests() {
        report(line, "tests run or do not exist; none is ignored".to_owned());
    }
    found
}

/// All sources below a directory of the package, test-only modules marked as such.
fn sources(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    let mut directories = vec![root.join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let relative = |path: &Path| path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
    let read = |path| Source::new(relative(path), &fs::read_to_string(path).unwrap());
    let mut sources: Vec<Source> = paths.iter().map(|path| read(path.as_path())).collect();
    let test_modules: Vec<Vec<String>> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        let module = source.module();
        let has_path_of_its_own = source.path.ends_with("_tests.rs");
        if has_path_of_its_own || test_modules.iter().any(|test| module.starts_with(test)) {
            source.mark_as_test();
        }
    }
    sources
}

#[test]
fn everything_is_in_its_room() {
    let sources = sources("src");
    assert!(sources.len() > 20, "the sources are read");
    let found: Vec<String> = sources.iter().flat_map(violations).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// Lines that name an option of the command line, other than in a comment.
fn lines_with_options(text: &str) -> Vec<usize> {
    let names_one = |line: &str| {
        let options = line.split([' ', '"', '(', '`']).filter_map(|word| word.strip_prefix("--"));
        options.into_iter().any(|option| option.starts_with(|letter: char| letter.is_lowercase()))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//") && names_one(line));
    lines.map(|(number, _)| number + 1).collect()
}

/// Whoever embeds the library has no command line: it says what happened, and `output`, `tui` and `headless` what to do.
#[test]
fn the_rooms_of_the_library_name_no_options() {
    let is_library = |source: &&Source| PURE.contains(&source.room()) || source.room() == "net";
    for source in sources("src").iter().filter(|source| is_library(source) && !source.is_test()) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&source.path)).unwrap();
        let lines = lines_with_options(&text);
        assert!(lines.is_empty(), "{} names options of the command line at {lines:?}", source.path);
    }
    assert_eq!(lines_with_options("// --ca\nlet less = a -- b;\n\"see --ca FILE\",\n\"-----\"\n\"(--pin)\""), [3, 5]);
}

#[test]
fn no_files_import_each_other_in_a_loop() {
    let shipped = sources("src").into_iter().filter(|source| !source.is_test() && source.room() != "main");
    let modules: Vec<_> = shipped.map(|source| (source.path.clone(), source.module())).collect();
    let files = circles::parsed(Path::new(env!("CARGO_MANIFEST_DIR")), &modules);
    assert!(files.len() > 200, "the sources are read");
    let found = circles::circles(&files);
    assert!(found.is_empty(), "{found:#?}");
}

/// And they are found; else the test above would pass for the wrong reason.
#[test]
fn a_loop_is_found_and_a_family_is_none() {
    let files = |sources: &[(&str, &str)]| -> Vec<(Vec<String>, syn::File)> {
        let module = |path: &str| path.split("::").map(str::to_owned).collect();
        sources.iter().map(|(path, text)| (module(path), syn::parse_str(text).unwrap())).collect()
    };
    let around = [
        ("a::b", "use super::c::C; use crate::z::Z;"),
        ("a::c", "use crate::a::d::{self, D};"),
        ("a::d", "use super::super::a::b::B;"),
        ("z", ""),
    ];
    assert_eq!(circles::circles(&files(&around)), [["a::b", "a::c", "a::d"]]);
    let family = [
        ("a", "use self::b::B;"),
        ("a::b", "use super::A; #[cfg(test)] use crate::c::C;"),
        ("c", "use crate::a::b::B;"),
    ];
    assert!(circles::circles(&files(&family)).is_empty());
}

#[test]
fn no_test_is_ignored() {
    for source in sources("tests") {
        let lines: Vec<usize> = source.ignored_tests().collect();
        assert!(lines.is_empty(), "{}: ignored tests at {lines:?}", source.path);
    }
}

/// The rules find what they are for; else the test above would pass for the wrong reason.
#[test]
fn the_rules_bite() {
    let cases = [
        ("src/protocol/url.rs", "use crate::group::Event;", "protocol must not import group"),
        ("src/group/mod.rs", "use crate::os::clock;", "group is pure and must not import os"),
        ("src/rendezvous/path.rs", "use crate::group::Event;", "rendezvous must not import group"),
        ("src/os/signals.rs", "use crate::text::Clean;", "siblings"),
        ("src/alerts/mod.rs", "use crate::output::ndjson;", "siblings"),
        ("src/session/link.rs", "use crate::mediator::Slot;", "siblings"),
        ("src/session/link.rs", "use crate::{text::Clean, net::{Link, Pins}};", "session must not import net"),
        ("src/session/link.rs", "fn f() { crate::tui::view() }", "session must not import tui"),
        ("src/session/mod.rs", "use super::net::Link;", "session must not import net"),
        ("src/session/a/b.rs", "use super::super::super::net::Link;", "session must not import net"),
        ("src/session/a.rs", "#[cfg(test)]\nmod tests { use crate::tui::View; }", "session must not import tui"),
        ("src/net/link.rs", "use crate::cli::Options;", "import cli"),
        ("src/profile/open.rs", "use crate::cli::Options;", "import cli"),
        ("src/runtime/monitor.rs", "use crate::cli::Options;", "import cli"),
        ("src/tui/open.rs", "use crate::cli::Options;", "import cli"),
        ("src/cli.rs", "use crate::text::Clean;", "cli imports nothing"),
        ("src/main.rs", "use d2mtop::nowhere::Thing;", "no room is called nowhere"),
        ("src/utils.rs", "", "no room is called utils"),
        ("src/group/feed.rs", "let now = Instant::now();", "group is pure and must not name Instant::now"),
        ("src/group/feed.rs", "use std::{fmt, fs};", "must not name std::fs"),
        ("src/group/feed.rs", "use std::{fmt, env::{self}};", "must not name std::env"),
        ("src/mediator/mod.rs", "println!(\"x\");", "must not name println!"),
        ("src/runtime/screen.rs", "Confirmed::after_asking(1)", "a person agreed"),
        ("src/runtime/screen.rs", "let f = Confirmed::<u8>::after_asking;", "a person agreed"),
        ("src/group/feed.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}", "ignored"),
    ];
    for (path, text, rule) in cases {
        let found = violations(&Source::new(path.to_owned(), text));
        assert!(found.iter().any(|violation| violation.contains(rule)), "{path}: {text}: {found:?}");
    }
    let long = violations(&Source::new("src/group/feed.rs".to_owned(), &"\n".repeat(601)));
    assert_eq!(long.len(), 1, "{long:?}");
    let long = violations(&Source::new("src/tui/view/lock.rs".to_owned(), &"\n".repeat(401)));
    assert_eq!(long.len(), 1, "{long:?}");
}

/// And nothing else.
#[test]
fn the_rules_spare_what_is_right() {
    let cases = [
        ("src/protocol/url.rs", "use crate::text::Clean; // not crate::net, nor tokio"),
        ("src/protocol/url.rs", "/* crate::net /* tokio */ */ let text = \"crate::net\"; let raw = r#\"tokio\"#;"),
        ("src/protocol/url.rs", "use super::container::DecodeError; let tokio_like = 'x'; fn f<'a>(a: &'a str) {}"),
        (
            "src/protocol/url.rs",
            "#[cfg(test)]\nmod tests { use super::*; fn f() { println!(\"x\"); Instant::now(); } }",
        ),
        ("src/protocol/keys.rs", "#[cfg(test)]\nimpl Keys { fn f(&self) -> [u8; 2] { thread_rng() } }"),
        ("src/net/link.rs", "use crate::session::{Command, Session}; use tokio::net::TcpStream; println!();"),
        ("src/tui/state/dialog/mod.rs", "Confirmed::after_asking(1)"),
        ("src/headless/drop.rs", "Confirmed::after_asking(1)"),
        ("src/simulate/devices.rs", "Confirmed::after_asking(1)"),
        ("src/session/command.rs", "impl Confirmed { pub const fn after_asking(value: u8) {} }"),
        ("src/main.rs", "use d2mtop::{cli, headless, tui};"),
        ("src/headless/mod.rs", "use crate::cli::Options;"),
        ("src/lib.rs", "pub mod text;"),
    ];
    for (path, text) in cases {
        let found = violations(&Source::new(path.to_owned(), text));
        assert!(found.is_empty(), "{found:?}");
    }
    let tests = "\n".repeat(10) + "#[cfg(test)]\nmod tests {" + &"\n".repeat(500) + "}\n";
    assert_eq!(violations(&Source::new("src/tui/view/lock.rs".to_owned(), &tests)), Vec::<String>::new());
}
