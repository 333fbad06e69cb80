//! `--record` and `replay` with the real binary: the same comes again, and nothing that should stay sealed is in the files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use d2mtop::protocol::Dialect;

use crate::support::phone::phone_reflects;
use crate::support::program::{KEY, Mediator, key_file, run};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|it| it == "d2mrec")).collect();
    files.sort();
    files
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_recorded_demo_prints_the_same_once_more_byte_for_byte() {
    for dialect in ["mk", "dgk"] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("recording");
        let place = folder.to_str().unwrap();
        let demo =
            ["demo", "--headless", "--json", "--dialect", dialect, "--rate", "100", "--for", "4s", "--record", place];
        let live = run(home.path(), &demo);
        assert_eq!(live.status.code(), Some(0), "{}", text(&live.stderr));
        let again = run(home.path(), &["replay", place, "--json", "--speed", "max"]);
        assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
        assert!(live.stdout.len() > 10_000, "{dialect}: something happened");
        assert!(
            live.stdout == again.stdout,
            "{dialect}: the same lines:\n{}\n---\n{}",
            text(&live.stdout),
            text(&again.stdout)
        );
        let checked = run(home.path(), &["replay", place, "--check"]);
        assert_eq!(checked.status.code(), Some(0), "{dialect}: {}", text(&checked.stderr));
        assert!(text(&checked.stdout).contains("the same follows"), "{}", text(&checked.stdout));
    }
}

/// A watch with messages of a phone, a lost mediator and a new one: several connections, so several segments.
fn recorded(mediator: &Mediator, dialect: Dialect, folder: &Path, more: &[&str]) -> std::process::Output {
    let key = key_file(mediator.home.path());
    let (url, dialect) = (mediator.url(), dialect.to_string());
    let mut all = vec!["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &dialect];
    all.extend(["--device-id", "0102030405060708", "--persistent", "--until-dry", "--json"]);
    all.extend(["--record", folder.to_str().unwrap()]);
    all.extend(more);
    run(mediator.home.path(), &all)
}

#[test]
fn what_is_sealed_stays_sealed_and_the_key_opens_it() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let folder = mediator.home.path().join("recording");
        assert_eq!(recorded(&mediator, dialect, &folder, &[]).status.code(), Some(0));
        phone_reflects(&mediator, dialect, 300, "Pixel of Ada");
        let live = recorded(&mediator, dialect, &folder, &["--expect", "existing", "--label", "desk of Ada"]);
        assert_eq!(live.status.code(), Some(0), "{}", text(&live.stderr));

        let files = segments(&folder);
        assert_eq!(files.len(), 2, "a run each");
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for file in &files {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
            let bytes = fs::read(file).unwrap();
            let secret = hex::decode(KEY).unwrap();
            for private in [b"Ada".as_slice(), b"Pixel", b"desk of", b"ECHOECHO", KEY.as_bytes(), &secret] {
                assert!(!contains(&bytes, private), "{dialect}: {:?}", text(private));
            }
        }

        let key = key_file(mediator.home.path());
        let place = folder.to_str().unwrap();
        let opened =
            run(mediator.home.path(), &["replay", place, "--json", "--key-file", key.to_str().unwrap(), "--check"]);
        assert_eq!(opened.status.code(), Some(0), "{}", text(&opened.stderr));
        assert!(opened.stdout.ends_with(&live.stdout), "{dialect}: the second run comes again as it was");
        // Without the key all but contents is the same.
        let sealed = run(mediator.home.path(), &["replay", place, "--json", "--check"]);
        assert_eq!(sealed.status.code(), Some(0), "{dialect}: {}", text(&sealed.stderr));
        let names = |output: &[u8]| -> Vec<(String, u64)> {
            let lines = text(output)
                .lines()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                .collect::<Vec<_>>();
            let named = lines.iter().filter(|line| !line["event"].as_str().unwrap().starts_with("device_"));
            named.map(|line| (line["event"].as_str().unwrap().to_owned(), line["at"].as_u64().unwrap())).collect()
        };
        assert_eq!(names(&sealed.stdout), names(&opened.stdout), "{dialect}");
        assert!(!text(&sealed.stdout).contains("Ada"));

        fs::write(&key, "ab".repeat(32)).unwrap();
        let wrong = run(mediator.home.path(), &["replay", place, "--json", "--key-file", key.to_str().unwrap()]);
        assert_eq!(wrong.status.code(), Some(2));
        assert!(text(&wrong.stderr).contains("not that of the group"), "{}", text(&wrong.stderr));
    }
}

#[test]
fn what_is_wrong_with_a_recording_is_told_with_its_place_and_what_is_whole_plays() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("recording");
    let place = folder.to_str().unwrap();
    let missing = run(home.path(), &["replay", place, "--json"]);
    assert_eq!(missing.status.code(), Some(1));
    fs::create_dir(&folder).unwrap();
    let empty = run(home.path(), &["replay", place, "--json"]);
    assert!(text(&empty.stderr).contains("has no recording"), "{}", text(&empty.stderr));
    let live = run(home.path(), &["demo", "--headless", "--json", "--until-dry", "--record", place]);
    assert_eq!(live.status.code(), Some(0), "{}", text(&live.stderr));
    let file = segments(&folder).remove(0);
    let whole = fs::read(&file).unwrap();
    let fails = |bytes: &[u8], words: &str| {
        fs::write(&file, bytes).unwrap();
        let output = run(home.path(), &["replay", place, "--json"]);
        assert_eq!(output.status.code(), Some(1), "{words}");
        let told = text(&output.stderr);
        assert!(told.contains("00000001.d2mrec, byte ") && told.contains(words), "{words}: {told}");
        assert!(live.stdout.starts_with(&output.stdout), "{words}: what is before it plays");
        output.stdout.len()
    };
    assert!(fails(&whole[..whole.len() - 3], "ends within an entry") > 200);
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fails(&damaged, "damaged");
    let mut newer = whole.clone();
    newer[8] = 9;
    assert_eq!(fails(&newer, "a newer d2mtop (format 9)"), 0);
    assert_eq!(fails(b"#!/bin/sh\nexit 0\n", "no recording of d2mtop"), 0);
    fs::write(&file, &whole).unwrap();
    assert_eq!(run(home.path(), &["replay", place, "--json"]).stdout, live.stdout);
}

#[test]
fn a_folder_has_one_recorder_and_keeps_to_its_limit() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("recording");
    let place = folder.to_str().unwrap();
    let mut first = crate::support::program::d2mtop(home.path(), &["demo", "--headless", "--json", "--record", place])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(first.stdout.as_mut().unwrap()), &mut line).unwrap();
    let second = run(home.path(), &["demo", "--headless", "--json", "--record", place]);
    assert_eq!(second.status.code(), Some(7), "{}", text(&second.stderr));
    assert!(text(&second.stderr).contains("records there"), "{}", text(&second.stderr));
    first.kill().unwrap();
    first.wait().unwrap();
    // Killed: what is whole plays.
    let killed = run(home.path(), &["replay", place, "--json"]);
    assert!(!killed.stdout.is_empty());

    let fast =
        ["demo", "--headless", "--json", "--rate", "4000", "--for", "6s", "--record", place, "--record-limit", "1M"];
    let full = run(home.path(), &fast);
    assert_eq!(full.status.code(), Some(0), "{}", text(&full.stderr));
    assert!(text(&full.stdout).contains("\"recording_stopped\""), "it is told");
    let files = segments(&folder);
    assert_eq!(files.len(), 1, "the older one had to go: {files:?}");
    assert!(fs::metadata(&files[0]).unwrap().len() <= 1_000_000);
    let replayed = run(home.path(), &["replay", place, "--json"]);
    assert!(full.stdout.starts_with(&replayed.stdout), "{}", text(&replayed.stderr));
    let least = run(home.path(), &["demo", "--headless", "--record", place, "--record-limit", "10k"]);
    assert_eq!(least.status.code(), Some(2));
}

/// The rows of the feed that are on the screen.
fn feed(contents: &str) -> Vec<String> {
    let rows = contents.lines().map(|line| line.trim_matches(['│', ' ']).to_owned());
    rows.filter(|row| row.as_bytes().get(2) == Some(&b':') && row.as_bytes().get(5) == Some(&b':')).collect()
}

#[test]
fn the_dashboard_shows_a_recorded_demo_as_it_was_and_keys_step_through_it() {
    use crate::support::terminal::Terminal;
    for dialect in ["dgk", "mk"] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("recording");
        let place = folder.to_str().unwrap();
        let mut live =
            Terminal::start(&["demo", "--dialect", dialect, "--rate", "20", "--utc", "--record", place], 30, 100, &[]);
        live.wait("rows in the feed", |screen| feed(&screen.contents()).len() > 8);
        let mut rows = feed(&live.contents());
        // Acknowledged just after.
        rows.retain(|row| !row.ends_with("not yet"));
        live.press("q");
        assert!(live.end().success());

        let mut again = Terminal::start(&["replay", place, "--speed", "max", "--utc"], 40, 120, &[]);
        again.wait_for("the recording ends here");
        again.wait_for("(recording)");
        // The end of the connection, and what the session was told of it, one by one.
        again.press("{{{{");
        again.wait_for("● live");
        again.press("}}}}}");
        again.wait_for("the recording ends here");
        again.press("D");
        again.press("n");
        let files: Vec<_> = segments(&folder).iter().map(|file| fs::read(file).unwrap()).collect();
        again.press("q");
        assert!(again.end().success());
        again.assert_restored();
        assert_eq!(files, segments(&folder).iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>());

        // At a size that has room for all: what was on the screen is among it.
        let mut middle = Terminal::start(&["replay", place, "--speed", "max", "--utc"], 200, 100, &[]);
        middle.wait_for("the recording ends here");
        let shown = feed(&middle.contents());
        // Whole rows, so with how long each waited and took.
        let missing: Vec<_> = rows.iter().filter(|row| !shown.contains(row)).collect();
        assert!(missing.is_empty(), "{dialect}: {missing:#?} is not in {shown:#?}");
        middle.press("q");
        assert!(middle.end().success());
    }
}
