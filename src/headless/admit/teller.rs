//! What an admission tells: sentences for a person, or NDJSON.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::output::words::{remark, say};
use crate::output::{Failure, ndjson};
use crate::rendezvous::wire::Emoji;
use crate::rendezvous::{AdmitEnd, AdmitEvent};
use crate::runtime::{AdmitNews, clock};

/// Tells on standard output, and remembers whether that failed.
pub(in crate::headless) struct AdmitTeller {
    json: bool,
    told: Result<(), Failure>,
}

impl AdmitTeller {
    pub(in crate::headless) const fn new(json: bool) -> Self {
        Self { json, told: Ok(()) }
    }

    pub(in crate::headless) fn tell(&mut self, news: &AdmitNews) {
        if self.json {
            if let Some((event, fields)) = object(news) {
                self.line(event, fields);
            }
            return;
        }
        match news {
            AdmitNews::Happened(AdmitEvent::Emoji(emoji)) => question(*emoji),
            news => {
                if let Some(words) = words(news) {
                    self.say(&words);
                }
            }
        }
    }

    /// The last word.
    ///
    /// # Errors
    /// If standard output failed, now or before.
    pub(in crate::headless) fn end(mut self, end: &AdmitEnd) -> Result<(), Failure> {
        match end {
            AdmitEnd::Admitted { lock_is_free } => {
                if !lock_is_free {
                    remark("the mediator did not say that the group's lock is free; it is when its time is over");
                }
                if !self.json {
                    self.say("admitted: the new device is in the group");
                }
            }
            AdmitEnd::Failed { cause, key_given } => {
                if self.json {
                    self.line("admit_failed", json!({ "reason": cause.to_string(), "key_given": key_given }));
                }
            }
        }
        self.told
    }

    fn line(&mut self, event: &str, fields: Value) {
        self.say(&ndjson::line(clock::now(), event, fields).to_string());
    }

    fn say(&mut self, line: &str) {
        if self.told.is_ok() {
            self.told = say(line);
        }
    }
}

fn object(news: &AdmitNews) -> Option<(&'static str, Value)> {
    let AdmitNews::Happened(event) = news else { return None };
    Some(match event {
        AdmitEvent::PeerThere => ("admit_peer", json!({})),
        AdmitEvent::Emoji(emoji) => {
            ("admit_emoji", json!({ "indices": emoji.map(Emoji::index), "names": emoji.map(Emoji::name) }))
        }
        AdmitEvent::Sent { bytes } => ("admit_sent", json!({ "bytes": bytes })),
        AdmitEvent::Registered => ("admit_registered", json!({})),
    })
}

fn words(news: &AdmitNews) -> Option<String> {
    Some(match news {
        AdmitNews::RelayReached => "the relay is reached; waiting for the new device".to_owned(),
        AdmitNews::Happened(AdmitEvent::PeerThere) => "the new device is there".to_owned(),
        AdmitNews::Happened(AdmitEvent::Sent { bytes }) => {
            format!("the key is sent ({bytes} bytes); the new device takes its slot")
        }
        AdmitNews::Happened(AdmitEvent::Registered) => "the new device has its slot".to_owned(),
        AdmitNews::LockHeldBy(holder) => format!("the group's lock is held by {holder}; waiting"),
        AdmitNews::Happened(AdmitEvent::Emoji(_)) | AdmitNews::Promoted => return None,
    })
}

/// Terminals disagree on how wide pictures are, so the names stand beside them.
fn in_words(emoji: [Emoji; 3]) -> String {
    emoji.map(|emoji| format!("{} {}", emoji.picture(), emoji.name())).join("   ")
}

fn question(emoji: [Emoji; 3]) {
    let mut stderr = std::io::stderr();
    // Who has closed standard error cannot answer either.
    let _ = write!(stderr, "\n  {}\n\nDoes the new device show the same three? [y/N] ", in_words(emoji));
    let _ = stderr.flush();
}
