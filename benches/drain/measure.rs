//! A server and a client in processes of their own, and what the client measured.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::{clients, server};

/// What a client measured of itself.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// From the first message to the last acknowledgement.
    pub(crate) seconds: f64,
    pub(crate) processor_seconds: f64,
    pub(crate) peak_kib: u64,
    /// From reading a message to writing its acknowledgement: half of them, 99 of a hundred, all; in microseconds.
    pub(crate) acknowledged_us: [u64; 3],
}

/// What a process does that was started by the others below. False if it was not.
pub(crate) fn serves(arguments: &[&str]) -> bool {
    match arguments {
        ["serve", size, messages, rate] => {
            server::serve(size.parse().unwrap(), messages.parse().unwrap(), rate.parse().unwrap());
        }
        ["drain", client, port, messages] => {
            let figures = clients::run(client, port.parse().unwrap(), messages.parse().unwrap());
            let Figures { seconds, processor_seconds, peak_kib, acknowledged_us: [half, most, all] } = figures;
            println!("{seconds} {processor_seconds} {peak_kib} {half} {most} {all}");
        }
        _ => return false,
    }
    true
}

pub(crate) fn start_server(size: usize, messages: u32, rate: u32) -> (Child, u16) {
    let mut server = this(&["serve", &size.to_string(), &messages.to_string(), &rate.to_string()]);
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (server, line.trim().parse().expect("the server tells its port"))
}

pub(crate) fn measure(client: &str, port: u16, messages: u32) -> Figures {
    let client = this(&["drain", client, &port.to_string(), &messages.to_string()]);
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success(), "a client failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace();
    let mut next = || numbers.next().expect("six figures").parse::<f64>().unwrap();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a whole number")]
    Figures {
        seconds: next(),
        processor_seconds: next(),
        peak_kib: next() as u64,
        acknowledged_us: [next() as u64, next() as u64, next() as u64],
    }
}

fn this(arguments: &[&str]) -> Child {
    Command::new(std::env::current_exe().unwrap()).args(arguments).stdout(Stdio::piped()).spawn().unwrap()
}
