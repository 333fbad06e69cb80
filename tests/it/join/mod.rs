//! `d2mtop join` against a phone, over the relay of a mediator.

mod kills;
mod phone;
mod script;

use std::fs;
use std::path::{Path, PathBuf};

use d2mtop::protocol::{CloseCode, Dialect, SlotState};
use d2mtop::rendezvous::{AdmitCause, AdmitEnd, Failure};

use crate::support::one_shot;
use crate::support::phone::phone_with_slot_reflects;
use crate::support::program::{Mediator, run};
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
    dashboard.press("q");
    assert!(dashboard.end().success());
    // The next start has looked whether the phone heard of it, and now nobody looks any more.
    let profiles = fs::read_to_string(home.join(".config/d2mtop/profiles.toml")).unwrap();
    assert!(!profiles.contains("join ="), "{profiles}");
    let names = fs::read(home.join(".local/state/d2mtop/profiles/home/names.sealed")).unwrap();
    assert!(!names.windows(5).any(|window| window == b"Nymph"));
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
    let failed = AdmitCause::Rendezvous(Failure::PeerFailed(CloseCode(4100)));
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
