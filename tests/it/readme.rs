//! README and manual say what is true: the keys are those of the key map, commands and options exist, exit codes hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use d2mtop::output::Failure;
use d2mtop::output::Outcome;
use d2mtop::output::outcome::EXIT_CODES;

use crate::support::program;

/// A file of the package.
fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages of the manual, by their paths.
fn pages() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<_> = names.map(|name| format!("docs/{name}")).map(|path| (path.clone(), file(&path))).collect();
    pages.sort();
    pages
}

fn section<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("there is no {begin}"));
    rest.split_once(end).unwrap_or_else(|| panic!("there is no {end}")).0
}

#[test]
fn the_keys_are_those_of_the_key_map() {
    let expected = d2mtop::tui::keys_markdown();
    let readme = file("README.md");
    let found = section(&readme, "<!-- keys: begin -->\n", "<!-- keys: end -->");
    assert_eq!(found, expected, "put this between the markers in README.md:\n{expected}");
}

#[test]
fn the_filter_table_is_that_of_the_language() {
    let mut expected = String::new();
    for line in d2mtop::output::filter_help::FILTER_HELP {
        writeln!(expected, "| `{}` | {} |", line.syntax, line.meaning).expect("a string takes all");
    }
    let page = file("docs/feed.md");
    let table =
        section(&page, "<!-- filter: begin -->\n| filter | shows the messages |\n|---|---|\n", "<!-- filter: end -->");
    assert_eq!(table, expected, "put this into the filter's table in docs/feed.md:\n{expected}");
}

#[test]
fn every_option_that_is_written_exists_and_every_option_is_written() {
    let pages = pages().into_iter().map(|(_, page)| page).collect::<Vec<_>>().join("\n");
    let home = tempfile::tempdir().unwrap();
    let help = |arguments: &[&str]| {
        let output = program::run(home.path(), arguments);
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let commands = [
        &[][..],
        &["watch"],
        &["history"],
        &["replay"],
        &["join"],
        &["proxy"],
        &["mediator"],
        &["mediator", "status"],
        &["mediator", "drop"],
        &["mediator", "forget"],
        &["mediator", "export"],
        &["mediator", "import"],
        &["demo"],
        &["devices"],
        &["drop"],
        &["lock"],
        &["admit"],
        &["shared-data", "show"],
        &["shared-data", "set"],
        &["probe"],
        &["doctor"],
        &["man"],
        &["manual"],
        &["completions"],
    ];
    let profile = ["add", "import", "list", "move", "remove"].map(|command| help(&["profile", command, "--help"]));
    let commands = commands.map(|command| help(&[command, &["--help"]].concat()));
    let all = [commands.as_slice(), profile.as_slice()].concat().join("\n");
    let options = |text: &str| -> std::collections::BTreeSet<String> {
        let is_option = |character: char| character.is_ascii_lowercase() || character == '-';
        text.match_indices("--")
            .filter(|(at, _)| !text[..*at].ends_with('-'))
            .map(|(at, _)| text[at..].chars().take_while(|character| is_option(*character)).collect::<String>())
            .filter(|option| option.len() > 3 && !option.starts_with("---"))
            .collect()
    };
    let (written, real) = (options(&format!("{}\n{pages}", file("README.md"))), options(&all));
    // Options of other programs in the examples.
    let others = [
        ["--release", "--path", "--locked", "--open", "--version", "--help", "--bench", "--test", "--nocapture"]
            .as_slice(),
        &["--messages", "--runs"],
        &[
            "--system",
            "--create-home",
            "--home-dir",
            "--shell",
            "--name",
            "--now",
            "--user",
            "--no-block",
            "--pipe",
            "--wait",
        ],
    ];
    let others = others.concat().into_iter().map(String::from).collect::<Vec<_>>();
    for option in written.iter().filter(|option| !others.contains(option)) {
        assert!(real.contains(option), "{option} is written, but does not exist");
    }
    for option in real.iter().filter(|option| !others.contains(option)) {
        assert!(written.contains(option), "no page names {option}");
        assert!(options(&pages).contains(option), "the manual does not name {option}");
    }
}

#[test]
fn the_exit_codes_are_those_of_the_table() {
    let page = file("docs/commands.md");
    let not_run = |kind: std::io::ErrorKind| Failure::Command {
        command: d2mtop::text::Clean::literal("x"),
        cause: std::io::Error::from(kind),
    };
    let table = section(&page, "| exit code | meaning |", "\n## ");
    let rows = EXIT_CODES.map(|(code, meaning)| format!("| {code} | {meaning} |")).join("\n");
    assert!(table.contains(&rows), "put these rows below the head of the table:\n{rows}");
    for (code, words) in [
        (Outcome::Normal.exit_code(), "as asked"),
        (Failure::Usage(String::new()).exit_code(), "options cannot be used"),
        (Failure::Start(std::io::Error::other("")).exit_code(), "could not start"),
        (Outcome::Unwell.exit_code(), "the doctor found"),
        (Outcome::Refused.exit_code(), "did not take the login"),
        (Outcome::Lost.exit_code(), "was lost"),
        (Outcome::NoSuchDevice.exit_code(), "no device"),
        (Outcome::NotConfirmed.exit_code(), "agreed"),
        (Outcome::LockBusy.exit_code(), "not to be had"),
        (Outcome::LockLost.exit_code(), "the lock was lost"),
        (not_run(std::io::ErrorKind::PermissionDenied).exit_code(), "cannot be run"),
        (not_run(std::io::ErrorKind::NotFound).exit_code(), "not found"),
    ] {
        let row = EXIT_CODES.iter().find(|(listed, _)| *listed == code.to_string());
        assert!(row.is_some_and(|(_, meaning)| meaning.contains(words)), "exit code {code} means {words}: {row:?}");
    }
    let home = tempfile::tempdir().unwrap();
    for (arguments, option) in [
        (&["man"][..], "\\-\\-utc"),
        (&["man", "watch"], "\\-\\-until\\-dry"),
        (&["man", "lock"], "\\-\\-wait"),
        (&["man", "drop"], "\\-\\-self"),
    ] {
        let page = String::from_utf8(program::run(home.path(), arguments).stdout).unwrap();
        assert!(page.contains(option), "{arguments:?}: a command has a page of its own");
        let (_, status) = page.split_once(".SH \"EXIT STATUS\"").expect("exit codes");
        for (code, meaning) in EXIT_CODES {
            let meaning = meaning.replace('-', "\\-").replace('\'', "\\*(Aq");
            assert!(status.contains(&format!("\\fB{code}\\fR\n{meaning}\n")), "{arguments:?} says {code}: {status}");
        }
    }
    let completions = String::from_utf8(program::run(home.path(), &["completions", "bash"]).stdout).unwrap();
    assert!(completions.contains("--until-dry"), "completions know the options");
    assert!(!home.path().join(".local").exists(), "whoever asks how to use it leaves no trace");
}

#[test]
fn links_lead_somewhere() {
    let others =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|path| (path.to_owned(), file(path)));
    let pages: BTreeMap<String, String> = pages().into_iter().chain(others).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (path, page) in &pages {
        for target in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (to, anchor) = target.split_once('#').unwrap_or((target, ""));
            let directory = Path::new(path).parent().unwrap();
            let to = match to.strip_prefix("../") {
                _ if to.is_empty() => path.clone(),
                Some(up) => up.to_owned(),
                None => directory.join(to).to_str().unwrap().to_owned(),
            };
            assert!(root.join(&to).exists(), "{path} links to {target}");
            let is_there = |page: &String| page.lines().any(|line| line.starts_with('#') && is_anchor(line, anchor));
            assert!(anchor.is_empty() || pages.get(&to).is_some_and(is_there), "{path} links to {target}");
        }
    }
}

/// Whether a heading has this anchor, as forges make them.
fn is_anchor(heading: &str, anchor: &str) -> bool {
    let kept = |character: &char| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_');
    let words: String = heading.trim_start_matches('#').trim().chars().filter(kept).collect();
    words.to_lowercase().replace(' ', "-") == anchor
}

#[test]
fn the_readme_is_one_page_and_lists_the_manual() {
    let readme = file("README.md");
    assert!(readme.lines().count() <= 250, "{} lines", readme.lines().count());
    for (path, _) in pages() {
        assert!(readme.contains(&format!("]({path})")), "the README does not link to {path}");
    }
}

#[test]
fn every_close_that_waits_for_the_user_is_explained() {
    let page = file("docs/connect.md");
    for code in d2mtop::protocol::CloseCode::NAMED.iter().filter(|code| code.0 >= 4100) {
        assert!(page.contains(&format!("| {} ({code}) |", code.short())), "docs/connect.md does not tell of {code}");
    }
}

#[test]
fn help_stays_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help-watch", &["watch", "--help"]),
        ("help-history", &["history", "--help"]),
        ("help-proxy", &["proxy", "--help"]),
        ("help-mediator", &["mediator", "--help"]),
        ("help-mediator-status", &["mediator", "status", "--help"]),
        ("help-mediator-drop", &["mediator", "drop", "--help"]),
        ("help-mediator-forget", &["mediator", "forget", "--help"]),
        ("help-mediator-export", &["mediator", "export", "--help"]),
        ("help-mediator-import", &["mediator", "import", "--help"]),
        ("help-demo", &["demo", "--help"]),
        ("help-devices", &["devices", "--help"]),
        ("help-drop", &["drop", "--help"]),
        ("help-lock", &["lock", "--help"]),
        ("help-admit", &["admit", "--help"]),
        ("help-shared-data", &["shared-data", "--help"]),
        ("help-shared-data-show", &["shared-data", "show", "--help"]),
        ("help-shared-data-set", &["shared-data", "set", "--help"]),
        ("help-probe", &["probe", "--help"]),
        ("help-doctor", &["doctor", "--help"]),
        ("help-man", &["man", "--help"]),
        ("help-manual", &["manual", "--help"]),
        ("help-config", &["config", "--help"]),
        ("help-completions", &["completions", "--help"]),
        ("help-profile", &["profile", "--help"]),
        ("help-profile-add", &["profile", "add", "--help"]),
        ("help-profile-list", &["profile", "list", "--help"]),
        ("help-profile-show", &["profile", "show", "--help"]),
        ("help-profile-rename", &["profile", "rename", "--help"]),
        ("help-profile-default", &["profile", "default", "--help"]),
        ("help-profile-remove", &["profile", "remove", "--help"]),
        ("help-profile-sample", &["profile", "sample", "--help"]),
        ("help-profile-import", &["profile", "import", "--help"]),
        ("help-profile-move", &["profile", "move", "--help"]),
    ] {
        let output = program::run(home.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{name}");
        insta::assert_snapshot!(name, String::from_utf8(output.stdout).unwrap());
    }
}

/// Whoever follows the map finds the place.
#[test]
fn every_path_that_the_documents_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| root.join(page)));
    let mut named = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let paths = text.split('`').skip(1).step_by(2).filter(|span| {
            ["src/", "tests/", "assets/", "proto/", "examples/"].iter().any(|folder| span.starts_with(folder))
        });
        for path in paths {
            named += 1;
            assert!(root.join(path).exists(), "{} names {path}, which is not there", page.display());
        }
    }
    assert!(named > 40, "{named} paths");
}
