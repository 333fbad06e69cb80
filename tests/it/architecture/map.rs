//! The map in docs/architecture.md: what it names is there.

use std::fs;
use std::path::Path;

/// What stands between backticks in a text, each with what follows it.
fn quoted(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts: Vec<(usize, &str)> = text.match_indices('`').collect();
    let pairs: Vec<(usize, usize)> = parts.chunks_exact(2).map(|pair| (pair[0].0, pair[1].0)).collect();
    pairs.into_iter().map(move |(from, to)| (&text[from + 1..to], &text[to + 1..]))
}

/// Paths of a text that do not exist below a directory, and functions behind a path, in brackets, that its file lacks.
fn missing(text: &str, root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    // A block of code has three backticks before and after it; they would put all others out of step.
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    for (name, after) in prose.iter().flat_map(|prose| quoted(prose)) {
        let is_path = ["src/", "docs/", "tests/", "assets/", "proto/"].iter().any(|start| name.starts_with(start));
        if !is_path {
            continue;
        }
        let path = root.join(name);
        if !path.exists() {
            found.push(name.to_owned());
        } else if let Some((function, _)) = after.strip_prefix(" (`").and_then(|after| after.split_once('`')) {
            let text = fs::read_to_string(&path).unwrap_or_default();
            if !text.contains(&format!("fn {function}")) {
                found.push(format!("{name}: {function}"));
            }
        }
    }
    found
}

#[test]
fn the_map_leads_to_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    assert!(map.matches("`src/").count() > 50, "the map is read");
    let missing = missing(&map, root);
    assert!(missing.is_empty(), "docs/architecture.md names what is not there: {missing:#?}");
    // Longer, it is no page that one reads before beginning.
    assert!(map.lines().count() <= 150, "docs/architecture.md has {} lines", map.lines().count());
    for (room, _) in super::HEIGHTS.iter().filter(|(room, _)| *room != "main") {
        assert!(map.contains(&format!("\n| `{room}` | ")), "the table of rooms in docs/architecture.md lacks {room}");
    }
}

/// And what is missing is found; else the test above would pass for the wrong reason.
#[test]
fn what_the_map_names_in_vain_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = "```text\n`src/no/`\n```\n`src/lib.rs` and `src/net/`; `src/no.rs`, `Cargo.toml`, `nothing`.\n\
                `src/main.rs` (`main`); `src/main.rs` (`nowhere`)";
    assert_eq!(missing(text, root), ["src/no.rs", "src/main.rs: nowhere"]);
}
