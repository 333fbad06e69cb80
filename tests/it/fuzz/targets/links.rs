//! Addresses, proxies, and what two devices say to each other at a relay.

use std::time::Duration;

use bytes::Bytes;
use d2mtop::net::Address;
use d2mtop::net::proxy::{NoProxy, ProxyUrl};
use d2mtop::net::tls::TlsOptions;
use d2mtop::protocol::{Dialect, GroupSecret, Millis, ServerGroup};
use d2mtop::rendezvous::wire::{
    Auth, AuthHello, AuthenticationKey, EssentialData, FromExisting, FromNew, Hello, JoinLink, Names, RelayPath,
};
use d2mtop::rendezvous::{
    Admit, AdmitInput, AdmitOutput, AdmitTiming, Fresh, Join, JoinInput, JoinOutput, JoinTiming, LinkInput, LinkOutput,
};

use super::choices::Choices;

pub fn addresses(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(address) = Address::new(first, &TlsOptions::default()) {
        assert!(!address.authority().contains(['@', '/', '?', '#']), "{:?}", address.authority());
    }
    if let Ok(proxy) = ProxyUrl::parse(first) {
        let shown = proxy.to_string();
        let bare = ProxyUrl { credentials: None, ..proxy };
        assert_eq!(ProxyUrl::parse(&shown.replace("***@", "")).as_ref(), Ok(&bare), "{shown:?} is shown of a proxy");
    }
    let _covers = NoProxy::parse(rest).covers(first, 443);
    if let Ok(link) = JoinLink::parse(first) {
        let again = JoinLink::parse(&link.text()).expect("what we write, we read");
        assert_eq!((again.path_id, &*again.relay_url), (link.path_id, &*link.relay_url));
    }
    let _path = RelayPath::from_segment(first);
}

/// Both devices, whose messages are split, merged, changed and made up.
pub fn joining(data: &[u8]) {
    let _messages = (Hello::decode(data), AuthHello::decode(data), Auth::decode(data));
    let _told = (FromExisting::read(data).is_ok(), FromNew::read(data).is_ok());
    let _kept = (EssentialData::read(data).is_ok(), Names::read(data).is_ok());

    let link = || {
        let path = RelayPath::new([5; 32]);
        JoinLink::request(AuthenticationKey::new(&mut [4; 32]), &path, "wss://relay.example")
    };
    let essential = EssentialData {
        secret: GroupSecret::new(&mut [9; 32]),
        server_group: ServerGroup::parse("01", Dialect::Dgk).unwrap(),
        identity: None,
        names: Names::default(),
    };
    let mut now = Millis(1_700_000_000_000);
    let mut join = Join::new(&link(), Fresh::new(&mut [1; 32], [2; 16]), JoinTiming::default());
    let mut admit = Admit::new(&link(), Fresh::new(&mut [3; 32], [4; 16]), essential, AdmitTiming::default());
    let (mut to_join, mut to_admit) = (Vec::new(), Vec::new());
    join.handle(now, JoinInput::Link(LinkInput::Up));
    admit.handle(now, AdmitInput::Link(LinkInput::Up));
    let mut choices = Choices::new(data);
    while let Some(choice) = choices.next() {
        match choice % 12 {
            0..=2 if !to_join.is_empty() => {
                let bytes = part(&mut to_join, &mut choices);
                join.handle(now, JoinInput::Link(LinkInput::Bytes(bytes)));
            }
            3..=5 if !to_admit.is_empty() => {
                let bytes = part(&mut to_admit, &mut choices);
                admit.handle(now, AdmitInput::Link(LinkInput::Bytes(bytes)));
            }
            6 => join.handle(now, JoinInput::Link(LinkInput::Bytes(choices.bytes()))),
            7 => admit.handle(now, AdmitInput::Link(LinkInput::Bytes(choices.bytes()))),
            8 => admit.handle(now, AdmitInput::Match(choices.of(8) != 0)),
            9 => admit.handle(now, AdmitInput::TransactionOpen),
            10 => {
                let inputs =
                    [JoinInput::Flushed, JoinInput::Persisted, JoinInput::LoggedIn { others: 1 }, JoinInput::Cancel];
                let count = inputs.len();
                join.handle(now, inputs.into_iter().nth(choices.of(count)).expect("one of them"));
            }
            11 => {
                now = now.after(Duration::from_secs(1 << choices.of(12)));
                join.handle(now, JoinInput::Timer);
                admit.handle(now, AdmitInput::Timer);
            }
            _ => {}
        }
        while let Some(output) = join.poll() {
            if let JoinOutput::Link(LinkOutput::Send(bytes)) = output {
                to_admit.extend_from_slice(&bytes);
            }
        }
        while let Some(output) = admit.poll() {
            if let AdmitOutput::Link(LinkOutput::Send(bytes)) = output {
                to_join.extend_from_slice(&bytes);
            }
        }
    }
}

/// Some of what is under way: all of it, or as much as is said.
fn part(under_way: &mut Vec<u8>, choices: &mut Choices<'_>) -> Bytes {
    let wanted = choices.of(256);
    let count = if wanted == 0 { under_way.len() } else { wanted.min(under_way.len()) };
    under_way.drain(..count).collect::<Vec<u8>>().into()
}
