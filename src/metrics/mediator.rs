//! What a mediator is measured by: events add up, and the rest is asked for at a scrape.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::histogram::Histogram;
use super::page::{Number, Sample, family, one, sample};
use crate::mediator::{ConnectionEnd, LogEvent, MediatorFigures};
use crate::net::{ConnectionRefusal, LogLine};
use crate::protocol::SlotState;

/// Counts what a mediator's listener tells.
#[derive(Clone, Debug, Default)]
pub struct MediatorMeter(Arc<Mutex<Counts>>);

type By<T> = BTreeMap<T, u64>;

#[derive(Clone, Debug)]
struct Counts {
    logins: By<&'static str>,
    refusals: By<&'static str>,
    closes: By<(&'static str, Option<u16>)>,
    slots_removed: By<&'static str>,
    locks: By<&'static str>,
    answered: Histogram,
    committed: Histogram,
    storing: bool,
    stalls: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            logins: By::new(),
            refusals: By::new(),
            closes: By::new(),
            slots_removed: By::new(),
            locks: By::new(),
            answered: Histogram::short(),
            committed: Histogram::short(),
            storing: true,
            stalls: 0,
        }
    }
}

impl MediatorMeter {
    /// Counts an event.
    pub fn take(&self, line: &LogLine) {
        let mut counts = self.counts();
        match line {
            LogLine::Answered { messages, took } => {
                counts.answered.record(*took, u64::try_from(*messages).unwrap_or(u64::MAX));
            }
            LogLine::Committed { took } => counts.committed.record(*took, 1),
            LogLine::StoreStalled { .. } => {
                counts.storing = false;
                counts.stalls += 1;
            }
            LogLine::StoreRecovered => counts.storing = true,
            LogLine::Refused { refusal, .. } => {
                let reason = match refusal {
                    ConnectionRefusal::TooMany => "evicted",
                    ConnectionRefusal::NotAdmitted(refusal) if refusal.may_pass() => "unavailable",
                    ConnectionRefusal::NotAdmitted(_) => "not_allowed",
                    ConnectionRefusal::Timeout => "timeout",
                    ConnectionRefusal::Tls => "tls",
                    ConnectionRefusal::Path => "path",
                    ConnectionRefusal::NotAWebSocket => "no_websocket",
                };
                *counts.refusals.entry(reason).or_default() += 1;
            }
            LogLine::Mediator(event) => counts.take(event),
            _ => {}
        }
    }

    /// The page, with what there is at the moment.
    #[must_use]
    pub fn page(&self, figures: MediatorFigures, ready: bool) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(MediatorScrape { counts: self.counts().clone(), figures, ready }));
        let mut page = String::new();
        // Writing into a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut page, &registry);
        page
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn take(&mut self, event: &LogEvent) {
        match event {
            LogEvent::LoggedIn { slot, .. } => {
                let slot = if *slot == SlotState::New { "new" } else { "existing" };
                *self.logins.entry(slot).or_default() += 1;
            }
            LogEvent::Closed { end, .. } => {
                let by = match end {
                    ConnectionEnd::Ours(closing) => ("mediator", Some(closing.code.0)),
                    ConnectionEnd::Theirs(code) => ("client", code.map(|code| code.0).filter(|code| *code <= 1_001)),
                };
                *self.closes.entry(by).or_default() += 1;
            }
            LogEvent::SlotRemoved { cause, .. } => {
                *self.slots_removed.entry(cause.name()).or_default() += 1;
            }
            LogEvent::LockReleased { committed, .. } => {
                *self.locks.entry(if *committed { "committed" } else { "aborted" }).or_default() += 1;
            }
            _ => {}
        }
    }
}

#[derive(Debug)]
struct MediatorScrape {
    counts: Counts,
    figures: MediatorFigures,
    ready: bool,
}

fn by(label: &'static str, counts: &By<&'static str>) -> Vec<Sample> {
    counts.iter().map(|(value, count)| sample(vec![(label, (*value).to_owned())], *count)).collect()
}

impl Collector for MediatorScrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let version = sample(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1);
        family(&mut encoder, MetricType::Info, "d2mtop_build", "Which d2mtop this is.", None, &[version])?;
        self.gauges(&mut encoder)?;
        self.counters(&mut encoder)?;
        let help = "From taking what a client sent until what follows from it is told; with --data it is stored then.";
        histogram(&mut encoder, "d2mtop_mediator_answer", help, &self.counts.answered)?;
        let help = "How long changes took to be stored.";
        histogram(&mut encoder, "d2mtop_mediator_commit", help, &self.counts.committed)
    }
}

impl MediatorScrape {
    fn gauges(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let MediatorFigures { challenged, logged_in, groups, slots, locks, messages, most_messages, .. } = self.figures;
        let MediatorFigures { bytes, most_bytes, held_bytes, .. } = self.figures;
        let state = |state: &str, count| sample(vec![("state", state.to_owned())], whole(count));
        let connections = [state("challenged", challenged), state("logged_in", logged_in)];
        let bytes_unit = Some(&Unit::Bytes);
        for (name, help, unit, samples) in [
            ("d2mtop_mediator_ready", "1 while logins are taken.", None, &one(self.ready)[..]),
            ("d2mtop_mediator_storing", "0 while nothing can be stored.", None, &one(self.counts.storing)),
            ("d2mtop_mediator_connections", "Clients that are connected.", None, &connections),
            ("d2mtop_mediator_groups", "Groups that have a slot.", None, &one(whole(groups))),
            ("d2mtop_mediator_slots", "Slots of all groups.", None, &one(whole(slots))),
            ("d2mtop_mediator_locks", "Groups whose lock is held.", None, &one(whole(locks))),
            ("d2mtop_mediator_queued_messages", "Messages in all queues.", None, &one(whole(messages))),
            (
                "d2mtop_mediator_longest_queue_messages",
                "Messages in the longest queue.",
                None,
                &one(whole(most_messages)),
            ),
            ("d2mtop_mediator_queued", "Bytes in all queues.", bytes_unit, &one(whole(bytes))),
            ("d2mtop_mediator_largest_queue", "Bytes in the largest queue.", bytes_unit, &one(whole(most_bytes))),
            (
                "d2mtop_mediator_held",
                "Bytes of memory that are held for groups and connections.",
                bytes_unit,
                &one(whole(held_bytes)),
            ),
        ] {
            family(encoder, MetricType::Gauge, name, help, unit, samples)?;
        }
        Ok(())
    }

    fn counters(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counts = &self.counts;
        let closes = counts.closes.iter().map(|((by, code), count)| {
            let mut labels = vec![("by", (*by).to_owned())];
            labels.extend(code.map(|code| ("code", code.to_string())));
            sample(labels, *count)
        });
        let closes: Vec<_> = closes.collect();
        for (name, help, samples) in [
            ("d2mtop_mediator_logins", "Logins that were taken.", by("slot", &counts.logins)),
            ("d2mtop_mediator_refusals", "Connections that did not get to a login.", by("reason", &counts.refusals)),
            ("d2mtop_mediator_closes", "Connections that ended, by whom and with which close code.", closes),
            ("d2mtop_mediator_slots_removed", "Slots that ended, by cause.", by("cause", &counts.slots_removed)),
            ("d2mtop_mediator_transactions", "Transactions that ended.", by("end", &counts.locks)),
            ("d2mtop_mediator_locks_refused", "Locks that another device held.", one(self.figures.locks_refused)),
            ("d2mtop_mediator_reflections", "Messages that devices reflected.", one(self.figures.reflections)),
            ("d2mtop_mediator_deliveries", "Messages that were sent to devices.", one(self.figures.deliveries)),
            ("d2mtop_mediator_store_stalls", "How often nothing could be stored.", one(counts.stalls)),
        ] {
            family(encoder, MetricType::Counter, name, help, None, &samples)?;
        }
        Ok(())
    }
}

fn histogram(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, histogram: &Histogram) -> fmt::Result {
    family(encoder, MetricType::Histogram, name, help, Some(&Unit::Seconds), &one(histogram))
}

fn whole(count: usize) -> Number {
    Number::Whole(u64::try_from(count).unwrap_or(u64::MAX))
}
