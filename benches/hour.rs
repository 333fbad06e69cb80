//! `watch` for real for as long as wanted, as a service runs it: `cargo bench --bench hour -- --for 1h --rate 1000`.
//!
//! For each dialect there is a mediator in a process of its own, a phone that reflects so many messages a second, and
//! `watch` with a profile, metrics and a command for alerts, whose every line is read. What their memory and processor time
//! are is told thirty times on the way. The journal keeps ten bytes and more of each message for ever, so one of the two
//! runs is without.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "all of it is a measurement; a panic is a failure"
)]

#[allow(dead_code, reason = "shared with the tests, of which each uses a part")]
#[path = "../tests/it/support/mod.rs"]
mod support;

use support::{envelopes, program};

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use d2mtop::group::Event;
use d2mtop::net::{Address, TlsOptions};
use d2mtop::protocol::d2d::Platform;
use d2mtop::protocol::{
    DeviceId, DeviceInfo, Dialect, ExpirationPolicy, GroupKeys, GroupSecret, MessageId, Millis, ServerGroup,
};
use d2mtop::runtime::{EventSink, drive};
use d2mtop::session::{Command, Config, LeaderPolicy, Session};
use d2mtop::text::Clean;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::{mpsc, watch};

use program::{KEY, Mediator, d2mtop, key_file};

/// What a nonce takes at most while it is remembered for ever.
const NONCE_BYTES: u64 = 20;
/// What allocators, histograms and the last full minute may add to what there was after a sixth of the time.
const SLACK_KIB: u64 = 8 * 1_024;
const SAMPLES: u32 = 30;
/// The phone sends what is due so often.
const STEP: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    // Enough to see that it works where all benchmarks are run.
    let span = option("--for").map_or(Duration::from_secs(10), |text| humantime::parse_duration(&text).unwrap());
    let rate = option("--rate").map_or(1_000, |text| text.parse().unwrap());
    let mut runs = [Run::start(Dialect::Dgk, true, rate), Run::start(Dialect::Mk, false, rate)];
    println!("{:>8}  {:<14} {:>9} {:>9} {:>10} {:>8}", "s", "", "messages", "watch MiB", "server MiB", "CPU s");
    let begin = Instant::now();
    for sample in 1..=SAMPLES {
        std::thread::sleep((span * sample / SAMPLES).saturating_sub(begin.elapsed()));
        for run in &mut runs {
            run.measure(begin.elapsed());
        }
    }
    for run in runs {
        run.end(span >= Duration::from_secs(600));
    }
}

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// What `watch` printed.
#[derive(Default)]
struct Printed {
    logged_in: bool,
    reflected: u64,
    left_out: u64,
    acknowledged: u64,
}

/// The same, for who waits for it.
#[derive(Default)]
struct Output {
    printed: Mutex<Printed>,
    changed: Condvar,
}

impl Output {
    fn count(&self, line: &str) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let number = |field: &str| line.get(field).and_then(serde_json::Value::as_u64).unwrap();
        let mut printed = self.printed.lock().unwrap();
        match line.get("event").and_then(serde_json::Value::as_str).unwrap() {
            "logged_in" => printed.logged_in = true,
            "reflected" => printed.reflected += 1,
            "left_out" => {
                printed.left_out += number("messages");
                printed.acknowledged += number("acknowledged");
            }
            "acknowledged" => printed.acknowledged += number("count"),
            _ => return,
        }
        self.changed.notify_all();
    }

    fn until(&self, is_so: impl Fn(&Printed) -> bool) {
        let printed = self.printed.lock().unwrap();
        let waited = self.changed.wait_timeout_while(printed, PATIENCE, |printed| !is_so(printed)).unwrap();
        assert!(!waited.1.timed_out(), "watch does not get so far");
    }
}

struct Run {
    name: String,
    journal: bool,
    mediator: Mediator,
    _home: tempfile::TempDir,
    watch: Child,
    reader: JoinHandle<()>,
    output: Arc<Output>,
    phone: Phone,
    /// How many messages had come, and the resident size of `watch` then, in KiB.
    resident: Vec<(u64, u64)>,
}

impl Run {
    fn start(dialect: Dialect, journal: bool, rate: u64) -> Self {
        let mediator = Mediator::start(&[]);
        let home = tempfile::tempdir().unwrap();
        let key = key_file(home.path());
        let (url, dialect_name) = (mediator.url(), dialect.to_string());
        let mut import = d2mtop(home.path(), &["profile", "import", "home", "--key-file"]);
        import.arg(key).args(["--store", "file", "--mediator", &url, "--server-group", "01"]);
        import.args(["--dialect", &dialect_name]).args((!journal).then_some("--no-journal"));
        assert!(import.output().unwrap().status.success(), "the profile is imported");

        let phone = Phone::start(url, dialect, rate);
        let watch = ["watch", "home", "--metrics", "127.0.0.1:0", "--on", "undecryptable=false"];
        let mut watch = d2mtop(home.path(), &watch).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        let output = Arc::new(Output::default());
        let counting = Arc::clone(&output);
        let reader = std::thread::spawn(move || lines.for_each(|line| counting.count(&line.unwrap())));
        output.until(|printed| printed.logged_in);
        phone.go.send(Task::Reflect).unwrap();
        let name = format!("{dialect}{}", if journal { ", journal" } else { "" });
        Self { name, journal, mediator, _home: home, watch, reader, output, phone, resident: Vec::new() }
    }

    fn measure(&mut self, elapsed: Duration) {
        let watch = Process::of(Pid::from_child(&self.watch));
        let server = Process::of(self.mediator.process());
        let messages = self.output.printed.lock().unwrap().acknowledged;
        println!(
            "{:>8.0}  {:<14} {messages:>9} {:>9.1} {:>10.1} {:>8.1}",
            elapsed.as_secs_f64(),
            self.name,
            watch.resident_kib as f64 / 1_024.0,
            server.resident_kib as f64 / 1_024.0,
            watch.processor_seconds,
        );
        self.resident.push((messages, watch.resident_kib));
    }

    /// Each message was acknowledged once, each is in the output or counted as left out, and memory did not grow.
    fn end(mut self, long_enough: bool) {
        self.phone.go.send(Task::Stay).unwrap();
        let sent = self.phone.stored.recv().expect("the phone");
        self.output.until(|printed| printed.acknowledged >= sent);
        kill_process(Pid::from_child(&self.watch), Signal::TERM).unwrap();
        assert!(self.watch.wait().unwrap().success(), "{}: watch leaves", self.name);
        self.reader.join().unwrap();
        self.phone.go.send(Task::Leave).unwrap();
        self.phone.thread.join().unwrap();
        let Printed { reflected, left_out, acknowledged, .. } = *self.output.printed.lock().unwrap();
        println!("{}: {sent} sent, {reflected} printed, {left_out} left out", self.name);
        assert_eq!(acknowledged, sent, "{}: each is acknowledged once", self.name);
        assert_eq!(reflected + left_out, sent, "{}: each is printed or counted", self.name);
        let (Some((before, early)), Some((after, late))) = (self.resident.get(4), self.resident.last()) else { return };
        let nonces = if self.journal { (after - before) * NONCE_BYTES / 1_024 } else { 0 };
        // Shorter runs only show that it works.
        if long_enough {
            let allowed = early + nonces + SLACK_KIB;
            assert!(*late <= allowed, "{}: {early} KiB after a sixth became {late}; {allowed} are allowed", self.name);
        }
    }
}

struct Process {
    resident_kib: u64,
    processor_seconds: f64,
}

impl Process {
    fn of(id: Pid) -> Self {
        let id = id.as_raw_nonzero();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = |field: usize| fields.get(field).unwrap().parse::<u64>().unwrap();
        Self {
            resident_kib: resident.trim().trim_end_matches(" kB").parse().expect("a size"),
            // User and system time, in clock ticks of a hundredth of a second.
            processor_seconds: (ticks(11) + ticks(12)) as f64 / 100.0,
        }
    }
}

struct Telling(mpsc::UnboundedSender<Event>);

impl EventSink for Telling {
    fn tell(&mut self, _at: Millis, event: Event) {
        if matches!(event, Event::QueueDry | Event::ReflectionStored { .. }) {
            let _ = self.0.send(event);
        }
    }
}

/// What the phone does.
#[derive(Clone, Copy, PartialEq)]
enum Task {
    Stay,
    Reflect,
    Leave,
}

struct Phone {
    thread: JoinHandle<()>,
    go: watch::Sender<Task>,
    /// How many messages it has reflected, once it no longer does and all are stored.
    stored: Receiver<u64>,
}

impl Phone {
    /// Returns once it is logged in.
    fn start(url: String, dialect: Dialect, rate: u64) -> Self {
        let (go, task) = watch::channel(Task::Stay);
        let (ready, is_ready) = channel();
        let (count, stored) = channel();
        let thread = std::thread::spawn(move || {
            d2mtop::os::event_loop::event_loop().unwrap().block_on(phone(&url, dialect, rate, task, &ready, &count));
        });
        is_ready.recv().expect("the phone logs in");
        Self { thread, go, stored }
    }
}

async fn phone(
    url: &str,
    dialect: Dialect,
    rate: u64,
    mut task: watch::Receiver<Task>,
    ready: &Sender<()>,
    count: &Sender<u64>,
) {
    let keys = Arc::new(GroupKeys::derive(dialect, &GroupSecret::from_hex(KEY).unwrap()));
    let device = DeviceId(77);
    let config = Config {
        device_info: DeviceInfo { platform: Platform::Android, label: Clean::new("phone"), ..DeviceInfo::default() },
        expiration_policy: ExpirationPolicy::Persistent,
        leader_policy: LeaderPolicy::Stay,
        ..Config::of(keys, device)
    };
    let session = Session::new(config, StdRng::from_entropy());
    let url = session.url(url, ServerGroup::parse("01", dialect).unwrap());
    let address = Address::new(&url, &TlsOptions::default()).unwrap();
    let (commands, receiver) = mpsc::channel(64);
    let (sender, mut events) = mpsc::unbounded_channel();
    let driven = tokio::spawn(drive(session, address, receiver, Telling(sender)));
    while !matches!(events.recv().await.expect("the phone logs in"), Event::QueueDry) {}
    ready.send(()).unwrap();
    task.wait_for(|task| *task == Task::Reflect).await.unwrap();
    let begin = Instant::now();
    let mut steps = tokio::time::interval(STEP);
    let (mut sent, mut stored) = (0, 0);
    while *task.borrow() == Task::Reflect || stored < sent {
        tokio::select! {
            Some(Event::ReflectionStored { .. }) = events.recv() => stored += 1,
            _ = steps.tick(), if *task.borrow() == Task::Reflect => {
                let due = u64::try_from(begin.elapsed().as_millis()).unwrap() * rate / 1_000;
                for number in sent..due {
                    let envelope = Box::new(envelopes::text(dialect, device, MessageId(number), Millis(1)));
                    commands.send(Command::Reflect { envelope, ephemeral: false }).await.unwrap();
                }
                sent = due;
            }
        }
    }
    count.send(sent).unwrap();
    task.wait_for(|task| *task == Task::Leave).await.unwrap();
    commands.send(Command::Leave).await.unwrap();
    driven.await.unwrap();
}
