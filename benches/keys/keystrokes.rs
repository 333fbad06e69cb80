//! Keys pressed in a real terminal, and how long each waits for its frame.

use std::io::{Read as _, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

pub(crate) const RATE: &str = "10000";
const KEYS: usize = 200;
/// The help page is over the panes, or not.
const HELP: &str = "Ctrl-C";
const PATIENCE: Duration = Duration::from_secs(20);

/// From each key to its frame, the shortest first.
pub(crate) fn spans() -> Vec<Duration> {
    let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_d2mtop"));
    command.args(["demo", "--rate", RATE]);
    command.env_clear();
    command.env("HOME", home.path());
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (sender, output) = channel();
    std::thread::spawn(move || {
        let mut chunk = vec![0; 65_536];
        while let Ok(read @ 1..) = reader.read(&mut chunk) {
            if sender.send(chunk.get(..read).unwrap().to_vec()).is_err() {
                return;
            }
        }
    });
    let mut keyboard = pair.master.take_writer().unwrap();
    let mut screen = vt100::Parser::new(size.rows.try_into().unwrap(), size.cols.try_into().unwrap(), 0);
    until(&mut screen, &output, |text| text.contains("Feed") && text.contains("live"));
    // What the program asks of every terminal, and most answer at once.
    keyboard.write_all(b"\x1b]11;rgb:0000/0000/0000\x1b\\").unwrap();
    // Long enough for the feed to be full of what came.
    let started = Instant::now();
    until(&mut screen, &output, |_| started.elapsed() > Duration::from_secs(5));
    let mut spans: Vec<Duration> = (0..KEYS)
        .map(|number| {
            let opens = number % 2 == 0;
            let pressed = Instant::now();
            keyboard.write_all(if opens { b"?" } else { b"\x1b" }).unwrap();
            keyboard.flush().unwrap();
            until(&mut screen, &output, |text| text.contains(HELP) == opens);
            pressed.elapsed()
        })
        .collect();
    spans.sort_unstable();
    keyboard.write_all(b"q").unwrap();
    child.wait().unwrap();
    spans
}

/// The span that so many of a hundred do not exceed.
pub(crate) fn percentile(spans: &[Duration], percent: usize) -> Duration {
    *spans.get((spans.len() * percent / 100).min(spans.len() - 1)).unwrap()
}

/// Takes in what the program draws until the screen is so.
fn until(screen: &mut vt100::Parser, output: &Receiver<Vec<u8>>, is_so: impl Fn(&str) -> bool) {
    let started = Instant::now();
    while !is_so(&screen.screen().contents()) {
        match output.recv_timeout(PATIENCE) {
            Ok(bytes) => screen.process(&bytes),
            Err(RecvTimeoutError::Timeout) => panic!("nothing is drawn"),
            Err(RecvTimeoutError::Disconnected) => panic!("the program ended:\n{}", screen.screen().contents()),
        }
        assert!(started.elapsed() < PATIENCE, "it does not come:\n{}", screen.screen().contents());
    }
}
