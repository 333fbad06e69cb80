//! `d2mtop profile` and opening profiles, with the real binary and a mediator in a process of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is a test; a panic is a failure"
)]

#[path = "support/program.rs"]
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
mod program;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};

use program::{KEY, Mediator, d2mtop, key_file, run};
use serde_json::Value;

const CLIENT_KEY: &str = "1a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233343536373839";

fn text(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains(KEY) && !text.contains(CLIENT_KEY), "no key is printed");
    text
}

/// Runs it, and expects this exit code and these words.
fn expect(home: &Path, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let output = run(home, arguments);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{arguments:?} says {word:?}: {text}");
    }
    text
}

fn add(home: &Path, name: &str, url: &str, more: &[&str]) -> String {
    let key = key_file(home);
    let mut arguments = vec!["profile", "add", name, "--mediator", url, "--server-group", "01"];
    arguments.extend(["--key-file", key.to_str().unwrap()]);
    arguments.extend(more);
    expect(home, &arguments, 0, &["added the profile", name])
}

fn profiles(home: &Path) -> PathBuf {
    home.join(".config/d2mtop/profiles.toml")
}

fn list(home: &Path) -> Vec<Value> {
    let output = run(home, &["profile", "list", "--json"]);
    text(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn logged_in(output: &Output) -> Value {
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let login = lines.lines().find(|line| line.contains("\"logged_in\""));
    serde_json::from_str(login.unwrap_or_else(|| panic!("no login: {lines}{}", text(output)))).unwrap()
}

#[test]
fn a_profile_is_added_opened_and_found_again_by_itself_in_both_dialects() {
    for dialect in ["dgk", "mk"] {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        let said = add(home, "lab", &mediator.url(), &["--dialect", dialect]);
        assert!(said.contains("or just: d2mtop"), "the first is the default: {said}");
        expect(
            home,
            &["profile", "show", "lab"],
            0,
            &["known of it   nothing yet", "volatile", "key file", "group.key"],
        );

        let device = list(home)[0]["device"].clone();
        let first = run(home, &["watch", "lab", "--until-dry"]);
        assert_eq!(first.status.code(), Some(0), "{}", text(&first));
        assert_eq!((&logged_in(&first)["device"], &logged_in(&first)["slot"]), (&device, &Value::from("new")));
        expect(home, &["profile", "show", "lab"], 0, &["registered since"]);
        // The mediator would close with 4115 if another state were expected, and there is no --expect here.
        let second = run(home, &["watch", "--until-dry"]);
        assert_eq!(second.status.code(), Some(0), "{}", text(&second));
        assert_eq!((&logged_in(&second)["device"], &logged_in(&second)["slot"]), (&device, &Value::from("existing")));

        if dialect == "dgk" {
            expect(home, &["watch", "lab", "--until-dry", "--expect", "new"], 3, &["4115"]);
            let third = run(home, &["watch", "lab", "--until-dry"]);
            assert_eq!(third.status.code(), Some(0), "the mistake is not remembered: {}", text(&third));
        }
        // Another device through the same profile has a slot of its own, and leaves the profile's alone.
        let other = run(home, &["watch", "lab", "--until-dry", "--device-id", "ffffffffffffff01"]);
        assert_eq!(logged_in(&other)["device"], "ffffffffffffff01");
        assert_eq!(list(home)[0]["known"]["slot"], "registered");
    }
}

#[test]
fn profiles_are_listed_renamed_chosen_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    expect(home, &["profile", "list"], 0, &["no profile yet"]);
    add(home, "home", "production", &["--label", "on the shelf", "--slot", "persistent"]);
    add(home, "work", "wss://work.example/{deviceGroupIdPrefix4}/", &["--exhausted", "drop-least-recent"]);
    let both = list(home);
    assert_eq!((&both[0]["name"], &both[0]["default"]), (&Value::from("home"), &Value::from(true)));
    assert_eq!(both[0]["mediator"], "wss://mediator-{deviceGroupIdPrefix4}.threema.ch/{deviceGroupIdPrefix8}/");
    assert_ne!(both[0]["device"], both[1]["device"]);
    expect(home, &["profile", "default", "work"], 0, &["work"]);
    expect(home, &["profile", "list"], 0, &["* work", "  home"]);
    expect(home, &["profile", "rename", "work", "office"], 0, &["office"]);
    expect(home, &["profile", "show", "office"], 0, &["office (default)", "drop-least-recent"]);
    expect(home, &["profile", "rename", "office", "home"], 2, &["there is a profile home already"]);
    expect(home, &["profile", "remove", "office"], 2, &["not removed without asking", "--yes"]);
    expect(home, &["profile", "remove", "office", "--yes"], 0, &["removed", "its key stays in the key file"]);
    assert!(home.join("group.key").exists(), "what a person put there stays");
    expect(home, &["profile", "show", "office"], 2, &["there is no profile office; there are: home"]);
    expect(home, &["watch", "office"], 2, &["there is no profile office"]);
    expect(home, &["wathc"], 2, &["there is no profile wathc; there are: home", "d2mtop --help"]);
    let file = fs::metadata(profiles(home)).unwrap();
    assert_eq!(file.mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(profiles(home).parent().unwrap()).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn what_cannot_be_a_profile_is_refused_with_words() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let key = key_file(home);
    let key = key.to_str().unwrap();
    let add = |name, mediator, group, more: &[&'static str]| {
        let mut arguments = vec!["profile", "add", "--mediator", mediator, "--server-group", group, "--key-file", key];
        arguments.extend(more);
        arguments.extend(["--", name]);
        arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let url = "wss://m.example/";
    for (arguments, words) in [
        (add("../x", url, "01", &[]), "a profile name has"),
        (add("a\u{1b}[2Jb", url, "01", &[]), "a profile name has"),
        (add("watch", url, "01", &[]), "is a command of d2mtop"),
        (add("help", url, "01", &[]), "is a command of d2mtop"),
        (add("a", "http://m.example/", "01", &[]), "must begin with wss://"),
        (add("a", "ws://m.example/", "01", &[]), "not encrypted"),
        (add("a", url, "", &[]), "--server-group"),
        (add("a", url, "xyz", &["--dialect", "mk"]), "--server-group"),
        (add("a", url, "01", &["--pin", "abc"]), "--pin"),
        (add("a", url, "01", &["--presence", "never"]), "--presence"),
        (add("a", url, "01", &["--device-id", "12"]), "--device-id"),
        (add("a", url, "01", &["--ca", "/nonexistent.pem"]), "/nonexistent.pem"),
        (add("a", url, "01", &["--key-file", "/nonexistent"]), "--key-file"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = expect(home, &arguments, 2, &[words]);
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
    assert!(!profiles(home).exists(), "nothing was written");

    expect(home, &["profile", "sample"], 0, &["[profile.home]"]);
    fs::create_dir_all(profiles(home).parent().unwrap()).unwrap();
    let sample = run(home, &["profile", "sample"]).stdout;
    fs::write(profiles(home), &sample).unwrap();
    assert_eq!(list(home).len(), 2, "the sample is a profile file");
    let misspelt = String::from_utf8(sample).unwrap().replace("server_group", "sever_group");
    let line = misspelt.lines().position(|line| line.starts_with("sever_group")).unwrap() + 1;
    fs::write(profiles(home), misspelt).unwrap();
    for command in [["profile", "list"], ["watch", "home"]] {
        expect(home, &command, 2, &[&format!("profiles.toml:{line}: "), "sever_group"]);
    }
}

#[test]
fn an_imported_key_is_kept_follows_its_profile_and_goes_with_it() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let key = key_file(home);
    let url = mediator.url();
    let settings = ["--mediator", &url, "--server-group", "01"];
    let import = |name, source: &[&str], code, words: &[&str]| {
        expect(home, &[&["profile", "import", name], source, settings.as_slice()].concat(), code, words)
    };
    import("home", &["--key-file", key.to_str().unwrap()], 0, &["is not needed any more"]);
    fs::remove_file(&key).unwrap();
    let kept = home.join(".config/d2mtop/keys/home.key");
    assert_eq!(fs::metadata(&kept).unwrap().mode() & 0o777, 0o600);
    assert_eq!(run(home, &["watch", "--until-dry"]).status.code(), Some(0), "it opens with the kept key");

    let client_key = key_file(home);
    fs::write(&client_key, CLIENT_KEY).unwrap();
    let mk = ["--mk", client_key.to_str().unwrap(), "--from", "client-key"];
    import("home", &mk, 2, &["there is a profile home already"]);
    assert_eq!(fs::read_to_string(&kept).unwrap(), KEY, "and its key is as it was");
    import("seed", &mk, 0, &[]);
    let derived = fs::read_to_string(home.join(".config/d2mtop/keys/seed.key")).unwrap();
    assert!(derived.len() == 64 && derived != CLIENT_KEY, "the Mediator Key is derived");
    let seed = list(home).into_iter().find(|profile| profile["name"] == "seed").unwrap();
    assert_eq!(seed["dialect"], "mk");
    assert_eq!(run(home, &["watch", "seed", "--until-dry"]).status.code(), Some(0));
    import("none", &[], 2, &["--key-file"]);
    import("wrong", &["--mk", client_key.to_str().unwrap(), "--dialect", "dgk"], 2, &["--mk"]);

    expect(home, &["profile", "rename", "home", "house"], 0, &[]);
    assert!(!kept.exists(), "the key follows");
    let again = run(home, &["watch", "house", "--until-dry"]);
    assert_eq!(logged_in(&again)["slot"], "existing", "and so does what is known of the slot");
    expect(home, &["profile", "remove", "house", "--yes"], 0, &["its key is deleted, too"]);
    assert!(!home.join(".config/d2mtop/keys/house.key").exists());
    assert!(!home.join(".local/state/d2mtop/profiles/house").exists());
}

/// A watch that goes on until it is killed.
struct Watching(Child);

impl Watching {
    fn start(home: &Path, name: &str) -> Self {
        let child = d2mtop(home, &["watch", name, "--stay-leader"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut watching = Self(child);
        let mut lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("queue_dry")), "it logs in");
        std::thread::spawn(move || lines.for_each(drop));
        watching
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_second_to_open_a_profile_is_told_who_has_it() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    add(home, "lab", &mediator.url(), &[]);
    let first = Watching::start(home, "lab");
    let process = format!("process {}", first.0.id());
    for arguments in [
        &["watch", "lab", "--until-dry"][..],
        &["watch", "--until-dry"],
        &["lab"],
        &["profile", "rename", "lab", "other"],
        &["profile", "remove", "lab", "--yes"],
    ] {
        expect(home, arguments, 2, &["the profile lab is open in another d2mtop", &process]);
    }
    expect(home, &["profile", "show", "lab"], 0, &[&process]);
    drop(first);
    // Killed without a word: the profile is free, and the slot is known.
    let next = run(home, &["watch", "lab", "--until-dry"]);
    assert_eq!(logged_in(&next)["slot"], "existing");
}

#[test]
fn without_a_profile_the_ways_to_begin_are_told() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["watch"]] {
        let words = ["d2mtop demo", "d2mtop profile import", "d2mtop profile add", "--url URL"];
        expect(home.path(), arguments, 2, &words);
    }
}

#[test]
fn a_link_in_the_place_of_the_profiles_is_not_written_through() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (victim, path) = (home.join("victim"), profiles(home));
    fs::write(&victim, "").unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(&victim, &path).unwrap();
    let key = key_file(home);
    let arguments = ["profile", "add", "a", "--mediator", "production", "--server-group", "01", "--key-file"];
    let arguments = [&arguments[..], &[key.to_str().unwrap()]].concat();
    expect(home, &arguments, 2, &["symbolic link"]);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "");
}
