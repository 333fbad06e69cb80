//! Keys that are imported, kept with the profile, and moved between files.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::{CLIENT_KEY, expect, list, logged_in, profiles, text};
use crate::support::program::{KEY, Mediator, d2mtop, key_file, run};

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
