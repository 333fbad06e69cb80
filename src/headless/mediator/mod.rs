//! `d2mtop mediator`: a mediator of our own, with its log as NDJSON on standard output.

mod log_lines;

use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt as _;

use crate::cli::MediatorArgs;
use crate::mediator::MediatorConfig;
use crate::net::{Listener, ListenerOptions, LogLine, Tls};
use crate::os::event_loop::event_loop;
use crate::os::signals;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::LineSink;
use crate::output::port_file::write_port;
use crate::output::sentences::Form;
use crate::text::Clean;
use log_lines::log_line;

/// Listens until a signal ends it.
///
/// # Errors
/// If the options cannot be used, or the system does not give the address.
pub fn run(options: &MediatorArgs) -> Result<Outcome, Failure> {
    let listener_options = listener_options(options)?;
    event_loop().map_err(Failure::Start)?.block_on(async {
        // Polled once, so that a signal that comes right after the port file ends us politely.
        let mut terminated = pin!(signals::terminated());
        let early = terminated.as_mut().now_or_never();
        let unavailable = |cause| Failure::Listen { address: options.listen, cause };
        let listener = Listener::bind(listener_options).await.map_err(unavailable)?;
        if let Some(path) = &options.port_file {
            let port = listener.local_addr().map_err(unavailable)?.port();
            write_port(path, port).map_err(|cause| Failure::PortFile { path: path.clone(), cause })?;
        }
        let write = |form: &mut Form, output: &mut Vec<u8>, at, line: LogLine| form.line(output, &log_line(at, &line));
        let output = LineSink::start(Form::Ndjson, write).map_err(Failure::Start)?;
        let shutdown = async {
            if early.is_none() {
                terminated.await;
            }
        };
        listener.run(shutdown, |line| output.write(line)).await;
        output.end().await.map(|()| Outcome::Normal)
    })
}

fn listener_options(options: &MediatorArgs) -> Result<ListenerOptions, Failure> {
    for (name, span) in [("--max-ttl", options.max_ttl), ("--handshake-timeout", options.handshake_timeout)] {
        if span.is_zero() {
            return Err(Failure::Usage(format!("{name} must be longer than 0s, such as 30s")));
        }
    }
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::from_pem_files(certificate, key)?),
        _ => None,
    };
    let chat_server = options.chat_server.as_deref().map(chat_server).transpose()?;
    let config = MediatorConfig {
        max_slots: options.max_slots.into(),
        max_ttl: options.max_ttl,
        volatile_grace: options.volatile_grace,
        queue_limit: usize::try_from(options.queue_limit).unwrap_or(usize::MAX),
        idle_timeout: Some(options.idle_timeout).filter(|span| !span.is_zero()),
        handshake_timeout: options.handshake_timeout,
        ..MediatorConfig::default()
    };
    Ok(ListenerOptions { address: options.listen, config, tls, chat_server, ..ListenerOptions::default() })
}

/// Checks for a host and a port. The host is resolved at each connection.
fn chat_server(text: &str) -> Result<Arc<str>, Failure> {
    let good = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if good {
        return Ok(text.into());
    }
    let text = Clean::new(text);
    Err(Failure::Usage(format!("--chat-server {text} is no HOST:PORT, such as chat.example:5222 or [::1]:5222")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_server_has_a_host_and_a_port() {
        for good in ["chat.example:5222", "127.0.0.1:1", "[::1]:5222"] {
            assert_eq!(chat_server(good).unwrap().as_ref(), good);
        }
        for bad in ["chat.example", ":5222", "chat.example:", "chat.example:65536", "\u{1b}[2J"] {
            let words = chat_server(bad).unwrap_err().to_string();
            assert!(words.contains("no HOST:PORT") && !words.contains('\u{1b}'), "{words}");
        }
    }
}
