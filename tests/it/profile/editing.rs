//! Listing, renaming, choosing and removing profiles; what cannot be one is refused.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use serde_json::Value;

use super::{add, expect, list, profiles};
use crate::support::program::{key_file, run};

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
    expect(home, &["profile", "remove", "office"], 6, &["not removed without asking", "--yes"]);
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
    let import = ["profile", "import", "a", "--mediator", url, "--key-file", "/nonexistent.key"];
    expect(home, &import, 2, &["the key file /nonexistent.key does not exist"]);
    let persistent = ["watch", "--url", url, "--key-file", key, "--persistent"];
    expect(home, &persistent, 2, &["--device-id HEX16", "one more slot for good"]);
    assert!(!profiles(home).exists(), "nothing was written");

    expect(home, &["profile", "add", "a", "--mediator", url, "--key-file", key], 0, &["added the profile a"]);
    assert!(fs::read_to_string(profiles(home)).unwrap().contains("server_group = \"01\""), "as without a profile");
    expect(home, &["profile", "remove", "a", "--yes"], 0, &["removed"]);

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
fn a_link_to_the_profiles_is_followed_and_stays() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (kept, path) = (home.join("dotfiles/profiles.toml"), profiles(home));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    symlink(&kept, &path).unwrap();
    add(home, "a", "production", &[]);
    add(home, "b", "production", &[]);
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert!(fs::read_to_string(&kept).unwrap().contains("[profile.b]"));
    assert_eq!(fs::read_dir(kept.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    expect(home, &["profile", "list"], 0, &["* a", "  b"]);
}
