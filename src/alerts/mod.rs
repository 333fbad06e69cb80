//! Alerts: commands that are run, and people who are told, when something happens in the group.
//!
//! ```text
//! Event ─> EventMatcher (on the session's thread) ─> AlertQueue ─> the alerts' thread ─> command | Attention ─> the terminal
//! ```

mod alert;
mod alert_queue;
mod command;
mod event_matcher;
mod quiet_hours;
mod rule;
mod rule_queue;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::{Map, Value};
use tokio::sync::Notify;

pub use alert::{Alert, Encoder};
pub use alert_queue::{AlertQueue, Outcomes};
pub use event_matcher::EventMatcher;
pub use quiet_hours::{AttentionOptions, QuietHours, QuietHoursError};
pub use rule::{Rule, RuleAction, RuleError, Trigger};

use crate::os::clock;
use crate::os::event_loop::event_loop;
use crate::text::Clean;
use alert::Due;

/// How long the end of the program waits for commands that still run.
const LAST_COMMANDS: Duration = Duration::from_secs(5);

/// How long it takes to end those that do not end by themselves.
const ENDING_THEM: Duration = Duration::from_millis(100);

/// How many words may wait for the screen.
const MOST_WORDS: usize = 16;

/// What a person at the terminal is to be told.
#[derive(Debug)]
pub struct Attention {
    words: Mutex<VecDeque<Clean>>,
    wake: Arc<Notify>,
}

impl Attention {
    /// Wakes who shows it with this.
    #[must_use]
    pub const fn new(wake: Arc<Notify>) -> Self {
        Self { words: Mutex::new(VecDeque::new()), wake }
    }

    /// What has come since the last time.
    #[must_use]
    pub fn take(&self) -> VecDeque<Clean> {
        std::mem::take(&mut *self.words.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, words: Clean) {
        let mut waiting = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() == MOST_WORDS {
            waiting.pop_front();
        }
        waiting.push_back(words);
        drop(waiting);
        self.wake.notify_one();
    }
}

/// The alerts' thread. When this is dropped, what waits is still done, for as long as that is worth waiting for.
#[derive(Debug)]
pub struct Alerts {
    alert_queue: Arc<AlertQueue>,
    /// How long the end may take, if that is less than usual.
    hurry: Arc<OnceLock<Duration>>,
    done: Receiver<()>,
}

impl Alerts {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread or no event loop.
    pub fn start(alert_queue: Arc<AlertQueue>, rules: Arc<[Rule]>, attention: Arc<Attention>) -> io::Result<Self> {
        let (ending, done) = channel::<()>();
        let event_loop = event_loop()?;
        let shared = Arc::clone(&alert_queue);
        let hurry = Arc::<OnceLock<Duration>>::default();
        let within = Arc::clone(&hurry);
        std::thread::Builder::new().name("alerts".to_owned()).spawn(move || {
            event_loop.block_on(serve(&shared, &rules, &attention, &within));
            drop(ending);
        })?;
        Ok(Self { alert_queue, hurry, done })
    }

    /// The end, when it comes, waits no longer than this for commands that still run.
    pub fn hurry(&self, within: Duration) {
        let _ = self.hurry.set(within);
    }
}

impl Drop for Alerts {
    fn drop(&mut self) {
        self.alert_queue.end();
        // The thread says nothing; it ends, or it takes too long.
        let _ = self.done.recv_timeout(self.hurry.get().copied().unwrap_or(LAST_COMMANDS) + ENDING_THEM);
    }
}

async fn serve(alert_queue: &AlertQueue, rules: &[Rule], attention: &Attention, hurry: &OnceLock<Duration>) {
    let mut running = FuturesUnordered::new();
    let mut end_by = None;
    loop {
        for due in alert_queue.take(clock::both().into()) {
            let Some(rule) = rules.get(due.rule) else { continue };
            running.push(react(alert_queue, rule, due, attention));
        }
        if alert_queue.is_ending() {
            if running.is_empty() && alert_queue.waiting() == 0 {
                return;
            }
            let within = hurry.get().copied().unwrap_or(LAST_COMMANDS);
            end_by.get_or_insert_with(|| clock::monotonic() + within);
        }
        tokio::select! {
            Some(()) = running.next(), if !running.is_empty() => {}
            () = alert_queue.changed.notified() => {}
            () = sleep_until(alert_queue.due_at()) => {}
            () = sleep_until(end_by) => {
                // Dropping them kills them.
                let (ended, waiting) = (running.len(), alert_queue.waiting());
                tracing::warn!("--on: {ended} commands still run at the end, and are ended; {waiting} are not run any more");
                return;
            }
        }
    }
}

async fn react(alert_queue: &AlertQueue, rule: &Rule, due: Due, attention: &Attention) {
    let alert = rule.trigger.name();
    alert_queue.count(alert, "suppressed", due.suppressed);
    let queue = due.queue;
    let outcome = match &rule.reaction {
        RuleAction::Tell => {
            attention.tell(sentence(&due));
            "told"
        }
        RuleAction::Run(words) => run(words, alert, due).await,
    };
    alert_queue.count(alert, outcome, 1);
    alert_queue.done(queue);
}

async fn run(words: &[String], alert: &'static str, due: Due) -> &'static str {
    let (said, result) = command::run(words, alert, input(alert, due), command::PATIENCE).await;
    let program = words.first().map(|program| Clean::new(program)).unwrap_or_default();
    for line in said {
        tracing::info!("--on {alert}: {program}: {line}");
    }
    match result {
        Ok(()) => "ran",
        Err(error) => {
            tracing::warn!("--on {alert}: {program} {error}");
            error.outcome()
        }
    }
}

/// The line of NDJSON, and which alert it is for.
fn input(alert: &str, due: Due) -> Vec<u8> {
    let mut object = match due.alert.line {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    object.insert("alert".to_owned(), alert.into());
    object.insert("suppressed".to_owned(), due.suppressed.into());
    if !due.profile.is_empty() {
        object.insert("profile".to_owned(), due.profile.into());
    }
    let mut input = Value::Object(object).to_string().into_bytes();
    input.push(b'\n');
    input
}

fn sentence(due: &Due) -> Clean {
    let whose = if due.profile.is_empty() { String::new() } else { format!("{}: ", due.profile) };
    let more = if due.suppressed > 0 { format!(" (and {} more)", due.suppressed) } else { String::new() };
    Clean::new(&format!("{whose}{}{more}", due.alert.words))
}

/// Sleeps until the clock that is never set says this; for ever if there is no time.
async fn sleep_until(deadline: Option<Duration>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.saturating_sub(clock::monotonic())).await,
        None => std::future::pending().await,
    }
}
