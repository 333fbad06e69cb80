//! [`ProxyLine`]: a line that a proxy prints.

use std::io;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::group::Event;
use crate::output::lines::LineSink;
use crate::output::{Form, ndjson};
use crate::protocol::Millis;
use crate::runtime::ANY_CERTIFICATE;

pub(super) enum ProxyLine {
    Event(Event),
    /// An event of the proxy itself.
    Own(&'static str, Value),
}

/// Adds the lines.
pub(super) fn format(form: &mut Form, output: &mut Vec<u8>, at: Millis, line: ProxyLine) -> io::Result<()> {
    match line {
        ProxyLine::Event(event) => {
            form.learn(&event);
            form.event(output, at, &event)
        }
        ProxyLine::Own(event, fields) => {
            let line = ndjson::line(at, event, fields);
            form.learn_line(&line);
            form.line(output, &line)
        }
    }
}

/// The first lines: where the proxy listens, and what a person should know of that.
pub(super) fn announce(lines: &LineSink<ProxyLine>, local: SocketAddr, accepts_any_certificate: bool) {
    let warn = |warning: &str, words: &str| {
        lines.write(ProxyLine::Own("warning", json!({ "warning": warning, "words": words })));
    };
    if accepts_any_certificate {
        warn("any_certificate_accepted", ANY_CERTIFICATE);
    }
    if !local.ip().is_loopback() {
        warn("not_loopback", "who reaches this address can talk to the chat server as this device");
    }
    lines.write(ProxyLine::Own("listening", json!({ "address": local.to_string(), "port": local.port() })));
}
