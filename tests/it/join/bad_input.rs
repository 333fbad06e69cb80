//! Each way in which a phone or its relay may break a join off, with the real program: a sentence and an exit code of its
//! own, and nothing left behind.

use std::time::Duration;

use bytes::Bytes;
use d2mtop::protocol::proto::d2d_join::essential_data;
use d2mtop::protocol::{CloseCode, Dialect};
use d2mtop::rendezvous::wire::FromExisting;
use futures_util::SinkExt as _;
use tokio_tungstenite::tungstenite::Message;

use super::peer::{Peer, Place, essential, message};
use super::{assert_no_profile, labels, mediator};
use crate::support::disk::Disk;
use crate::support::one_shot::json;
use crate::support::phone::phone_reflects;
use crate::support::program::Mediator;

/// How far the phone goes before it does something.
#[derive(Clone, Copy, Debug)]
enum After {
    /// The relay is reached, and nobody is there.
    Relay,
    /// The phone is there, and has not proved itself.
    Hello,
    /// The pictures are shown.
    Pictures,
    /// The user has confirmed them on the phone.
    Begin,
    /// The data came.
    Data,
}

#[derive(Clone, Debug)]
enum Does {
    Closes(u16),
    Vanishes,
    NothingMore,
    Says(Vec<u8>),
    SaysTwice(Vec<u8>),
    Writes(Bytes),
    WritesText,
    /// A frame with one bit changed.
    Forges,
}

async fn go(peer: &mut Peer, after: After) {
    match after {
        After::Relay => {}
        After::Hello => {
            let hello = peer.hello();
            peer.raw(hello).await;
        }
        After::Pictures => peer.nominates().await,
        After::Begin => peer.begins().await,
        After::Data => {
            peer.begins().await;
            peer.sends(&message(essential())).await;
        }
    }
}

/// The code with which the new device closes, if that matters.
async fn act(peer: &mut Peer, does: Does) -> Option<u16> {
    match does {
        Does::Closes(code) => {
            peer.closes(CloseCode(code)).await;
            return None;
        }
        Does::Vanishes => return None,
        Does::NothingMore => {}
        Does::Says(message) => peer.sends(&message).await,
        Does::SaysTwice(message) => {
            let both = [peer.sealed(&message), peer.sealed(&message)].concat();
            peer.raw(both.into()).await;
        }
        Does::Writes(bytes) => peer.raw(bytes).await,
        Does::WritesText => peer.socket.send(Message::text("hello")).await.unwrap(),
        Does::Forges => {
            let mut frame = peer.sealed(FromExisting::begin()).to_vec();
            *frame.last_mut().unwrap() ^= 1;
            peer.raw(frame.into()).await;
        }
    }
    peer.code_at_the_end().await
}

/// Joins, and expects this end.
fn fails(mediator: &Mediator, (after, does, code, words): (After, Does, i32, &str)) {
    let what = format!("after {after:?}, {does:?}");
    let place = Place::new(mediator);
    let more: &[&str] = if matches!(does, Does::NothingMore) { &["--timeout", "1s"] } else { &[] };
    let (joining, offer) = (place.join(more), place.offer());
    let is_ours = !matches!(does, Does::Closes(_) | Does::Vanishes);
    let (met, home) = place.meets(async move |peer| {
        go(peer, after).await;
        act(peer, does).await
    });
    let (exit, printed, remarks) = joining.ended();
    let closed = met.join().expect("the phone does not panic");
    assert_eq!(exit, Some(code), "{what}: {printed}{remarks}");
    let lines = json(&printed);
    let last = lines.last().unwrap_or_else(|| panic!("{what}: {remarks}"));
    assert_eq!((&last["event"], &last["slot_left"]), (&"join_failed".into(), &false.into()), "{what}: {printed}");
    let said = last["words"].as_str().unwrap();
    assert!(said.contains(words), "{what}: no {words:?} in {said:?}");
    assert!(remarks.is_empty() && !printed.contains("threema://"), "{what}: {printed}{remarks}");
    assert!(!is_ours || closed == Some(4_100), "{what}: closed with {closed:?}");
    assert!(!offer.exists(), "{what}: the link is still there");
    assert_no_profile(home.path());
}

/// A group at the mediator, so that there is one to join.
fn group() -> Mediator {
    let mediator = mediator();
    phone_reflects(&mediator, Dialect::Dgk, 0, "phone");
    mediator
}

#[test]
fn whoever_closes_or_falls_silent_is_told_of_with_the_step() {
    use After::{Begin, Hello, Pictures, Relay};
    use Does::{Closes, NothingMore, Vanishes};
    let mediator = group();
    for case in [
        (Relay, Closes(1_000), 8, "the phone stopped, while nobody had come yet"),
        (Relay, Closes(4_000), 4, "the relay closed the connection (4000)"),
        (Relay, Closes(4_004), 4, "the other device is gone from the relay"),
        (Hello, Closes(1_000), 8, "the phone stopped, while the two devices were making themselves known"),
        (Hello, Closes(4_004), 4, "is gone from the relay, while the two devices were making themselves known"),
        (Hello, NothingMore, 4, "nothing came for too long, while the two devices"),
        (Pictures, Closes(1_000), 8, "somebody cancelled there or the emoji did not match; nothing is linked"),
        (Pictures, Closes(4_100), 8, "the other device gave up (4100), while the emoji were to be confirmed"),
        (Pictures, Closes(4_123), 8, "the other device gave up (4123)"),
        (Pictures, NothingMore, 4, "nothing came for too long, while the emoji were to be confirmed on the phone"),
        (Begin, Closes(1_000), 8, "the phone stopped, while the phone was sending the group's data"),
        (Begin, Closes(4_004), 4, "is gone from the relay, while the phone was sending"),
        (Begin, Closes(1_011), 4, "the relay closed the connection (1011)"),
        (Begin, Vanishes, 4, "while the phone was sending the group's data"),
        (Begin, NothingMore, 4, "nothing came for too long, while the phone was sending the group's data"),
    ] {
        fails(&mediator, case);
    }
    assert_eq!(labels(&mediator), ["phone"], "no slot is left");
}

#[test]
fn what_no_phone_sends_is_told_of_with_what_it_was() {
    use After::{Begin, Data, Hello, Pictures, Relay};
    use Does::{Forges, Says, SaysTwice, Writes, WritesText};
    let mediator = group();
    let begin = FromExisting::begin().to_vec();
    let with = |change: fn(&mut d2mtop::protocol::proto::d2d_join::EssentialData)| {
        let mut data = essential();
        change(&mut data);
        Says(message(data))
    };
    let garbage = || Bytes::from(vec![7; 60]);
    let framed = |length: u32| Bytes::from([&length.to_le_bytes()[..], &[9; 200]].concat());
    for case in [
        (Relay, Writes(framed(200)), 9, "was not written by the device that the link is for"),
        (Relay, Writes(framed(16_385)), 9, "a frame has 16385 bytes, more than the 16384 allowed"),
        (Relay, Writes(framed(3)), 9, "too short"),
        (Relay, WritesText, 9, "a text message, which the protocol does not have"),
        (Hello, Writes(framed(200)), 9, "was not written by the device that the link is for"),
        (Pictures, Says(message(essential())), 9, "the phone sent data before it said that it begins"),
        (Pictures, Forges, 9, "was not written by the device that the link is for"),
        (Begin, Says(begin.clone()), 9, "the phone began twice"),
        (Begin, Says(garbage().to_vec()), 9, "no message of a join"),
        (Begin, Says(Vec::new()), 9, "no message of a join"),
        (Begin, Writes(framed(100 * 1_024 * 1_024 + 1)), 9, "a frame has 104857601 bytes"),
        (Begin, Forges, 9, "was not written by the device that the link is for"),
        (Begin, WritesText, 9, "a text message"),
        (Begin, SaysTwice(message(essential())), 9, "sent something after the last of its data"),
        (Data, Says(begin), 9, "sent something after the last of its data"),
        (Begin, with(|data| data.device_group_data = None), 9, "the phone sent its data, but"),
        (
            Begin,
            with(|data| {
                data.device_group_data = Some(essential_data::DeviceGroupData { dgk: vec![1; 31].into() });
            }),
            9,
            "31",
        ),
        (Begin, with(|data| data.identity_data = None), 9, "server group"),
        (
            Begin,
            with(|data| data.identity_data.as_mut().unwrap().csp_server_group = "../..".to_owned()),
            9,
            "server group",
        ),
    ] {
        // The last may come when this device has told already that it is registered: then it is one, and says so.
        if matches!(case.0, Data) {
            comes_late(&mediator, case);
        } else {
            fails(&mediator, case);
        }
    }
    assert_eq!(labels(&mediator), ["phone"], "no slot is left");
}

/// What comes after the data: either nothing is left, or there is a whole profile, as the phone was told.
fn comes_late(mediator: &Mediator, (after, does, code, words): (After, Does, i32, &str)) {
    let place = Place::new(mediator);
    let joining = place.join(&[]);
    let (met, home) = place.meets(async move |peer| {
        go(peer, after).await;
        act(peer, does).await
    });
    let (exit, printed, remarks) = joining.ended();
    let closed = met.join().unwrap();
    if exit == Some(0) {
        assert_eq!(closed, Some(1_000), "{printed}");
        let leave = ["profile", "remove", "home", "--leave-group", "--yes"];
        assert!(crate::support::program::run(home.path(), &leave).status.success());
    } else {
        assert_eq!((exit, closed), (Some(code), Some(4_100)), "{printed}{remarks}");
        assert!(printed.contains(words), "{printed}");
    }
    assert_no_profile(home.path());
}

#[test]
fn without_an_identity_it_is_a_profile_all_the_same() {
    let mediator = group();
    let place = Place::new(&mediator);
    let joining = place.join(&[]);
    let (met, home) = place.meets(async move |peer| {
        peer.begins().await;
        let mut data = essential();
        data.identity_data.as_mut().unwrap().identity = String::new();
        // Cut as phones cut, and two frames in one message.
        let frame = peer.sealed(&message(data));
        for part in frame.chunks(7) {
            peer.raw(Bytes::copy_from_slice(part)).await;
        }
        peer.is_told_registered().await;
    });
    let (code, printed, remarks) = joining.ended();
    met.join().unwrap();
    assert_eq!(code, Some(0), "{printed}{remarks}");
    assert_eq!(labels(&mediator), ["joined", "phone"]);
    assert!(crate::support::program::run(home.path(), &["profile", "show", "home"]).status.success());
}

#[test]
fn a_relay_that_ends_the_wait_gets_five_codes_and_then_the_script_its_end() {
    let mediator = group();
    let place = Place::new(&mediator);
    let joining = place.join(&[]);
    let (met, home) = place.meets_all(5, async |peer| peer.closes(CloseCode(4_003)).await);
    let (code, printed, remarks) = joining.ended();
    met.join().unwrap();
    assert_eq!(code, Some(4), "{printed}{remarks}");
    assert_eq!(printed.matches(r#""event":"join_offer""#).count(), 5, "{printed}");
    assert!(printed.contains("no other device came before the relay ended the wait"), "{printed}");
    assert_no_profile(home.path());
}

#[test]
fn a_disk_that_is_full_by_then_leaves_neither_profile_nor_slot() {
    let mediator = group();
    let place = Place::new(&mediator);
    let state = place.home.path().join(".local/state");
    let Some(disk) = Disk::mount_of(&state, 48) else { return };
    let joining = place.join(&[]);
    let ballast = state.join("ballast");
    let (met, home) = place.meets(async move |peer| {
        peer.nominates().await;
        Disk::fill_at(&ballast, 48);
        peer.sends(FromExisting::begin()).await;
        peer.sends(&message(essential())).await;
        peer.code_at_the_end().await
    });
    let (code, printed, remarks) = joining.ended();
    assert_eq!((code, met.join().unwrap()), (Some(1), Some(4_100)), "{printed}{remarks}");
    assert!(printed.contains("this device could not store its profile"), "{printed}");
    assert!(printed.contains("the phone undoes the link by itself"), "{printed}");
    assert_no_profile(home.path());
    assert_eq!(labels(&mediator), ["phone"]);
    drop(disk);
}

#[test]
fn a_mediator_that_is_not_there_leaves_nothing() {
    let mediator = group();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::at(&format!("ws://{}/", gone.local_addr().unwrap()));
    // It is there as long as it is looked whether it can be reached.
    let joining = place.join(&[]);
    let (met, home) = place.meets(async move |peer| {
        peer.nominates().await;
        drop(gone);
        peer.sends(FromExisting::begin()).await;
        peer.sends(&message(essential())).await;
        peer.code_at_the_end().await
    });
    let (code, printed, remarks) = joining.ended();
    assert_eq!((code, met.join().unwrap()), (Some(4), Some(4_100)), "{printed}{remarks}");
    assert!(printed.contains("the mediator cannot be reached"), "{printed}");
    assert_no_profile(home.path());
    drop(mediator);
}

#[test]
fn whoever_leaves_while_the_data_comes_leaves_nothing_and_gets_the_terminal_back() {
    let mediator = group();
    let place = Place::new(&mediator);
    let mut terminal = place.join_in_terminal(&[]);
    let offer = place.offer();
    let (met, home) = place.meets(async move |peer| {
        peer.begins().await;
        let mut data = essential();
        data.csp_hashed_nonces = vec![Bytes::from_static(&[7; 32]); 10_000];
        let frame = peer.sealed(&message(data));
        peer.raw(frame.slice(..frame.len() / 2)).await;
        peer.code_at_the_end().await
    });
    terminal.wait_for("so far");
    terminal.press("xyz\t\x1b[A\r");
    terminal.press("\x1b");
    assert_eq!(terminal.end().exit_code(), 6);
    let contents = terminal.contents().replace('\n', "");
    assert!(contents.contains("not joined: you stopped, while the phone was sending the group's data"), "{contents}");
    terminal.assert_restored();
    assert_eq!(met.join().unwrap(), Some(4_100));
    assert!(!offer.exists());
    assert_no_profile(home.path());
    assert_eq!(labels(&mediator), ["phone"]);
}

#[test]
fn what_ends_a_join_is_told_in_a_terminal_too_which_is_given_back() {
    let mediator = group();
    for (after, does, code, words) in [
        (After::Begin, Does::Says(FromExisting::begin().to_vec()), 9, "not joined: the phone began twice"),
        (After::Begin, Does::Closes(4_004), 4, "not joined: the other device is gone from the relay"),
        (After::Relay, Does::Closes(4_000), 4, "not joined: the relay closed the connection (4000)"),
    ] {
        let place = Place::new(&mediator);
        let mut terminal = place.join_in_terminal(&[]);
        let (met, home) = place.meets(async move |peer| {
            go(peer, after).await;
            act(peer, does).await
        });
        assert_eq!(terminal.end().exit_code(), code);
        met.join().unwrap();
        let contents = terminal.contents().replace('\n', "");
        assert!(contents.contains(words), "no {words:?} in {contents}");
        terminal.assert_restored();
        assert_no_profile(home.path());
    }
    assert_eq!(labels(&mediator), ["phone"]);
}

/// Longer than a mediator that is there but silent is waited for.
const SILENT: Duration = Duration::from_secs(50);

#[test]
fn a_mediator_that_says_nothing_is_waited_for_no_longer_than_the_phone_holds_its_lock() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::at(&format!("ws://{}/", silent.local_addr().unwrap()));
    let began = std::time::Instant::now();
    let joining = place.join(&[]);
    let (met, home) = place.meets(async move |peer| {
        peer.begins().await;
        peer.sends(&message(essential())).await;
        peer.code_at_the_end().await
    });
    let (code, printed, remarks) = joining.ended();
    assert_eq!((code, met.join().unwrap()), (Some(4), Some(4_100)), "{printed}{remarks}");
    assert!(began.elapsed() < SILENT, "{:?}: {printed}", began.elapsed());
    // Whether it gave a slot cannot be known: the profile stays until the next start has asked.
    let lines = json(&printed);
    let left = lines.last().unwrap()["slot_left"] == true;
    let there = std::fs::read_to_string(home.path().join(".config/d2mtop/profiles.toml")).unwrap_or_default();
    assert_eq!(there.contains("[profile."), left, "{printed}{there}");
}
