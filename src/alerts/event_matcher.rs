//! Finds in a session's events what rules wait for.

use std::sync::Arc;

use super::alert::Alert;
use super::alert_queue::AlertQueue;
use super::rule::{Rule, Trigger};
use crate::group::LockWatch;
use crate::group::{DeviceChange, DisconnectCause, Event, JournalState, ReflectedMessage, clocks_are_apart};
use crate::session::Now;
use crate::text::Clean;
use crate::text::figures::clocks_apart;

/// Watches one session for all rules.
#[derive(Debug)]
pub struct EventMatcher {
    alert_queue: Arc<AlertQueue>,
    rules: Arc<[Rule]>,
    session: usize,
    /// Its queues are numbered from here, in the order of the rules.
    first_queue: usize,
    /// A loss would be news: there was a login since the last one, or none was tried yet.
    loss_is_news: bool,
    /// A failure of the journal would be news: it could be written since the last one, or has not failed yet.
    failure_is_news: bool,
    lock: LockWatch,
}

impl EventMatcher {
    /// For one more session, told by the profile's name if that is not empty.
    #[must_use]
    pub fn new(alert_queue: Arc<AlertQueue>, rules: Arc<[Rule]>, profile: &str) -> Self {
        let (session, first_queue) = alert_queue.add_session(profile, &rules);
        Self {
            alert_queue,
            rules,
            session,
            first_queue,
            loss_is_news: true,
            failure_is_news: true,
            lock: LockWatch::default(),
        }
    }

    /// Leaves what the rules wait for in the queue.
    pub fn take(&mut self, now: Now, event: &Event) {
        if matches!(event, Event::Lock(_) | Event::LoggedIn(_) | Event::Disconnected { .. }) {
            self.lock.take(now.precise, event);
            self.alert_queue.set_lock(self.session, self.lock.held());
        }
        for (index, rule) in self.rules.iter().enumerate() {
            let queue = self.first_queue + index;
            match event {
                Event::Reflected(messages) => self.spot_messages(queue, rule.trigger, now, messages),
                event if self.is_waited_for(rule.trigger, event) => {
                    self.alert_queue.leave(queue, now.precise, 0, || Alert {
                        line: (self.alert_queue.encoder.event)(now.wall, event),
                        words: words(event),
                    });
                }
                _ => {}
            }
        }
        match event {
            Event::LoggedIn(_) => self.loss_is_news = true,
            Event::Disconnected { cause, .. } if is_loss(cause) => self.loss_is_news = false,
            Event::Journal(state) => self.failure_is_news = !matches!(state, JournalState::Failed(_)),
            _ => {}
        }
    }

    fn spot_messages(&self, queue: usize, trigger: Trigger, now: Now, messages: &[ReflectedMessage]) {
        let is_waited_for = |message: &&ReflectedMessage| match trigger {
            Trigger::Replay => message.repeated_nonce,
            Trigger::Undecryptable => message.content.is_err(),
            _ => false,
        };
        let mut found = messages.iter().filter(is_waited_for);
        if let Some(first) = found.next() {
            let more = u64::try_from(found.count()).unwrap_or(u64::MAX);
            self.alert_queue.leave(queue, now.precise, more, || Alert {
                line: (self.alert_queue.encoder.message)(now.wall, first),
                words: Clean::literal(match trigger {
                    Trigger::Replay => "a message came with the nonce of another one: a replay, or a broken sender",
                    _ => "a message cannot be decrypted",
                }),
            });
        }
    }

    fn is_waited_for(&self, trigger: Trigger, event: &Event) -> bool {
        match (trigger, event) {
            (trigger, Event::DeviceChanged { change, .. }) => is_such_change(trigger, change),
            (Trigger::DeviceDropped, Event::DeviceDropped(_)) | (Trigger::Promoted, Event::Promoted) => true,
            (Trigger::Lost, Event::Disconnected { cause, .. }) => self.loss_is_news && is_loss(cause),
            (Trigger::Close(wanted), Event::Disconnected { cause, .. }) => {
                matches!(cause, DisconnectCause::ClosedByServer { code, .. } if *code == wanted)
            }
            (Trigger::ClockSkew, Event::LoggedIn(login)) => login.clock_apart().is_some(),
            (Trigger::ClockSkew, Event::ClockMoved { clock_offset, .. }) => clock_offset.is_some_and(clocks_are_apart),
            (Trigger::JournalFailed, Event::Journal(JournalState::Failed(_))) => self.failure_is_news,
            _ => false,
        }
    }
}

const fn is_such_change(trigger: Trigger, change: &DeviceChange) -> bool {
    match change {
        DeviceChange::New { .. } => matches!(trigger, Trigger::NewDevice),
        DeviceChange::Gone { .. } => matches!(trigger, Trigger::DeviceDropped),
        DeviceChange::Changed { .. } => matches!(trigger, Trigger::DeviceInfoChanged),
        DeviceChange::Undecryptable { .. } => matches!(trigger, Trigger::DeviceInfoChanged | Trigger::Undecryptable),
    }
}

/// Whether nobody here wanted the connection to end.
const fn is_loss(cause: &DisconnectCause) -> bool {
    !matches!(
        cause,
        DisconnectCause::LeaderRole
            | DisconnectCause::VisitOver
            | DisconnectCause::JournalCaughtUp
            | DisconnectCause::ChatClientLeft
            | DisconnectCause::LeftGroup
            | DisconnectCause::ByUser
    )
}

fn words(event: &Event) -> Clean {
    let words = match event {
        Event::DeviceChanged { device, change } => {
            let label = change.label().filter(|label| !label.is_empty());
            let name = label.map_or_else(|| device.to_string(), ToString::to_string);
            format!("{name}: {}", change.sentence())
        }
        Event::DeviceDropped(device) => format!("{device}: dropped from the group"),
        Event::Promoted => "this device became leader".to_owned(),
        Event::ClockMoved { clock_offset, .. } => {
            let apart = clocks_apart(clock_offset.unwrap_or(0));
            format!("the clock of this machine was moved, and is {apart} apart from the mediator's")
        }
        Event::LoggedIn(login) => {
            let apart = clocks_apart(login.clock_offset.unwrap_or(0));
            format!("the clocks of this machine and of the mediator are {apart} apart")
        }
        Event::Disconnected { cause: DisconnectCause::ClosedByServer { code, .. }, .. } => {
            format!("the mediator closed with {}: {}", code.0, code.meaning())
        }
        Event::Journal(_) => "the journal cannot be written, so nothing is acknowledged".to_owned(),
        Event::Disconnected { .. } => "the connection was lost, or could not be made".to_owned(),
        _ => String::new(),
    };
    Clean::new(&words)
}
