//! What a join leaves where: each place for keys, a proxy on the way, and what of a phone's data is to be nowhere.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use d2mtop::protocol::Dialect;
use d2mtop::protocol::proto::d2d_join::{EssentialData as EssentialDataOfPhone, essential_data};
use d2mtop::protocol::proto::d2d_sync;
use d2mtop::rendezvous::wire::JoinLink;

use super::peer::{Place, SECRETS, essential, message};
use super::phone::{Phone, data};
use super::{arguments, labels, mediator, relay, script};
use crate::reach::proxies::connect_proxy;
use crate::support::one_shot::Started;
use crate::support::phone::phone_reflects;
use crate::support::program::{KEY, d2mtop, run};

/// All files below, with what they hold.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |path: PathBuf| {
        let content = fs::read(&path).unwrap();
        (path, content)
    };
    script::files(directory).into_iter().map(read).collect()
}

/// The arguments of a join that keeps its key there.
fn stored_in<'a>(store: &'a str, arguments: Vec<&'a str>) -> Vec<&'a str> {
    arguments.into_iter().map(|argument| if argument == "file" { store } else { argument }).collect()
}

/// A secret in the forms in which somebody might write it.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = hex::encode(secret);
    let mut forms = vec![secret.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    // The last digits depend on what comes next.
    forms.extend([STANDARD.encode(secret), URL_SAFE.encode(secret)].map(|text| {
        let text = text.trim_end_matches('=').to_owned();
        text.as_bytes()[..text.len() - 1].to_vec()
    }));
    forms.push(format!("{secret:?}").trim_matches(['[', ']']).as_bytes().to_vec());
    forms
}

fn assert_nowhere(what: &str, secret: &[u8], places: &[(PathBuf, Vec<u8>)]) {
    for form in forms(secret) {
        for (path, content) in places {
            let is_there = content.windows(form.len()).any(|window| window == form);
            assert!(!is_there, "{what} is in {}", path.display());
        }
    }
}

#[test]
fn what_is_not_ours_to_keep_is_in_no_file_and_no_output() {
    let mediator = mediator();
    phone_reflects(&mediator, Dialect::Dgk, 0, "phone");
    // One that comes to its end, and one that is broken off after all has come.
    for (is_whole, more) in [(true, &["--log-level", "debug"][..]), (false, &[])] {
        let place = Place::new(&mediator);
        let joining = place.join(more);
        let (met, home) = place.meets(async move |peer| {
            peer.begins().await;
            let blob = [&[0x12, 34, 0x12, 32][..], SECRETS[0]].concat();
            peer.sends(&blob).await;
            let link = peer.link.clone();
            peer.sends(&message(essential())).await;
            if is_whole {
                peer.is_told_registered().await;
            } else {
                peer.sends(&message(essential())).await;
                peer.code_at_the_end().await;
            }
            link
        });
        let (_, printed, remarks) = joining.ended();
        let link = met.join().unwrap();
        // What comes afterwards reads and writes the profile, too.
        run(home.path(), &["watch", "home", "--until-dry", "--stay-leader"]);
        let mut places = files(home.path());
        places.push(("standard output".into(), printed.into_bytes()));
        places.push(("standard error".into(), remarks.into_bytes()));
        assert!(places.iter().any(|(path, _)| path.ends_with("profiles.toml")) || !is_whole);
        for (secret, what) in SECRETS.iter().zip(["client key", "cookie", "chat nonce", "group nonce", "password"]) {
            assert_nowhere(what, secret, &places);
        }
        let parsed = JoinLink::parse(&link).unwrap();
        let path = parsed.relay_url.rsplit('/').next().unwrap().to_owned();
        assert_nowhere("the relay's path", path.as_bytes(), &places);
        assert_nowhere("the relay's path", &hex::decode(&path).unwrap(), &places);
        let in_link = link.rsplit('#').next().unwrap();
        assert_nowhere("the link", in_link.as_bytes(), &places);
        let raw = URL_SAFE.decode(in_link).unwrap();
        // The key in it: 32 bytes behind their head, as field 2 of the message in field 3.
        let at = raw.windows(2).position(|head| head == [0x12, 32]).unwrap() + 2;
        assert_nowhere("the link's key", &raw[at..at + 32], &places);
        // The group's key is in its own file only.
        let keys: Vec<_> = places.iter().filter(|(path, _)| !path.ends_with("keys/home.key")).cloned().collect();
        assert_nowhere("the group's key", &hex::decode(KEY).unwrap(), &keys);
        if is_whole {
            let leave = ["profile", "remove", "home", "--leave-group", "--yes"];
            assert!(run(home.path(), &leave).status.success());
        }
    }
    assert_eq!(labels(&mediator), ["phone"]);
}

/// A join by a script as far as its end, with what it is given on standard input.
fn joined_with(
    home: &Path,
    command: std::process::Command,
    given: &[u8],
    mediator: &crate::support::program::Mediator,
) {
    let mut command = command;
    command.stdin(Stdio::piped());
    let mut joining = Started::new(command);
    joining.child.stdin.take().unwrap().write_all(given).unwrap();
    joining.wait_for("join_offer");
    script::linked(joining, mediator, &fs::read_to_string(home.join("offer")).unwrap());
}

#[test]
fn a_join_keeps_its_key_behind_a_passphrase() {
    let mediator = mediator();
    let home = tempfile::tempdir().unwrap();
    let offer = home.path().join("offer");
    let (url, relay) = (mediator.url(), relay(&mediator));
    let mut all = stored_in("passphrase-file", arguments(&url, &relay, offer.to_str().unwrap()));
    all.extend(["--json", "--passphrase-fd", "0"]);
    joined_with(home.path(), d2mtop(home.path(), &all), b"correct horse\n", &mediator);
    let key = hex::decode(KEY).unwrap();
    assert_nowhere("the group's key", &key, &files(home.path()));
    assert_nowhere("the passphrase", b"correct horse", &files(home.path()));
    let opens = |passphrase: &str, code: i32| {
        let mut watch = d2mtop(home.path(), &["watch", "home", "--until-dry", "--stay-leader", "--passphrase-fd", "0"]);
        let mut watch = watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        watch.stdin.take().unwrap().write_all(passphrase.as_bytes()).unwrap();
        assert_eq!(watch.wait().unwrap().code(), Some(code), "{passphrase}");
    };
    opens("correct horse\n", 0);
    opens("wrong horse\n", 2);
    // Names are sealed with it, too, and asked for only where they are wanted.
    let plain = run(home.path(), &["history", "home"]);
    assert!(plain.status.success(), "{}", String::from_utf8_lossy(&plain.stderr));
    let names = run(home.path(), &["history", "home", "--names"]);
    assert_eq!(names.status.code(), Some(2), "{}", String::from_utf8_lossy(&names.stderr));
}

#[test]
fn a_join_keeps_its_key_in_a_keyring() {
    let Some(keyring) = crate::keyring::unlocked() else { return };
    let mediator = mediator();
    let home = tempfile::tempdir().unwrap();
    let offer = home.path().join("offer");
    let (url, relay) = (mediator.url(), relay(&mediator));
    let mut all = stored_in("keyring", arguments(&url, &relay, offer.to_str().unwrap()));
    all.push("--json");
    // The join and what comes after it have one keyring: it goes with its session.
    let script =
        format!("{keyring}; \"$0\" \"$@\" && \"$0\" watch home --until-dry --stay-leader && \"$0\" profile show home");
    let command = crate::keyring::in_session(home.path(), &script, &d2mtop(home.path(), &all));
    let mut joining = Started::new(command);
    joining.child.stdin.take();
    joining.wait_for("join_offer");
    let phone = Phone::lets_in(&mediator, &fs::read_to_string(&offer).unwrap(), data(3));
    joining.wait_for("join_registered");
    joining.wait_for("queue_dry");
    phone.end();
    assert_nowhere("the group's key", &hex::decode(KEY).unwrap(), &files(home.path()));
}

#[test]
fn a_proxy_leads_to_relay_and_mediator_and_the_profile_keeps_it() {
    let mediator = mediator();
    let (port, asked) = connect_proxy(None);
    let proxy = format!("http://127.0.0.1:{port}");
    let home = tempfile::tempdir().unwrap();
    let (joining, link) = script::offered(home.path(), &mediator.url(), &relay(&mediator), &["--proxy", &proxy]);
    script::linked(joining, &mediator, &link);
    let target = format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n", mediator.port);
    let before = asked.lock().unwrap().len();
    assert!(before >= 2 && asked.lock().unwrap().iter().all(|request| request.starts_with(&target)), "{before}");
    assert!(run(home.path(), &["watch", "home", "--until-dry", "--stay-leader"]).status.success());
    assert!(asked.lock().unwrap().len() > before, "the profile has it");
}

/// From the last byte to the last word of this device, which comes after its profile is stored and its slot taken.
#[test]
fn twenty_thousand_contacts_and_all_nonces_are_stored_in_two_seconds() {
    let mediator = mediator();
    phone_reflects(&mediator, Dialect::Dgk, 0, "phone");
    let contact = |number: usize| essential_data::AugmentedContact {
        contact: Some(d2d_sync::Contact {
            identity: format!("C{number:07}"),
            first_name: Some(format!("First {number}")),
            last_name: Some("Nymph".to_owned()),
            public_key: Some(Bytes::from_static(&[6; 32])),
            ..d2d_sync::Contact::default()
        }),
        last_update_at: None,
    };
    let nonces = || vec![Bytes::from_static(&[5; 32]); 100_000];
    let data = EssentialDataOfPhone {
        contacts: (0..20_000).map(contact).collect(),
        csp_hashed_nonces: nonces(),
        d2d_hashed_nonces: nonces(),
        ..essential()
    };
    let data = message(data);
    let bytes = data.len();
    let place = Place::new(&mediator);
    let joining = place.join(&[]);
    let (met, home) = place.meets(async move |peer| {
        peer.begins().await;
        let frame = peer.sealed(&data);
        // As phones cut it.
        for part in frame.chunks(1 << 20) {
            peer.raw(Bytes::copy_from_slice(part)).await;
        }
        let sent = Instant::now();
        peer.is_told_registered().await;
        sent.elapsed()
    });
    let (code, printed, remarks) = joining.ended();
    let took = met.join().unwrap();
    println!("{bytes} bytes are stored {took:?} after the last of them");
    assert_eq!(code, Some(0), "{printed}{remarks}");
    // Without optimization it takes longer.
    let most = if cfg!(debug_assertions) { Duration::from_secs(10) } else { Duration::from_secs(2) };
    assert!(took < most, "{took:?}");
    let names = fs::metadata(home.path().join(".local/state/d2mtop/profiles/home/names.sealed")).unwrap();
    assert!(names.len() > 20_000 * 20, "{} bytes of names", names.len());
}
