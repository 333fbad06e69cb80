//! What one mediator carries: `cargo bench --bench mediator [-- --seconds N]`.
//!
//! The mediator runs in a process of its own, in memory and with `--data`; mosquitto at `QoS` 1 and without persistence
//! beside it, where it is installed. One author sends messages of 300 bytes to four receivers, which acknowledge each.
//! Then: the latency of acknowledgements at 1,000 messages a second; what a connection, a group and a queued message
//! take of memory; and the time of a start with a million queued messages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "all of it is a measurement; a panic is a failure"
)]

mod broker;
mod device;
mod process;

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use d2mtop::protocol::SlotState;
use device::Device;
use process::Process;

/// The sealed envelope of a message, in bytes.
const SIZE: usize = 300;
const RECEIVERS: u64 = 4;
/// How many messages an author sends before it waits for the acknowledgement of the first.
const AHEAD: usize = 512;
/// How many it sends before it looks whether its receivers keep up.
const BLOCK: usize = 16 * AHEAD;
/// How many messages are acknowledged in one write.
const ACKNOWLEDGED: usize = 32;
/// So that on a busy machine no receiver is dropped.
const ROOM: [&str; 4] = ["--queue-limit", "10000000", "--queue-bytes", "4GiB"];
/// How many groups of one device that is away.
const AWAY: u16 = 5_000;
/// How many messages are queued for the start, and how many for the memory of one.
const QUEUED: (u32, u32) = (1_000_000, 100_000);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let place = arguments.iter().position(|argument| argument == "--seconds");
    let seconds = place.and_then(|place| arguments.get(place + 1)?.parse().ok()).unwrap_or(5);
    let data = tempfile::tempdir().unwrap();
    let directory = data.path().join("data");
    let stored = ["--data", directory.to_str().unwrap()];

    println!("{:<12} {:>14} {:>22}", "", "deliveries/s", "CPU µs a delivery");
    for (name, arguments) in [("in memory", &[][..]), ("--data", &stored[..])] {
        let mediator = Process::mediator(&[arguments, &ROOM].concat());
        carried(name, &mediator, deliver(&mediator, seconds));
    }
    match Process::broker() {
        Some(broker) => carried("mosquitto", &broker, broker::deliver(broker.port, seconds)),
        None => println!("mosquitto is not installed"),
    }
    for (name, arguments) in [("in memory", &[][..]), ("--data", &stored[..])] {
        let mediator = Process::mediator(arguments);
        let mut latencies = latencies(&mediator, seconds);
        latencies.sort_unstable();
        let at = |share: usize| latencies[(latencies.len() - 1) * share / 100];
        println!("{name}: acknowledged after {:?}, p99 {:?} at 1,000 messages a second", at(50), at(99));
    }
    memory();
    start(&stored);
}

fn carried(name: &str, process: &Process, (deliveries, took): (u64, Duration)) {
    let rate = deliveries as f64 / took.as_secs_f64();
    println!("{name:<12} {rate:>14.0} {:>22.1}", process.cpu().as_secs_f64() * 1e6 / deliveries as f64);
}

/// One author and its receivers, for so long.
fn deliver(mediator: &Process, seconds: u64) -> (u64, Duration) {
    let receivers: Vec<_> = (2..2 + RECEIVERS).map(|device| Device::log_in(mediator.port, 1, device)).collect();
    let progress: Vec<_> = receivers.iter().map(Device::progress).collect();
    let mut author = Device::log_in(mediator.port, 1, 1);
    let began = Instant::now();
    let receiving: Vec<_> =
        receivers.into_iter().map(|mut device| thread::spawn(move || device.take_until_last())).collect();
    let mut sent = 0;
    while began.elapsed() < Duration::from_secs(seconds) {
        author.reflect(BLOCK, AHEAD);
        sent += BLOCK;
        // What is only queued is not delivered.
        while progress.iter().any(|taken| taken.load(Ordering::Relaxed) + 2 * BLOCK < sent) {
            thread::sleep(Duration::from_micros(200));
        }
    }
    author.reflect_last();
    let deliveries = receiving.into_iter().map(|receiver| receiver.join().unwrap()).sum();
    (deliveries, began.elapsed())
}

/// From writing a message to its acknowledgement: four groups of an author and a receiver, 250 a second each.
fn latencies(mediator: &Process, seconds: u64) -> Vec<Duration> {
    let port = mediator.port;
    let author = move |group: u16| {
        let mut receiver = Device::log_in(port, group, 2);
        let receiving = thread::spawn(move || receiver.take_until_last());
        let mut author = Device::log_in(port, group, 1);
        let mut took = Vec::new();
        let began = Instant::now();
        for number in 0..u32::try_from(seconds * 250).unwrap() {
            let due = Duration::from_millis(4) * number;
            thread::sleep(due.saturating_sub(began.elapsed()));
            let sent = Instant::now();
            author.reflect(1, 0);
            took.push(sent.elapsed());
        }
        author.reflect_last();
        receiving.join().unwrap();
        took
    };
    let authors: Vec<_> = (10..14).map(|group| thread::spawn(move || author(group))).collect();
    authors.into_iter().flat_map(|author| author.join().unwrap()).collect()
}

fn memory() {
    let mediator = Process::mediator(&["--max-connections", "2000"]);
    let before = mediator.resident();
    let devices: Vec<_> = (0..200_u16)
        .flat_map(|group| (1..=5).map(move |device| (group, device)))
        .map(|(group, device)| Device::log_in(mediator.port, group, device))
        .collect();
    let connected = mediator.resident();
    drop(devices);
    println!("memory: {} bytes a connection with its slot, five of them a group", (connected - before) / 1_000);
    let mediator = Process::mediator(&[]);
    let before = mediator.resident();
    (0..AWAY).for_each(|group| drop(Device::log_in(mediator.port, group, 1)));
    let away = (mediator.resident() - before) / u64::from(AWAY);
    println!("memory: {away} bytes a group of one device that is away");
    println!("{:.0} µs of processor time a login", mediator.cpu().as_secs_f64() * 1e6 / f64::from(AWAY));
    let mediator = Process::mediator(&[]);
    drop(Device::log_in(mediator.port, 1, 2));
    let mut author = Device::log_in(mediator.port, 1, 1);
    let before = mediator.resident();
    author.reflect(QUEUED.1 as usize, AHEAD);
    let queued = (mediator.resident() - before) / u64::from(QUEUED.1);
    println!("memory: {queued} bytes a queued message of {SIZE} bytes, without --data");
}

fn start(stored: &[&str]) {
    let arguments = [stored, &["--queue-limit", "2000000", "--queue-bytes", "1GiB"]].concat();
    let mediator = Process::mediator(&arguments);
    // The author is alone with one that is away.
    drop(Device::log_in(mediator.port, 99, 2));
    let mut author = Device::log_in(mediator.port, 99, 1);
    author.reflect(QUEUED.0 as usize, AHEAD);
    drop((author, mediator));
    let began = Instant::now();
    let mediator = Process::mediator(&arguments);
    let listening = began.elapsed();
    let mut device = Device::log_in_as(mediator.port, 99, 2, SlotState::Existing);
    let first = began.elapsed();
    println!(
        "start with {} queued messages: listens after {listening:?}, has sent the first after {first:?}",
        QUEUED.0
    );
    let took = Instant::now();
    device.take(QUEUED.0 as usize - device.taken());
    let rate = f64::from(QUEUED.0) / took.elapsed().as_secs_f64();
    println!("drained from the disk: {rate:.0} messages/s; {} KiB of memory", mediator.resident() / 1_024);
}
