//! What there was to see during a login, a finding each.

use super::Report;
use super::connect_steps::PATIENCE;
use super::finding::{Finding, Status};
use super::login::{LOGIN_WITHIN, SeenLogin, SeenRole};
use crate::group::{DisconnectCause, Login};
use crate::output::Failure;
use crate::output::advice::close_advice;
use crate::output::figures::span;
use crate::protocol::{CloseCode, ExpirationPolicy, SlotState};
use crate::runtime::ANOTHER_GROUP;
use crate::text::figures::clocks_apart;

/// Says what was seen, or why there was no login.
pub(super) fn report(seen: &SeenLogin, policy: ExpirationPolicy, report: &mut Report) -> Result<(), Failure> {
    let Some(login) = &seen.login else {
        return report.add(&Finding::new("login", Status::Fail, &refusal(seen.ended.as_ref())));
    };
    report.add(&logged_in(login, seen))?;
    report.add(&clocks(login))?;
    report.add(&slot(login, policy))?;
    report.add(&slots(login, seen.devices))?;
    report.add(&role(seen))
}

/// Why there was no login, and what to do.
fn refusal(ended: Option<&DisconnectCause>) -> String {
    match ended {
        Some(DisconnectCause::ClosedByServer { code, .. }) if *code == CloseCode::PROTOCOL_ERROR => format!(
            "the mediator refused it with {code}: {}; check --key-file, --server-group and --dialect",
            code.meaning()
        ),
        Some(DisconnectCause::ClosedByServer { code, expected, .. }) => {
            format!("the mediator refused it with {code}: {}; {}", code.meaning(), close_advice(*code, *expected))
        }
        Some(DisconnectCause::ServerProtocolError(how)) => {
            format!("the mediator broke the protocol ({how}); check --dialect, and that the URL is that of a mediator")
        }
        Some(DisconnectCause::Broken(how) | DisconnectCause::Unreachable(how)) => {
            format!("the connection was lost ({how}); try again, then ask who runs the mediator")
        }
        _ => format!(
            "no answer within {} s; check that the URL is that of a mediator, then ask who runs it",
            LOGIN_WITHIN.max(PATIENCE).as_secs()
        ),
    }
}

fn logged_in(login: &Login, seen: &SeenLogin) -> Finding {
    let waiting = match login.reflection_queue_length {
        None | Some(0) => String::new(),
        Some(count) => format!("; {count} messages wait for it, and none was acknowledged"),
    };
    let words = format!("as device {} in {}, and left again{waiting}", login.own, span(seen.took));
    match &seen.ended {
        Some(DisconnectCause::LeaderRole | DisconnectCause::ByUser) | None => Finding::new("login", Status::Ok, &words),
        ended => Finding::new("login", Status::Fail, &format!("lost again: {}", refusal(ended.as_ref()))),
    }
}

fn clocks(login: &Login) -> Finding {
    let Some(ahead) = login.clock_offset else {
        return Finding::skipped("clock", "this mediator does not tell the time");
    };
    let apart = ahead.unsigned_abs();
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    let words = match apart {
        0..1_000 => "within a second of the mediator's".to_owned(),
        _ => format!("the mediator's is {} {side} ours", clocks_apart(ahead)),
    };
    if login.clock_apart().is_some() {
        let words = format!("{words}; set this machine's clock, best by the network (timedatectl set-ntp true)");
        return Finding::new("clock", Status::Warn, &words);
    }
    Finding::new("clock", Status::Ok, &words)
}

fn slot(login: &Login, policy: ExpirationPolicy) -> Finding {
    let kept = match policy {
        ExpirationPolicy::Persistent => "it is kept while this device is away",
        ExpirationPolicy::Volatile => "it expires some minutes after this device has left",
    };
    let words = match login.slot_state {
        SlotState::New => format!("new: the mediator did not know this device; {kept}"),
        SlotState::Existing => format!("the mediator knows this device; {kept}"),
    };
    Finding::new("slot", Status::Ok, &words)
}

fn slots(login: &Login, devices: Option<usize>) -> Finding {
    let told = |status, words: &str| Finding::new("slots", status, words);
    let most = login.max_device_slots;
    match devices {
        None => told(Status::Warn, "the mediator sent no device list; ask who runs the mediator"),
        Some(0 | 1) => told(Status::Warn, &format!("this device is alone in its group; {ANOTHER_GROUP}")),
        Some(used) if u32::try_from(used).is_ok_and(|used| used >= most) => {
            let words = format!("all {most} are used, this device included; drop one that is no longer needed");
            told(Status::Warn, &words)
        }
        Some(used) => told(Status::Ok, &format!("{used} of {most} are used, this device included")),
    }
}

fn role(seen: &SeenLogin) -> Finding {
    let told = |status, words: &str| Finding::new("leader", status, words);
    match seen.role {
        Some(SeenRole::Following) => told(Status::Ok, "another device leads"),
        Some(SeenRole::Promoted) => told(
            Status::Warn,
            "no other device is connected, so this one was made leader, and left at once; d2mtop comes and goes until \
             a phone is there to lead",
        ),
        None if seen.dry => Finding::skipped("leader", "the login ended before it could be told"),
        None => {
            Finding::skipped("leader", "messages were still waiting, and before they are through nobody is promoted")
        }
    }
}
