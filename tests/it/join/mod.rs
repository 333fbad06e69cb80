//! `d2mtop join` against a phone, over the relay of a mediator.

mod bad_input;
mod kills;
mod manual;
mod peer;
mod phone;
mod script;
mod stores;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use d2mtop::protocol::d2d::{Composer, SyncAction};
use d2mtop::protocol::proto::d2d_sync;
use d2mtop::protocol::{
    CloseCode, DeviceId, DeviceInfo, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, Sealed, SlotState,
};
use d2mtop::rendezvous::{AdmitCause, AdmitEnd, RendezvousFailure};

use crate::support::envelopes;
use crate::support::one_shot;
use crate::support::phone::phone_with_slot_reflects;
use crate::support::program::{KEY, Mediator, key_file, run};
use crate::support::raw;
use crate::support::terminal::Terminal;
use phone::{Does, Phone, data};

const CODE: &str = "Scan this code";

fn mediator() -> Mediator {
    Mediator::start(&["--rendezvous"])
}

fn relay(mediator: &Mediator) -> String {
    format!("{}rendezvous/", mediator.url())
}

/// The options of every join here; the link goes into this file.
fn arguments<'a>(mediator: &'a str, relay: &'a str, offer: &'a str) -> Vec<&'a str> {
    vec![
        "join",
        "--mediator",
        mediator,
        "--rendezvous",
        relay,
        "--offer-file",
        offer,
        "--label",
        "joined",
        "--store",
        "file",
    ]
}

/// A join in a terminal, and where its link is.
struct Joining {
    terminal: Terminal,
    home: tempfile::TempDir,
    offer: PathBuf,
}

impl Joining {
    fn start(mediator: &Mediator, rows: u16, more: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let offer = home.path().join("offer");
        let (url, relay) = (mediator.url(), relay(mediator));
        let arguments = [arguments(&url, &relay, offer.to_str().unwrap()), more.to_vec()].concat();
        let environment = [("HOME", home.path().to_str().unwrap())];
        let mut terminal = Terminal::start(&arguments, rows, 120, &environment);
        terminal.wait_for("Enter shows the code");
        Self { terminal, home, offer }
    }

    /// As far as the code.
    fn with_code(mediator: &Mediator) -> (Self, String) {
        let mut joining = Self::start(mediator, 40, &[]);
        joining.terminal.press("\r");
        joining.terminal.wait_for(CODE);
        let link = fs::read_to_string(&joining.offer).unwrap();
        (joining, link)
    }

    /// Ends with this exit code and these words, and leaves nothing behind.
    fn fails(mut self, code: u32, words: &str) {
        let status = self.terminal.end();
        let all = String::from_utf8_lossy(&self.terminal.raw).into_owned();
        assert_eq!(status.exit_code(), code, "{all}");
        // As wide as the terminal is, so that words break anywhere.
        let contents = self.terminal.contents().replace('\n', "");
        assert!(contents.contains(words), "no {words:?} in {contents}");
        self.terminal.assert_restored();
        assert!(!self.offer.exists());
        assert_no_profile(self.home.path());
    }
}

fn assert_no_profile(home: &Path) {
    let profiles = fs::read_to_string(home.join(".config/d2mtop/profiles.toml")).unwrap_or_default();
    assert!(!profiles.contains("[profile."), "{profiles}");
    for directory in [".config/d2mtop/keys", ".local/state/d2mtop/profiles"] {
        let left: Vec<_> = fs::read_dir(home.join(directory)).into_iter().flatten().map(Result::unwrap).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

fn labels(mediator: &Mediator) -> Vec<String> {
    let mut labels = one_shot::labels(mediator, Dialect::Dgk);
    labels.retain(|label| label != "looking");
    labels.sort();
    labels
}

#[test]
fn a_phone_brings_this_computer_in_and_conversations_have_names() {
    let mediator = mediator();
    let (mut joining, link) = Joining::with_code(&mediator);
    let phone = Phone::scans(&mediator, &link, data(300));
    joining.terminal.wait_for("If they differ");
    for name in phone.emoji() {
        assert!(joining.terminal.contents().contains(&name), "no {name} in {}", joining.terminal.contents());
    }
    assert!(!joining.terminal.contents().contains(CODE), "the code is gone with its screen");
    phone.does(Does::Matches(true));
    joining.terminal.wait_for("Done: this computer is a device of the group of MYSELF01. d2mtop home opens it.");
    assert!(joining.terminal.end().success());
    joining.terminal.assert_restored();
    assert_eq!(phone.end(), AdmitEnd::Admitted { lock_is_free: true });
    assert!(!joining.offer.exists());
    assert_eq!(labels(&mediator), ["joined", "phone"]);
    let home = joining.home.path();
    let shown = String::from_utf8(run(home, &["profile", "show", "home"]).stdout).unwrap();
    assert!(shown.contains("identity      MYSELF01"), "{shown}");

    let mut dashboard = Terminal::start(&["home", "--stay-leader"], 40, 120, &[("HOME", home.to_str().unwrap())]);
    dashboard.wait_for("joined");
    phone_with_slot_reflects(SlotState::Existing, &mediator, Dialect::Dgk, 1, "phone");
    dashboard.wait_for("Echo Nymph");
    dashboard.wait_for("d2mtop · home · MYSELF01");
    dashboard.press("q");
    assert!(dashboard.end().success());
    // The next start has looked whether the phone heard of it, and now nobody looks any more.
    let profiles = fs::read_to_string(home.join(".config/d2mtop/profiles.toml")).unwrap();
    assert!(!profiles.contains("join ="), "{profiles}");
    let names = fs::read(home.join(".local/state/d2mtop/profiles/home/names.sealed")).unwrap();
    assert!(!names.windows(5).any(|window| window == b"Nymph"));
}

/// Another device changes the last name of a contact, and passes on a text of theirs.
fn renames(mediator: &Mediator) {
    let composer = Composer::new(Dialect::Dgk, DeviceId(66));
    let contact = d2d_sync::Contact {
        identity: "ECHOECHO".to_owned(),
        last_name: Some("Oread".to_owned()),
        ..d2d_sync::Contact::default()
    };
    let keys = GroupKeys::derive(Dialect::Dgk, &GroupSecret::from_hex(KEY).unwrap());
    let renamed = composer.contact_sync(SyncAction::Update, contact).unwrap();
    let text = envelopes::text(Dialect::Dgk, DeviceId(66), MessageId(7), Millis(1));
    let seal = |envelope, number| Sealed::seal(&envelope, &keys, Nonce([number; 24]));
    let info = Sealed::seal(&DeviceInfo::default(), &keys, Nonce([90; 24]));
    raw::reflect(&mediator.url(), &keys, &info, &[seal(renamed, 91), seal(text, 92)]);
}

#[test]
fn later_messages_rename_who_was_named_at_the_join_also_in_the_history() {
    let mediator = mediator();
    let joined = |more: &[&str]| {
        let home = tempfile::tempdir().unwrap();
        let (joining, link) = script::offered(home.path(), &mediator.url(), &relay(&mediator), more);
        script::linked(joining, &mediator, &link);
        home
    };
    let (home, forgetful) = (joined(&["home"]), joined(&["home", "--forget-names"]));
    renames(&mediator);
    let watched = run(home.path(), &["watch", "home", "--until-dry", "--stay-leader"]);
    assert!(watched.status.success(), "{}", String::from_utf8_lossy(&watched.stderr));
    let history = |home: &Path, more: &[&str]| {
        let output = run(home, &[&["history", "home"], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (plain, _) = history(home.path(), &[]);
    assert!(plain.contains("text from #") && !plain.contains("Echo"), "{plain}");
    let (named, remarks) = history(home.path(), &["--names"]);
    assert!(named.contains("text from Echo Oread") && remarks.is_empty(), "{named}{remarks}");
    let lines = crate::support::one_shot::json(&history(home.path(), &["--names", "--json"]).0);
    let text = lines.iter().find(|line| line["type"] == "text").unwrap();
    assert_eq!(text["conversation_name"], "Echo Oread", "{text}");
    // It stands so from the beginning the next time.
    phone_with_slot_reflects(SlotState::Existing, &mediator, Dialect::Dgk, 1, "phone");
    let mut watch = Terminal::start(
        &["watch", "home", "--until-dry", "--stay-leader"],
        40,
        120,
        &[("HOME", home.path().to_str().unwrap())],
    );
    watch.wait_for("text from Echo Oread");
    watch.end();
    let path = |home: &Path| home.join(".local/state/d2mtop/profiles/home/names.sealed");
    for word in ["Oread", "Echo", "ECHOECHO"] {
        let kept = fs::read(path(home.path())).unwrap();
        assert!(!kept.windows(word.len()).any(|window| window == word.as_bytes()), "it is sealed");
    }

    let forgets = run(forgetful.path(), &["watch", "home", "--until-dry", "--stay-leader"]);
    assert!(forgets.status.success());
    let (shown, remarks) = history(forgetful.path(), &["--names"]);
    assert!(shown.contains("text from #") && remarks.contains("keeps no names"), "{shown}{remarks}");
    assert!(!path(forgetful.path()).exists());
}

#[test]
fn a_profile_of_the_same_group_is_named_before_anything_is_registered() {
    let mediator = mediator();
    let home = tempfile::tempdir().unwrap();
    let key = key_file(home.path());
    let (url, relay) = (mediator.url(), relay(&mediator));
    // One of a lab that only shares the mediator; and the group's own, by hand.
    let other = home.path().join("other.key");
    fs::write(&other, "11".repeat(32)).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    for (name, key) in [("lab", &other), ("mine", &key)] {
        let add = ["profile", "add", name, "--mediator", &url, "--server-group", "01", "--key-file"];
        let added = run(home.path(), &[&add[..], &[key.to_str().unwrap()]].concat());
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }
    let offer = home.path().join("offer");
    let arguments = arguments(&url, &relay, offer.to_str().unwrap());
    let mut terminal = Terminal::start(&arguments, 40, 120, &[("HOME", home.path().to_str().unwrap())]);
    terminal.wait_for("profiles at the same mediator (lab, mine)");
    terminal.press("\r");
    terminal.wait_for(CODE);
    let phone = Phone::scans(&mediator, &fs::read_to_string(&offer).unwrap(), data(1));
    terminal.wait_for("If they differ");
    phone.does(Does::Matches(true));
    terminal.wait_for("d2mtop home opens it");
    assert!(terminal.end().success());
    let all = terminal.contents();
    let said = "The profile mine is of the same group already: this makes one more device of it.";
    assert!(all.contains(said) && all.find(said) < all.find("This device has its slot"), "{all}");
    phone.end();
    // By its identity, which the first join has told.
    let (joining, link) = script::offered(home.path(), &url, &relay, &["again"]);
    fs::remove_file(&key).unwrap();
    let phone = Phone::lets_in(&mediator, &link, data(1));
    let (code, printed, _) = joining.ended();
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains(r#""event":"join_same_group""#) && printed.contains(r#""profile":"home""#), "{printed}");
    phone.end();
}

#[test]
fn whoever_leaves_here_leaves_nothing_behind() {
    let mediator = mediator();
    let mut early = Joining::start(&mediator, 24, &[]);
    early.terminal.press("\x1b");
    early.fails(6, "not joined: you stopped");

    let (mut at_code, _) = Joining::with_code(&mediator);
    at_code.terminal.press("l");
    at_code.terminal.wait_for("threema://device-group/join#");
    at_code.terminal.press("l");
    at_code.terminal.wait_for(CODE);
    at_code.terminal.press("\x03");
    at_code.fails(6, "not joined: you stopped");

    let (mut at_emoji, link) = Joining::with_code(&mediator);
    let phone = Phone::scans(&mediator, &link, data(1));
    at_emoji.terminal.wait_for("If they differ");
    at_emoji.terminal.press("\x1b");
    at_emoji.fails(6, "not joined: you stopped");
    let failed = AdmitCause::Rendezvous(RendezvousFailure::PeerFailed(CloseCode(4100)));
    assert_eq!(phone.end(), AdmitEnd::Failed { cause: failed, key_given: false });

    let (at_signal, _) = Joining::with_code(&mediator);
    at_signal.terminal.signal(signal_hook::consts::SIGTERM);
    at_signal.fails(143, "not joined: you stopped");
    assert_eq!(labels(&mediator), ["phone"]);
}

#[test]
fn whoever_leaves_on_the_phone_is_told_of_here() {
    let mediator = mediator();
    for does in [Does::Matches(false), Does::Cancels] {
        let (mut joining, link) = Joining::with_code(&mediator);
        let phone = Phone::scans(&mediator, &link, data(1));
        joining.terminal.wait_for("If they differ");
        phone.does(does);
        joining.fails(8, "not joined: the other device gave up (4100)");
        assert!(matches!(phone.end(), AdmitEnd::Failed { key_given: false, .. }));
    }
}

#[test]
fn a_terminal_that_is_too_small_says_how_large_the_code_is_and_shows_it_once_it_fits() {
    let mediator = mediator();
    let mut joining = Joining::start(&mediator, 24, &[]);
    joining.terminal.press("\r");
    joining.terminal.wait_for("the code needs 55 columns and 28 rows, and this terminal has 120 and 24");
    joining.terminal.resize(31, 120);
    joining.terminal.wait_for(CODE);
    joining.terminal.press("\x1b");
    joining.fails(6, "you stopped");
}
