//! Signals: the ones that end the program, the one that has it read its settings anew, and stopping ourselves.

use std::fs::File;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for SIGINT, SIGTERM, SIGHUP or SIGQUIT.
pub async fn terminated() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
    any_of(&mut streams(&kinds)).await;
}

/// What a program that runs without a terminal is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end.
    End,
    /// To read its settings anew.
    Reload,
}

/// The signals of a program that may run as a service, where SIGHUP does not mean that the terminal is gone.
#[derive(Debug)]
pub struct ServiceSignals {
    ending: Vec<Signal>,
    hangup: Option<Signal>,
    had_terminal: bool,
}

impl ServiceSignals {
    /// Takes the signals from now on.
    #[must_use]
    pub fn take() -> Self {
        let ending = streams(&[SignalKind::interrupt(), SignalKind::terminate(), SignalKind::quit()]);
        Self { ending, hangup: signal(SignalKind::hangup()).ok(), had_terminal: has_terminal() }
    }

    /// Waits for a signal. May be dropped at any point without losing one.
    pub async fn next(&mut self) -> Asked {
        let Self { ending, hangup, had_terminal } = self;
        let hung_up = async {
            match hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = any_of(ending) => Asked::End,
            () = hung_up => if *had_terminal && !has_terminal() { Asked::End } else { Asked::Reload },
        }
    }
}

/// Whether there is a terminal that can send us signals.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

fn streams(kinds: &[SignalKind]) -> Vec<Signal> {
    kinds.iter().filter_map(|kind| signal(*kind).ok()).collect()
}

async fn any_of(streams: &mut [Signal]) {
    let any = streams.iter_mut().map(|stream| Box::pin(stream.recv()));
    futures_util::future::select_all(any).await;
}

/// Stops this process as Ctrl-Z would; returns when it is continued.
///
/// # Errors
/// If the system refuses.
pub fn stop_this_process() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
}
