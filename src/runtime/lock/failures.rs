//! How a lock ends that is not held to its good end, in words.

use rustix::process::Signal;

use crate::output::{Failure, Outcome};
use crate::protocol::CloseCode;
use crate::runtime::OneShotEnd;

/// Our own clock ends it, whatever the server does.
pub(super) fn out_of_time() -> Failure {
    let words = "the lock was lost: its time (--ttl, or a minute without it) is over".to_owned();
    Failure::Ended { outcome: Outcome::LockLost, words }
}

pub(super) fn lost(end: &OneShotEnd, has_ttl: bool) -> Failure {
    if has_ttl && end.is_closed_with(CloseCode::TRANSACTION_EXPIRED) {
        let words = "the lock was lost: time limit reached (4011; --ttl, or what the mediator allows)".to_owned();
        return Failure::Ended { outcome: Outcome::LockLost, words };
    }
    Failure::Ended { outcome: Outcome::LockLost, words: format!("the lock was lost: {end}") }
}

pub(super) fn led_for_too_long(so: &str) -> Failure {
    let words = format!("{so}: this device was leader for a minute, and the group got no messages");
    Failure::Ended { outcome: Outcome::LockLost, words }
}

pub(super) fn lock_busy(words: String) -> Failure {
    Failure::Ended { outcome: Outcome::LockBusy, words }
}

/// The end before the server has confirmed it.
pub(super) fn cut_short(signal: Signal) -> Failure {
    let words = "left without waiting for the mediator to free the lock; it does so when it sees us gone".to_owned();
    Failure::Ended { outcome: Outcome::by_signal(signal), words }
}
