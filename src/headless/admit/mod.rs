//! `d2mtop admit`: the device of the group, which brings a new one in.

mod link;
pub(super) mod teller;

use std::io::{self, BufRead as _};
use std::thread;

use tokio::sync::mpsc;

use super::arguments;
use super::one_shot_device::{OneShotDevice, Turn};
use crate::cli::AdmitArgs;
use crate::group::Event;
use crate::net::Address;
use crate::os::signals::ShutdownSignals;
use crate::output::connecting::explain_address;
use crate::output::words::{can_ask, remark};
use crate::output::{Failure, Outcome};
use crate::profile::{NamesFile, Profile};
use crate::protocol::Dialect;
use crate::rendezvous::wire::{EssentialData, Names};
use crate::rendezvous::{AdmitCause, AdmitEnd, AdmitEvent, AdmitTiming};
use crate::runtime::one_shot::{LEADER_PATIENCE, LEADER_WARNING};
use crate::runtime::{Admission, AdmitAnswer, AdmitNews, OneShotSession, admit_device, session_setup};
use crate::session::LeaderPolicy;
use teller::AdmitTeller;

/// What admitting means, before anything is done.
const MEANING: &str = "this gives the group's key to another d2mtop: it can read every message from then on, and takes a \
                       slot until it is dropped. Phone apps would refuse it, as this device has no client key to give";

/// Asks for the link, compares the emoji, gives the key.
///
/// # Errors
/// If the options cannot be used, or the device does not get in.
pub fn run(options: &AdmitArgs) -> Result<Outcome, Failure> {
    if !options.json && !can_ask() {
        let words = "not admitted: there is no terminal to ask on whether the emoji match; with --json and --link-file the \
                     answer is a line on standard input";
        return Err(Failure::Ended { outcome: Outcome::NotConfirmed, words: words.to_owned() });
    }
    let mut connection = arguments::unattended_connection(&options.connection)?;
    connection.keeps_secret = true;
    let mut visitor = OneShotDevice::of(options.profile.name(), &connection, Turn::long_if(true))?;
    visitor.require_writable("not admitted")?;
    let profile = visitor.profile();
    if profile.session.keys.dialect() == Dialect::Mk {
        return Err(Failure::Usage("not admitted: the dialect mk has no join; only dgk has".to_owned()));
    }
    let stays = profile.session.leader_policy == LeaderPolicy::Stay;
    let Some(secret) = profile.key.secret() else {
        return Err(Failure::Usage("not admitted: the group's key is not to be had".to_owned()));
    };
    let data = EssentialData {
        secret: secret.duplicate(),
        server_group: profile.server_group.clone(),
        identity: profile.session.identity.clone(),
        names: names(profile),
    };
    if !options.json {
        remark(MEANING);
    }
    let link = link::read(options.link_file.as_deref())?;
    let tls = session_setup::tls(profile);
    let relay = Address::new(&link.relay_url, &tls)
        .map_err(|error| Failure::Usage(format!("the link's relay cannot be used: {}", explain_address(&error))))?;
    let relay = session_setup::through(relay, profile.proxy.as_ref(), &tls)?;
    let admission = Admission { link, relay, data, timing: AdmitTiming::default() };
    let json = options.json;
    visitor.run_one_shot(async |visit| serve(visit, admission, json, stays).await)
}

/// What the profile knows of names. Without them the new device gets in all the same.
fn names(profile: &Profile) -> Names {
    let file = profile.name.as_ref().and_then(NamesFile::of);
    let read = file.map_or_else(|| Ok(Names::default()), |file| file.read(&profile.session.keys));
    read.unwrap_or_else(|error| {
        remark(&format!("{error}; the new device gets no names"));
        Names::default()
    })
}

async fn serve(visit: &mut OneShotSession, admission: Admission, json: bool, stays: bool) -> Result<Outcome, Failure> {
    let mut telling = AdmitTeller::new(json);
    let (answer, mut answers) = mpsc::unbounded_channel();
    let mut signals = ShutdownSignals::take();
    let login = visit.until(|event| matches!(event, Event::LoggedIn(_)).then_some(()));
    tokio::select! {
        login = login => login?,
        signal = signals.next() => return Ok(Outcome::by_signal(signal)),
    }
    let mut ended_by = None;
    let (promoted, mut promotion) = mpsc::unbounded_channel();
    let end = {
        let admitting = admit_device(visit, admission, &mut answers, |news| match news {
            AdmitNews::Promoted => {
                remark(LEADER_WARNING);
                if !stays {
                    let _ = promoted.send(());
                }
            }
            news => {
                if matches!(news, AdmitNews::Happened(AdmitEvent::Emoji(_))) {
                    ask(&answer);
                }
                telling.tell(&news);
            }
        });
        tokio::pin!(admitting);
        let leads_too_long = async {
            match promotion.recv().await {
                Some(()) => tokio::time::sleep(LEADER_PATIENCE).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(leads_too_long);
        let mut may_lead = true;
        loop {
            tokio::select! {
                end = &mut admitting => break end,
                signal = signals.next() => {
                    ended_by = Some(signal);
                    let _ = answer.send(AdmitAnswer::Cancel);
                }
                () = &mut leads_too_long, if may_lead => {
                    may_lead = false;
                    remark("this device has led for a minute, and the group got no messages: it stops; --stay-leader goes on");
                    let _ = answer.send(AdmitAnswer::Cancel);
                }
            }
        }
    };
    telling.end(&end)?;
    let AdmitEnd::Failed { cause, key_given } = end else { return Ok(Outcome::Normal) };
    if let Some(signal) = ended_by.filter(|_| cause == AdmitCause::Cancelled) {
        remark(&cause.to_string());
        return Ok(Outcome::by_signal(signal));
    }
    let outcome = match &cause {
        AdmitCause::Cancelled | AdmitCause::NoMatch | AdmitCause::NotConfirmed => Outcome::NotConfirmed,
        AdmitCause::Locked(_) | AdmitCause::NoLock => Outcome::LockBusy,
        AdmitCause::PeerStopped | AdmitCause::Rendezvous(_) => Outcome::Lost,
        AdmitCause::OutOfTurn | AdmitCause::NoMessage | AdmitCause::NotRegistered => Outcome::Unwell,
    };
    let given = if key_given { "; it has the group's key: look whether it is in the device list" } else { "" };
    Err(Failure::Ended { outcome, words: format!("not admitted: {cause}{given}") })
}

/// Waits for a line beside everything else. Everything but a yes is a no; no line at all says nothing.
fn ask(answer: &mpsc::UnboundedSender<AdmitAnswer>) {
    let waiting = thread::Builder::new().name("answer".to_owned()).spawn({
        let answer = answer.clone();
        move || {
            let mut line = String::new();
            let said = match io::stdin().lock().read_line(&mut line) {
                Ok(0) | Err(_) => AdmitAnswer::Cancel,
                Ok(_) => AdmitAnswer::of_line(&line),
            };
            let _ = answer.send(said);
        }
    });
    if waiting.is_err() {
        let _ = answer.send(AdmitAnswer::Cancel);
    }
}
