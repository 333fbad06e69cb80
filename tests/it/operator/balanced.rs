//! Several mediators behind haproxy, configured as `assets/haproxy.cfg` has it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use d2mtop::protocol::{DeviceId, Dialect, ServerMessage, SlotState};
use rustix::process::{Pid, Signal, kill_process};

use super::{ask, state};
use crate::listener::client::{Client, group_id, reflect};
use crate::reach::{Foreign, free_port};
use crate::support::program::{Mediator, d2mtop, key_file};

const GROUPS: u64 = 200;
/// How often each author sends at least.
const MESSAGES: u32 = 5;
/// How long a device waits before it comes again.
const BACKOFF: Duration = Duration::from_millis(100);

fn asset(name: &str) -> String {
    fs::read_to_string(format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The configuration as it stands, but for places.
fn configure(home: &Path, port: u16, mediators: &[String]) -> std::path::PathBuf {
    let mut text = asset("haproxy.cfg").replace("bind :8080", &format!("bind 127.0.0.1:{port}"));
    for (at, mediator) in (1..).zip(mediators) {
        text = text.replace(&format!("10.0.0.{at}:8080"), mediator);
    }
    text = text.replace("/run/haproxy/admin.sock", home.join("admin").to_str().unwrap());
    text = text.replace("/etc/haproxy/groups.map", home.join("groups.map").to_str().unwrap());
    fs::write(home.join("groups.map"), asset("haproxy-groups.map")).unwrap();
    let file = home.join("haproxy.cfg");
    fs::write(&file, text).unwrap();
    file
}

fn secret(number: u64) -> [u8; 32] {
    let mut secret = [9; 32];
    secret[..8].copy_from_slice(&number.to_le_bytes());
    secret
}

const fn dialect(number: u64) -> Dialect {
    if number.is_multiple_of(2) { Dialect::Dgk } else { Dialect::Mk }
}

/// Connects and logs in, however often that takes.
async fn log_in(address: SocketAddr, number: u64, device: u64, slot: SlotState) -> (Client, Vec<ServerMessage>) {
    loop {
        if let Ok(mut client) = Client::connect_in(address, dialect(number), secret(number)).await
            && client.try_login(DeviceId(device), slot).await.is_ok()
        {
            let mut messages = Vec::new();
            while let Ok(message) = client.next_or_end().await {
                if message == ServerMessage::ReflectionQueueDry {
                    return (client, messages);
                }
                messages.push(message);
            }
        }
        tokio::time::sleep(BACKOFF).await;
    }
}

/// Sends one message after the other, again until it is acknowledged; how many were.
async fn author(address: SocketAddr, number: u64, mut client: Client, is_over: Arc<AtomicBool>) -> u32 {
    let mut id = 0;
    while id < MESSAGES || !is_over.load(Ordering::Relaxed) {
        id += 1;
        loop {
            let message = reflect(id, id.to_string().into());
            let sent = client.try_send(&message).await;
            let acknowledged = sent
                && loop {
                    match client.next_or_end().await {
                        Ok(ServerMessage::ReflectAck { .. }) => break true,
                        Ok(_) => {}
                        Err(_) => break false,
                    }
                };
            if acknowledged {
                break;
            }
            client = log_in(address, number, 1, SlotState::Existing).await.0;
        }
        tokio::time::sleep(BACKOFF).await;
    }
    client.leave().await;
    id
}

fn tell(socket: &Path, command: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    writeln!(stream, "{command}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// As docs/mediator.md has it: the target takes them, the source gives them, haproxy is told.
fn move_groups([source, target, home]: [&Path; 3], process: Pid, moving: usize) {
    fs::write(target.with_file_name("config.toml"), "prefixes = \"0-7\"").unwrap();
    kill_process(process, Signal::HUP).unwrap();
    while state(target)["prefixes"] != "0-7" {}
    let moved = home.join("moved");
    let moved = moved.to_str().unwrap();
    let (code, words) = ask(source, &["export", "0-3", moved, "--yes"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains(&format!("{moving} groups with {} devices", 2 * moving)), "{words}");
    let (code, words) = ask(target, &["import", moved]);
    assert_eq!(code, Some(0), "{words}");
    let map = home.join("groups.map");
    for digit in 0..4 {
        let told = tell(&home.join("admin"), &format!("set map {} {digit} m2", map.display()));
        assert_eq!(told.trim(), "", "{told}");
    }
}

#[tokio::test]
async fn a_quarter_of_the_groups_moves_while_clients_are_connected_and_nothing_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let places: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let start = |(place, prefixes): (&tempfile::TempDir, &str)| {
        let [data, config] = ["data", "config.toml"].map(|name| place.path().join(name));
        fs::write(&config, format!("prefixes = \"{prefixes}\"")).unwrap();
        Mediator::start(&["--data", data.to_str().unwrap(), "--config", config.to_str().unwrap()])
    };
    let mediators: Vec<_> = places.iter().zip(["0-3", "4-7", "8-b", "c-f"]).map(start).collect();
    let addresses: Vec<_> = mediators.iter().map(|mediator| format!("127.0.0.1:{}", mediator.port)).collect();
    let port = free_port();
    let file = configure(home.path(), port, &addresses);
    let Some(_haproxy) = Foreign::start("haproxy", &["-db", "-f", file.to_str().unwrap()], port) else { return };
    let address: SocketAddr = ([127, 0, 0, 1], port).into();

    let is_over = Arc::<AtomicBool>::default();
    let begin = async |number: u64| {
        let (other, _) = log_in(address, number, 2, SlotState::New).await;
        other.leave().await;
        let (client, _) = log_in(address, number, 1, SlotState::New).await;
        (number, client)
    };
    let inside = futures_util::future::join_all((0..GROUPS).map(begin)).await;
    let authors: Vec<_> = inside
        .into_iter()
        .map(|(number, client)| tokio::spawn(author(address, number, client, Arc::clone(&is_over))))
        .collect();
    let moving = (0..GROUPS).filter(|number| group_id(dialect(*number), secret(*number)).0[0] < 0x40).count();
    assert!(moving > 20, "about a quarter: {moving}");

    let [source, target] = [0, 1].map(|at: usize| places[at].path().join("data"));
    let (from, to, at, process) = (source.clone(), target.clone(), home.path().to_owned(), mediators[1].process());
    tokio::task::spawn_blocking(move || move_groups([&from, &to, &at], process, moving)).await.unwrap();
    is_over.store(true, Ordering::Relaxed);
    let counts = futures_util::future::join_all(authors).await;

    let check = async |(number, count): (u64, u32)| {
        let (client, messages) = log_in(address, number, 2, SlotState::Existing).await;
        client.leave().await;
        let text = |message| match message {
            ServerMessage::Reflected(reflected) => {
                Some((reflected.id.0, String::from_utf8(reflected.envelope.as_bytes().to_vec()).unwrap()))
            }
            _ => None,
        };
        let (ids, mut texts): (Vec<u32>, Vec<String>) = messages.into_iter().filter_map(text).unzip();
        assert!(ids.iter().zip(1..).all(|(id, expected)| *id == expected), "group {number}: {ids:?}");
        // What was sent again, as its acknowledgement was lost, may be there twice.
        texts.dedup();
        assert_eq!(texts, (1..=count).map(|id| id.to_string()).collect::<Vec<_>>(), "group {number}");
    };
    let counts = (0..GROUPS).zip(counts.into_iter().map(Result::unwrap));
    futures_util::future::join_all(counts.map(check)).await;
    assert_eq!(state(&source)["groups"].as_array().unwrap().len(), 0, "all of the source's groups have moved");
    let here = state(&target)["groups"].as_array().unwrap().len();
    assert!(here > moving, "{here} groups, of which {moving} have come");

    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /ready HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ready\n"), "{answer}");
}

/// In a network of its own, which is taken away: nothing that is sent arrives, and nobody is told.
#[test]
fn a_client_that_vanishes_behind_haproxy_is_noticed() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("mediator");
    let mediator = Mediator::start(&["--dead-after", "10m", "--listen", &format!("unix:{}", socket.display())]);
    let text =
        fs::read_to_string(configure(home.path(), 8080, &vec![format!("unix@{}", socket.display()); 4])).unwrap();
    // The same times, but shorter.
    let text = text.replace("clitcpka-idle 15s", "clitcpka-idle 1s").replace("clitcpka-intvl 5s", "clitcpka-intvl 1s");
    let file = home.path().join("haproxy.cfg");
    fs::write(&file, text.replace("tcp-ut 15s", "tcp-ut 2s")).unwrap();
    let key = key_file(home.path());
    let watch = [
        "watch",
        "--url",
        "ws://127.0.0.1:8080/",
        "--key-file",
        key.to_str().unwrap(),
        "--stay-leader",
        "--reconnect",
        "always",
    ];
    let watch = d2mtop(home.path(), &watch);
    let script = "ip link set lo up || exit 77; PATH=$PATH:/usr/sbin; command -v haproxy >/dev/null || exit 77
        haproxy -db -f \"$1\" >/dev/null 2>&1 & echo up; read go; shift; \"$@\" >/dev/null & read go; ip link set lo down
        echo down; read go; kill %1 %2";
    let mut network = Command::new("unshare");
    network
        .args(["-n", "sh", "-c", script, "sh", file.to_str().unwrap()])
        .arg(watch.get_program())
        .args(watch.get_args());
    network.env("HOME", home.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut network) = network.spawn() else { return eprintln!("unshare is not installed: not tried") };
    let (mut orders, mut told) = (network.stdin.take().unwrap(), [0; 3]);
    if network.stdout.as_mut().unwrap().read_exact(&mut told).is_err() {
        network.wait().unwrap();
        return eprintln!("there is no haproxy, or no network of one's own to be had: not tried");
    }
    orders.write_all(b"go\n").unwrap();
    mediator.await_logged("promoted", 1);
    orders.write_all(b"go\n").unwrap();
    let log = mediator.await_logged("closed", 1);
    assert!(log.contains("\"by\":\"client\""), "{log}");
    orders.write_all(b"go\n").unwrap();
    network.wait().unwrap();
}
