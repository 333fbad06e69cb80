//! The findings of a login: clock, slots, role.

use super::Report;
use super::connect_steps::{STEP_TIMEOUT, step};
use super::finding::{Finding, Status};
use super::trial_login::{LOGIN_WITHIN, LoginObservations, RoleSeen, TrialLogin};
use crate::group::{DisconnectCause, Login};
use crate::net::{Address, Secured};
use crate::output::Failure;
use crate::output::advice::close_advice;
use crate::profile::SlotMemory;
use crate::protocol::{CloseCode, ExpirationPolicy, SlotState};
use crate::runtime::{ANOTHER_GROUP, clock};
use crate::session::Session;

/// Logs in, leaves, and reports the findings.
pub(super) async fn examine(
    session: Session,
    address: &Address,
    secured: Secured,
    memory: Option<SlotMemory>,
    report: &mut Report,
) -> Result<(), Failure> {
    let policy = session.config().expiration_policy;
    let Some(link) = step("login", address.upgrade(secured), report).await? else { return Ok(()) };
    let seen = TrialLogin::new(session, address, link).run().await;
    if let (Some(mut memory), Some(_)) = (memory, &seen.login) {
        memory.registered(clock::now());
        if let Err(error) = memory.write() {
            tracing::warn!("cannot remember the slot: {error}");
        }
    }
    let Some(login) = &seen.login else {
        return report.add(&Finding::new("login", Status::Fail, &refusal(seen.ended.as_ref())));
    };
    report.add(&logged_in(login, &seen))?;
    report.add(&clocks(login))?;
    report.add(&slot(login, policy))?;
    report.add(&slots(login, seen.devices))?;
    report.add(&role(&seen))
}

/// The reason why there was no login, and what can be done.
fn refusal(ended: Option<&DisconnectCause>) -> String {
    match ended {
        Some(DisconnectCause::ClosedByServer { code, .. }) if *code == CloseCode::PROTOCOL_ERROR => format!(
            "the server refused it with {code}: {}; check --key-file, --server-group and --dialect",
            code.meaning()
        ),
        Some(DisconnectCause::ClosedByServer { code, expected, .. }) => {
            format!("the server refused it with {code}: {}; {}", code.meaning(), close_advice(*code, *expected))
        }
        Some(DisconnectCause::ServerProtocolError(how)) => {
            format!("the server broke the protocol ({how}); check --dialect, and that the URL is that of a mediator")
        }
        Some(DisconnectCause::Broken(how) | DisconnectCause::Unreachable(how)) => {
            format!("the connection was lost ({how}); try again, then ask who runs the mediator")
        }
        _ => format!(
            "no answer within {} s; check that the URL is that of a mediator, then ask who runs it",
            LOGIN_WITHIN.max(STEP_TIMEOUT).as_secs()
        ),
    }
}

fn logged_in(login: &Login, seen: &LoginObservations) -> Finding {
    let waiting = match login.reflection_queue_length {
        None | Some(0) => String::new(),
        Some(count) => format!("; {count} messages wait for it, and none was acknowledged"),
    };
    let words = format!("as device {} in {} ms, and left again{waiting}", login.own, seen.took.as_millis());
    match &seen.ended {
        Some(DisconnectCause::LeaderRole | DisconnectCause::ByUser) | None => Finding::new("login", Status::Ok, &words),
        ended => Finding::new("login", Status::Fail, &format!("lost again: {}", refusal(ended.as_ref()))),
    }
}

fn clocks(login: &Login) -> Finding {
    let Some(ahead) = login.clock_offset else {
        return Finding::skipped("clock", "this server does not tell the time");
    };
    let apart = ahead.unsigned_abs();
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    let words = match apart {
        0..1_000 => "within a second of the server's".to_owned(),
        _ => format!("the server's is {} s {side} ours", apart / 1_000),
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
        SlotState::New => format!("new: the server did not know this device; {kept}"),
        SlotState::Existing => format!("the server knows this device; {kept}"),
    };
    Finding::new("slot", Status::Ok, &words)
}

fn slots(login: &Login, devices: Option<usize>) -> Finding {
    let finding = |status, words: &str| Finding::new("slots", status, words);
    let most = login.max_device_slots;
    match devices {
        None => finding(Status::Warn, "the server sent no device list; ask who runs the mediator"),
        Some(0 | 1) => finding(Status::Warn, &format!("this device is alone in its group; {ANOTHER_GROUP}")),
        Some(used) if u32::try_from(used).is_ok_and(|used| used >= most) => {
            let words = format!("all {most} are used, this device included; drop one that is no longer needed");
            finding(Status::Warn, &words)
        }
        Some(used) => finding(Status::Ok, &format!("{used} of {most} are used, this device included")),
    }
}

fn role(seen: &LoginObservations) -> Finding {
    let finding = |status, words: &str| Finding::new("leader", status, words);
    match seen.role {
        Some(RoleSeen::Following) => finding(Status::Ok, "another device leads"),
        Some(RoleSeen::Promoted) => finding(
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
