//! `d2mtop demo --join`: the simulated phone waits to link a new device, which a second terminal is.

use std::fs;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::headless::admit::teller::AdmitTeller;
use crate::net::{Address, TlsOptions};
use crate::os::event_loop::event_loop;
use crate::os::private_files;
use crate::os::signals::ShutdownSignals;
use crate::output::connecting::explain;
use crate::output::words::{can_ask, remark, say};
use crate::output::{Failure, Outcome};
use crate::profile;
use crate::rendezvous::wire::JoinLink;
use crate::rendezvous::{AdmitEnd, AdmitTiming};
use crate::runtime::{Admission, AdmitAnswer, admit_device};
use crate::simulate::{SimulatedPhone, Stage, StageOptions};

/// How often to look for a new link.
const LOOK: Duration = Duration::from_millis(250);
/// A name that no command has, and that says what it is.
const PROFILE: &str = "simulated";

/// Sets the stage and admits whoever comes, one device after the other, until a signal ends it.
///
/// # Errors
/// If there is no terminal to ask on, the stage cannot be set, or standard output fails.
pub(super) fn run(stage: StageOptions) -> Result<Outcome, Failure> {
    if !can_ask() {
        return Err(Failure::NoTerminal);
    }
    let Stage { phone, running, .. } = Stage::set(stage)?;
    let Some(phone) = phone else { return Err(Failure::Usage("only a group that speaks dgk has a join".to_owned())) };
    let folder = Folder::make().map_err(Failure::Start)?;
    let offer = folder.0.join("offer");
    invite(&phone, &offer)?;
    let event_loop = event_loop().map_err(Failure::Start)?;
    let outcome = event_loop.block_on(admit_all(phone, &offer));
    // Somebody may still be asked.
    event_loop.shutdown_background();
    drop(running);
    outcome
}

fn invite(phone: &SimulatedPhone, offer: &Path) -> Result<(), Failure> {
    say("A simulated phone waits to link a new device. In a second terminal, type:\n")?;
    say(&format!(
        "  d2mtop join {PROFILE} --mediator {} --rendezvous {} --offer-file {}\n",
        phone.mediator,
        phone.rendezvous,
        offer.display()
    ))?;
    say("This phone has no camera: it reads that file instead of the code. Ctrl-C ends the demo.\n")
}

async fn admit_all(mut phone: SimulatedPhone, offer: &Path) -> Result<Outcome, Failure> {
    let mut signals = ShutdownSignals::take();
    let (said, mut answers) = mpsc::unbounded_channel();
    let ends = said.clone();
    std::thread::Builder::new().name("answers".to_owned()).spawn(move || listen(&said)).map_err(Failure::Start)?;
    let mut last = Zeroizing::new(String::new());
    loop {
        let link = tokio::select! {
            link = next_link(offer, &last) => link,
            _ = signals.next() => return Ok(Outcome::Normal),
        };
        last.clone_from(&link);
        let link = match JoinLink::parse(&link) {
            Ok(link) => link,
            Err(error) => {
                remark(&error.to_string());
                continue;
            }
        };
        let relay = Address::new(&link.relay_url, &TlsOptions::default())?.explained_by(explain);
        let data = phone.essential_data().map_err(profile::ProfileError::from)?;
        let admission = Admission { link, relay, data, timing: AdmitTiming::default() };
        // What was typed before anything was asked is no answer.
        while answers.try_recv().is_ok() {}
        let mut telling = AdmitTeller::new(false);
        let (end, ended) = {
            let admitting = admit_device(&mut phone.session, admission, &mut answers, |news| telling.tell(&news));
            tokio::pin!(admitting);
            let mut ended = false;
            loop {
                tokio::select! {
                    end = &mut admitting => break (end, ended),
                    _ = signals.next() => {
                        ended = true;
                        let _ = ends.send(AdmitAnswer::Cancel);
                    }
                }
            }
        };
        if let AdmitEnd::Failed { cause, .. } = &end {
            remark(&format!("not admitted: {cause}"));
        }
        telling.end(&end)?;
        if ended {
            return Ok(Outcome::Normal);
        }
        say("The phone waits for the next device. Ctrl-C ends the demo.\n")?;
    }
}

/// Each line is an answer: everything but a yes is a no.
fn listen(said: &mpsc::UnboundedSender<AdmitAnswer>) {
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        if said.send(AdmitAnswer::of_line(&line)).is_err() {
            return;
        }
    }
}

/// Waits until the file has a whole link that is not the last.
async fn next_link(offer: &Path, last: &str) -> Zeroizing<String> {
    loop {
        if let Ok(Some(text)) = private_files::read(offer) {
            let text = Zeroizing::new(text);
            if text.trim() != last && !text.trim().is_empty() {
                return Zeroizing::new(text.trim().to_owned());
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The demo's own folder, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn make() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("d2mtop-demo-{:08x}", rand::random::<u32>()));
        private_files::make_directory(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody to tell; what is in it is of no use any more.
        let _ = fs::remove_dir_all(&self.0);
    }
}
