//! `d2mtop profile` and opening profiles, with the real binary and a mediator in a process of its own.

use crate::support::program;
use crate::support::watching;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use program::{KEY, Mediator, d2mtop, key_file, run};
use rustix::process::{Signal, kill_process};
use serde_json::Value;
use watching::Watching;

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
            &["known of it   nothing yet", "volatile", "the key file", "group.key"],
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

/// It takes the new one with the same command; nobody has to be asked, and no script fails every second time.
#[test]
fn a_volatile_slot_that_expired_between_two_commands_is_taken_anew() {
    for dialect in ["dgk", "mk"] {
        let mediator = Mediator::start(&["--volatile-grace", "1ms"]);
        let home = mediator.home.path();
        add(home, "lab", &mediator.url(), &["--dialect", dialect]);
        for visit in 1..=3 {
            let listed = run(home, &["devices", "lab", "--json"]);
            assert_eq!(listed.status.code(), Some(0), "{dialect}, visit {visit}: {}", text(&listed));
            mediator.await_logged("slot_removed", visit);
        }
        let watched = run(home, &["watch", "lab", "--until-dry"]);
        assert_eq!(watched.status.code(), Some(0), "{dialect}: {}", text(&watched));
        assert_eq!(logged_in(&watched)["slot"], "new");
        mediator.await_logged("slot_removed", 4);
        let text = expect(home, &["doctor", "lab"], 0, &["as device"]);
        assert!(text.contains("slot      new"), "{dialect}: {text}");
        mediator.await_logged("slot_removed", 5);
        // However long it is to be kept from now on, it was volatile.
        let kept = run(home, &["watch", "lab", "--until-dry", "--persistent"]);
        assert_eq!(kept.status.code(), Some(0), "{dialect}: {}", self::text(&kept));
    }
}

/// Nobody joins a group to leave it.
#[test]
fn a_group_that_a_volatile_slot_has_left_by_itself_is_not_joined_to_leave_it() {
    for dialect in ["dgk", "mk"] {
        let mut mediator = Mediator::start(&["--volatile-grace", "1ms"]);
        let home = mediator.home.path();
        add(home, "lab", &mediator.url(), &["--dialect", dialect]);
        expect(home, &["devices", "lab"], 0, &["this device"]);
        mediator.await_logged("slot_removed", 1);
        expect(home, &["profile", "remove", "lab", "--leave-group", "--yes"], 0, &["removed the profile lab"]);
        kill_process(mediator.process(), Signal::TERM).unwrap();
        mediator.wait();
        let log = mediator.await_logged("stopped", 1);
        // The first dialect has no word for a slot that is not there, so that leaving takes a login.
        let logins = if dialect == "dgk" { 1 } else { 3 };
        assert_eq!(log.matches("\"event\":\"logged_in\"").count(), logins, "{dialect}: {log}");
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
fn an_imported_key_is_kept_follows_its_profile_and_goes_with_it() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let key = key_file(home);
    let url = mediator.url();
    let settings = ["--mediator", &url, "--server-group", "01"];
    let import = |name, source: &[&str], code, words: &[&str]| {
        expect(home, &[&["profile", "import", name], source, settings.as_slice()].concat(), code, words)
    };
    import(
        "home",
        &["--key-file", key.to_str().unwrap()],
        0,
        &["is not needed any more", "keys/home.key, because no keyring can be reached ("],
    );
    fs::remove_file(&key).unwrap();
    let kept = home.join(".config/d2mtop/keys/home.key");
    assert_eq!(fs::metadata(&kept).unwrap().mode() & 0o777, 0o600);
    assert_eq!(run(home, &["watch", "--until-dry"]).status.code(), Some(0), "it opens with the kept key");

    let client_key = key_file(home);
    fs::write(&client_key, CLIENT_KEY).unwrap();
    let mk = ["--mk", client_key.to_str().unwrap(), "--from", "client-key"];
    import("home", &mk, 2, &["there is a profile home already"]);
    assert_eq!(fs::read_to_string(&kept).unwrap().trim(), KEY, "and its key is as it was");
    import("seed", &mk, 0, &[]);
    let derived = fs::read_to_string(home.join(".config/d2mtop/keys/seed.key")).unwrap();
    assert!(derived.trim().len() == 64 && derived.trim() != CLIENT_KEY, "the Mediator Key is derived");
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

/// A watch that goes on.
fn watching(home: &Path, name: &str) -> Watching {
    Watching::until(d2mtop(home, &["watch", name, "--stay-leader"]), "queue_dry")
}

#[test]
fn the_second_to_open_a_profile_is_told_who_has_it() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    add(home, "lab", &mediator.url(), &[]);
    let first = watching(home, "lab");
    let process = format!("process {}", first.id());
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
    expect(home.path(), &["dmo"], 2, &["no profile dmo", "Did you mean the command demo?"]);
    let other = run(home.path(), &["xyzzy"]);
    assert!(!String::from_utf8_lossy(&other.stderr).contains("Did you mean"), "nothing is called like that");
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

/// Runs it with this on standard input, and expects this exit code and these words.
fn expect_fed(home: &Path, input: &str, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let mut command = d2mtop(home, arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(format!("{input}\n").as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{arguments:?} says {word:?}: {text}");
    }
    assert!(input.len() < 2 || !text.contains(input), "{arguments:?} repeats what it was handed in: {text}");
    text
}

const PASSPHRASE: &str = "ünder the door mat";

#[test]
fn a_key_moves_between_file_and_passphrase_file_and_opens_the_same_group() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let (key, url) = (key_file(home), mediator.url());
    let import = ["profile", "import", "lab", "--mediator", &url, "--server-group", "01", "--store", "file"];
    let told = expect(home, &[&import[..], &["--key-file", key.to_str().unwrap()]].concat(), 0, &["keys/lab.key"]);
    assert!(!told.contains("keyring"), "a choice needs no reason: {told}");
    // The slot that the first login takes exists for the later ones: it is the same group.
    let first = run(home, &["watch", "lab", "--until-dry"]);
    assert_eq!(logged_in(&first)["slot"], "new");
    let (plain, sealed) = (home.join(".config/d2mtop/keys/lab.key"), home.join(".config/d2mtop/keys/lab.sealed"));
    let by_fd = ["--passphrase-fd", "0"];
    let to = |store| [&["profile", "move", "lab", "--to", store][..], &by_fd].concat();

    expect(home, &["profile", "move", "lab", "--to", "passphrase-file"], 2, &["--passphrase-fd N"]);
    expect_fed(home, "", &to("keyring"), 2, &["no keyring can be reached ("]);
    assert!(plain.exists() && !sealed.exists(), "a failed move changes nothing");
    expect_fed(home, PASSPHRASE, &to("passphrase-file"), 0, &["the key of lab is kept in", "lab.sealed"]);
    assert!(!plain.exists() && fs::metadata(&sealed).unwrap().mode() & 0o777 == 0o600);
    expect(home, &["profile", "show", "lab"], 0, &["the passphrase file", "lab.sealed"]);
    expect_fed(home, PASSPHRASE, &to("passphrase-file"), 0, &["already"]);

    let watch = [&["watch", "lab", "--until-dry"][..], &by_fd].concat();
    expect_fed(home, "something else", &watch, 2, &["the passphrase is wrong"]);
    expect(home, &["watch", "lab", "--until-dry"], 2, &["--passphrase-fd N"]);
    expect_fed(home, PASSPHRASE, &watch, 0, &["\"existing\""]);

    expect_fed(home, "something else", &to("file"), 2, &["the passphrase is wrong"]);
    fs::write(&plain, CLIENT_KEY).unwrap();
    expect_fed(home, PASSPHRASE, &to("file"), 2, &["there is another key for that name already"]);
    assert_eq!(fs::read_to_string(&plain).unwrap(), CLIENT_KEY);
    fs::remove_file(&plain).unwrap();

    expect(home, &["profile", "rename", "lab", "shed"], 0, &[]);
    assert!(!sealed.exists(), "the key follows");
    let watch = [&["watch", "shed", "--until-dry"][..], &by_fd].concat();
    expect_fed(home, PASSPHRASE, &watch, 0, &["\"existing\""]);
    expect(home, &["profile", "rename", "shed", "lab"], 0, &[]);
    expect_fed(home, PASSPHRASE, &to("file"), 0, &["lab.key"]);
    assert!(plain.exists() && !sealed.exists());
    let last = run(home, &["watch", "lab", "--until-dry"]);
    assert_eq!(logged_in(&last)["slot"], "existing");
}

#[test]
fn a_group_is_imported_from_threema_desktop_with_its_password_only() {
    let vectors: Value =
        serde_json::from_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors.json"))).unwrap();
    let vector = |name: &str| vectors["desktop_keystorage"][name].as_str().unwrap();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let application = home.join(".local/share/ThreemaDesktop");
    let put = |profile: &str| {
        let data = application.join(profile).join("data");
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("keystorage.pb3"), hex::decode(vector("file")).unwrap()).unwrap();
    };
    let import = ["profile", "import", "home", "--password-fd", "0", "--threema-desktop"];
    expect_fed(home, "-", &import, 2, &["found no Threema Desktop profile", "--threema-desktop DIR"]);
    put("consumer-live-default");
    expect_fed(home, "-wrong-", &import, 2, &["the password of Threema Desktop is wrong"]);
    assert!(!profiles(home).exists(), "nothing was written");
    let told = expect_fed(home, vector("password"), &import, 0, &["found the group of", "keys/home.key"]);
    let profile = &list(home)[0];
    assert!(profile["mediator"].as_str().unwrap().contains(".threema.ch/"), "{profile}");
    assert!(profile["pins"].as_array().unwrap().len() > 2, "{profile}");
    let kept = fs::read_to_string(home.join(".config/d2mtop/keys/home.key")).unwrap();
    assert_eq!(kept.trim(), vector("expect_dgk"));
    assert!(!told.contains(kept.trim()));

    put("work-live-default");
    let second = ["profile", "import", "work", "--password-fd", "0", "--threema-desktop"];
    let both = ["there are several", "consumer-live-default", "work-live-default"];
    expect_fed(home, vector("password"), &second, 2, &both);
    let directory = application.join("work-live-default");
    let named = [&second[..], &[directory.to_str().unwrap()]].concat();
    expect_fed(home, vector("password"), &named, 0, &["keys/work.key"]);

    let unsigned = home.join("prov.oppf");
    fs::write(&unsigned, "{}").unwrap();
    let key = key_file(home);
    let oppf = ["profile", "import", "prem", "--server-group", "01", "--key-file", key.to_str().unwrap(), "--oppf"];
    expect(home, &[&oppf[..], &[unsigned.to_str().unwrap()]].concat(), 2, &["this is no provisioning file"]);
    expect(home, &[&oppf[..], &["/nonexistent.oppf"]].concat(), 2, &["cannot read the provisioning file"]);
}

const STEP: Duration = Duration::from_secs(5);

/// Import, open, rename, move and remove, each in time, on this bus.
fn live_with(home: &Path, url: &str, bus: Option<&str>, is_kept_in: &str) {
    let key = key_file(home);
    let key = key.to_str().unwrap();
    let step = |arguments: &[&str], code: i32, words: &[&str]| {
        let start = Instant::now();
        let mut command = d2mtop(home, arguments);
        if let Some(bus) = bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", bus);
        }
        let output = command.output().unwrap();
        let said = text(&output);
        assert!(start.elapsed() < STEP, "{arguments:?} took {:?}: {said}", start.elapsed());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?} says {word:?}: {said}");
        }
    };
    let settings = ["--mediator", url, "--server-group", "01", "--key-file", key];
    step(&[&["profile", "add", "byhand"], settings.as_slice()].concat(), 0, &["added"]);
    step(&["watch", "byhand", "--until-dry"], 0, &["queue_dry"]);
    step(&["profile", "remove", "byhand", "--yes"], 0, &["removed"]);
    step(&[&["profile", "import", "lab"], settings.as_slice()].concat(), 0, &[is_kept_in]);
    let (place, _) = is_kept_in.split_once(',').unwrap_or((is_kept_in, ""));
    step(&["profile", "show", "lab"], 0, &[place]);
    step(&["watch", "lab", "--until-dry"], 0, &["queue_dry"]);
    step(&["profile", "rename", "lab", "shed"], 0, &[]);
    step(&["watch", "shed", "--until-dry"], 0, &["queue_dry"]);
    if bus.is_some() && place.contains("keyring") {
        step(&["profile", "move", "shed", "--to", "file"], 0, &["shed.key"]);
        step(&["watch", "shed", "--until-dry"], 0, &["queue_dry"]);
        step(&["profile", "move", "shed", "--to", "keyring"], 0, &["the keyring"]);
        assert!(!home.join(".config/d2mtop/keys/shed.key").exists());
        step(&["watch", "shed", "--until-dry"], 0, &["queue_dry"]);
    }
    step(&["profile", "remove", "shed", "--yes"], 0, &["its key is deleted, too"]);
}

#[test]
fn without_a_bus_profiles_keep_their_keys_in_files() {
    let mediator = Mediator::start(&[]);
    live_with(mediator.home.path(), &mediator.url(), None, "keys/lab.key, because no keyring can be reached");
}

#[test]
fn a_bus_that_never_answers_holds_no_profile_up() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let socket = home.join("silent");
    let listener = UnixListener::bind(&socket).unwrap();
    // Accepts, and keeps what it accepted open.
    std::thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((connection, _)) = listener.accept() {
            open.push(connection);
        }
    });
    let bus = format!("unix:path={}", socket.display());
    live_with(home, &mediator.url(), Some(&bus), "keys/lab.key, because the keyring gave no answer within 3 s");

    // A profile whose key was put into a keyring that has fallen silent since.
    let text = format!("[profile.mute]\nmediator = \"{}\"\nserver_group = \"01\"\nkey = \"keyring\"\n", mediator.url());
    fs::write(profiles(home), text).unwrap();
    for (arguments, code) in [
        (&["watch", "mute", "--until-dry"][..], 2),
        (&["profile", "move", "mute", "--to", "file"], 2),
        (&["profile", "remove", "mute", "--yes"], 2),
    ] {
        let start = Instant::now();
        let output = d2mtop(home, arguments).env("DBUS_SESSION_BUS_ADDRESS", &bus).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(start.elapsed() < STEP, "{arguments:?} took {:?}", start.elapsed());
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("gave no answer within 3 s"), "{said}");
    }
}

const BUS: &str = "D2MTOP_TEST_KEYRING_HOME";

/// What runs beside a real keyring; nothing when the tests themselves are run.
#[test]
fn the_process_beside_the_keyring() {
    let Ok(home) = std::env::var(BUS) else { return };
    let url = std::env::var("D2MTOP_TEST_URL").unwrap();
    let bus = std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap();
    live_with(Path::new(&home), &url, Some(&bus), "the keyring of the operating system");
    println!("all steps done");
}

#[test]
fn a_real_keyring_keeps_the_keys_of_profiles() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |tool: &str| std::env::split_paths(&path).any(|path| path.join(tool).exists());
    if let Some(missing) = ["dbus-run-session", "gnome-keyring-daemon"].into_iter().find(|tool| !there(tool)) {
        let _ = writeln!(std::io::stderr(), "NOT TESTED: the real keyring, because {missing} is not installed");
        return;
    }
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let script = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; \
                  exec \"$0\" --exact profile::the_process_beside_the_keyring --nocapture";
    let mut session = Command::new("dbus-run-session");
    session.args(["--", "sh", "-c", script]).arg(std::env::current_exe().unwrap()).stdin(Stdio::null());
    session.env_clear().env("PATH", &path).env("HOME", home).env("XDG_RUNTIME_DIR", home);
    let output = session.env(BUS, home).env("D2MTOP_TEST_URL", mediator.url()).output().unwrap();
    let said = text(&output);
    assert!(output.status.success() && said.contains("all steps done"), "{said}");
}
