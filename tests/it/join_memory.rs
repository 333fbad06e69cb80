//! How much memory the largest frame of a join takes, as the kernel counts it.
//!
//! The kernel counts for a process as a whole, so the test runs itself again in one where no other test is.

#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use bytes::Bytes;
use d2mtop::net::{Address, RelayLink, RelayLinkEvent, TlsOptions};
use d2mtop::protocol::{Dialect, GroupSecret, Millis, ServerGroup};
use d2mtop::rendezvous::wire::{
    AuthenticationKey, ContactName, EssentialData, FromExisting, JoinLink, MAX_FRAME, Names, RelayPath, RendezvousRole,
};
use d2mtop::rendezvous::{
    Fresh, Join, JoinInput, JoinOutput, JoinTiming, LinkInput, LinkOutput, Output, Persist, Rendezvous,
};
use d2mtop::text::Clean;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const NOW: Millis = Millis(1);
const CONTACTS: usize = 20_000;
const MIB: usize = 1024 * 1024;
const MOST_BYTES: usize = 132 * MIB;

/// Of this process: the bytes in memory now, or the most that ever were.
fn resident(line: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|known| known.strip_prefix(line)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
}

/// Contacts, and nonces up to the last byte but a few that a frame may have.
fn largest_message() -> Vec<u8> {
    let contact = |number: usize| ContactName {
        identity: Clean::new(&format!("C{number:07}")),
        first: Clean::new(&format!("Contact {number}")),
        ..ContactName::default()
    };
    let data = EssentialData {
        secret: GroupSecret::new(&mut [9; 32]),
        server_group: ServerGroup::parse("5e", Dialect::Dgk).unwrap(),
        identity: Some(Clean::new("ECHOECHO")),
        names: Names { contacts: (0..CONTACTS).map(contact).collect(), ..Names::default() },
    };
    let encoded = data.encode();
    let FromExisting::EssentialData(inner) = FromExisting::read(&encoded).unwrap() else { panic!("another message") };
    let nonce = [&[10 << 3 | 2, 32][..], &[7; 32]].concat();
    let nonces = (MAX_FRAME - 16 - 6 - inner.len()) / nonce.len();
    let mut length = inner.len() + nonces * nonce.len();
    let mut message = Vec::with_capacity(MAX_FRAME);
    message.push(3 << 3 | 2);
    while length >= 0x80 {
        message.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    message.push(u8::try_from(length).unwrap());
    message.extend_from_slice(inner);
    for _ in 0..nonces {
        message.extend_from_slice(&nonce);
    }
    message
}

fn frame_of(phone: &mut Rendezvous, message: &[u8]) -> Bytes {
    phone.send(message);
    frames(phone).pop().unwrap()
}

fn frames(phone: &mut Rendezvous) -> Vec<Bytes> {
    let outputs = std::iter::from_fn(|| phone.poll());
    outputs
        .filter_map(|output| match output {
            Output::Link(LinkOutput::Send(frame)) => Some(frame),
            _ => None,
        })
        .collect()
}

/// Set in the process that measures.
const MEASURES: &str = "D2MTOP_TEST_MEASURES_MEMORY";

fn in_a_process_of_its_own(test: &str) -> bool {
    if std::env::var_os(MEASURES).is_some() {
        return true;
    }
    let mut process = Command::new(std::env::current_exe().unwrap());
    let name = format!("join_memory::{test}");
    let output = process.args(["--exact", &name, "--nocapture"]).env(MEASURES, "").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}");
    assert!(output.status.success() && told.contains("at the peak"), "{}", String::from_utf8_lossy(&output.stderr));
    false
}

#[test]
fn the_largest_frame_takes_little_more_memory_than_it_has_bytes() {
    if in_a_process_of_its_own("the_largest_frame_takes_little_more_memory_than_it_has_bytes") {
        measure(|largest, take| {
            let mut rest = largest;
            while !rest.is_empty() {
                take(rest.split_to(rest.len().min(MIB)));
            }
        });
    }
}

/// As phones send it, and as the relay passes it on.
#[test]
fn the_largest_frame_in_one_message_of_a_relay_takes_no_more() {
    if in_a_process_of_its_own("the_largest_frame_in_one_message_of_a_relay_takes_no_more") {
        measure(|largest, take| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("ws://{}/", listener.local_addr().unwrap());
            let length = largest.len();
            let relay = std::thread::spawn(move || send_in_one_message(&listener, &largest));
            let address = Address::new(&url, &TlsOptions::default()).unwrap();
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let mut link = RelayLink::open(&address);
                let mut came = 0;
                while came < length {
                    match link.next().await {
                        RelayLinkEvent::Input(LinkInput::Bytes(bytes)) => {
                            came += bytes.len();
                            take(bytes);
                        }
                        RelayLinkEvent::Input(LinkInput::Up) | RelayLinkEvent::Flushed => {}
                        RelayLinkEvent::Input(other) => panic!("{other:?}"),
                    }
                }
            });
            relay.join().unwrap();
        });
    }
}

fn send_in_one_message(listener: &TcpListener, message: &[u8]) {
    let (mut client, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    client.write_all(answer.as_bytes()).unwrap();
    client.write_all(&[0x82, 127]).unwrap();
    client.write_all(&u64::try_from(message.len()).unwrap().to_be_bytes()).unwrap();
    client.write_all(message).unwrap();
}

/// `pass` passes the largest frame on, in pieces.
fn measure(pass: impl FnOnce(Bytes, &mut dyn FnMut(Bytes))) {
    let path = RelayPath::new([6; 32]);
    let link = JoinLink::request(AuthenticationKey::new(&mut [5; 32]), &path, "wss://relay.example");
    let mut join = Join::new(&link, Fresh::new(&mut [1; 32], [1; 16]), JoinTiming::default());
    let mut phone = Rendezvous::new(
        RendezvousRole::Responder,
        link.key.duplicate(),
        link.path_id,
        Fresh::new(&mut [2; 32], [2; 16]),
    );
    join.handle(NOW, JoinInput::Link(LinkInput::Up));
    phone.handle(NOW, LinkInput::Up);
    for _ in 0..2 {
        for frame in frames(&mut phone) {
            join.handle(NOW, JoinInput::Link(LinkInput::Bytes(frame)));
        }
        while let Some(output) = join.poll() {
            if let JoinOutput::Link(LinkOutput::Send(frame)) = output {
                phone.handle(NOW, LinkInput::Bytes(frame));
            }
        }
    }
    let begin = frame_of(&mut phone, FromExisting::begin());
    let largest = frame_of(&mut phone, &largest_message());
    assert!(largest.len() > MAX_FRAME - 40 && largest.len() <= MAX_FRAME + 4);
    join.handle(NOW, JoinInput::Link(LinkInput::Bytes(begin)));

    // The phone had the message and the frame in memory at once; only what is above that shows.
    let before = resident("VmRSS:");
    pass(largest.clone(), &mut |part| join.handle(NOW, JoinInput::Link(LinkInput::Bytes(part))));
    let peak = resident("VmHWM:") - before;
    println!("{} MiB at the peak", peak / MIB);
    assert!(peak <= MOST_BYTES, "{peak} bytes");
    let after = resident("VmRSS:").saturating_sub(before);
    assert!(after < 16 * MIB, "{after} bytes are kept of a message that is wiped and freed");
    let names = std::iter::from_fn(|| join.poll()).find_map(|output| match output {
        JoinOutput::Persist(Persist::Joining(data)) => Some(data.names.len()),
        _ => None,
    });
    assert_eq!(names, Some(CONTACTS));
}
