//! `d2mtop doctor`: goes the whole way to the group once, and says of each step how it went and what to do.
//!
//! Every step has a deadline of its own, so that a report always comes to its end.

mod connect_steps;
mod environment;
mod finding;
mod journal;
mod login;
mod login_findings;
mod patient;

use std::io::{self, Write as _};

use finding::{Finding, Status};

use crate::cli::DoctorArgs;
use crate::headless::arguments;
use crate::os::event_loop::event_loop;
use crate::output::Failure;
use crate::output::Outcome;
use crate::profile::{ConnectionOptions, Examined, Profile, ProfileError, ProfileStoreError};
use patient::Patient;

/// Checks everything that a session needs, and prints a line each.
///
/// # Errors
/// If the options are unusable or standard output fails.
pub fn run(options: &DoctorArgs) -> Result<Outcome, Failure> {
    let connection = arguments::unattended_connection(&options.connection)?;
    let mut report = Report { json: options.json, failed: false };
    let examined = match Profile::examine(options.profile.name(), &connection) {
        Err(error) | Ok(Examined { opened: Err(error), .. }) if is_about_the_options(&error, &connection) => {
            return Err(error.into());
        }
        examined => examined,
    };
    report.add(&environment::screen())?;
    report.add(&environment::colours())?;
    report.add(&environment::keyring(examined.as_ref().is_ok_and(|examined| examined.opened.is_ok())))?;
    let Examined { settings, record, opened } = match examined {
        Err(ProfileError::FirstRun) => {
            let words = "none given, so nothing else was checked; name a profile, or add --url URL and --key-file FILE";
            report.add(&Finding::new("mediator", Status::Warn, words))?;
            return Ok(report.outcome());
        }
        Err(error) => {
            report.add(&Finding::new("profile", Status::Fail, &error.to_string()))?;
            report.add(&Finding::skipped("mediator", "it is only known together with the profile"))?;
            return Ok(report.outcome());
        }
        Ok(examined) => examined,
    };
    match &opened {
        Err(error) if !is_about_the_key(error) => {
            report.add(&Finding::new("profile", Status::Fail, &error.to_string()))?;
            report.add(&Finding::skipped("key", "the profile cannot be opened"))?;
        }
        opened => report.add(&environment::key(opened))?,
    }
    report.add(&journal::examine(record.as_ref().map(|(name, record)| (name, record)), &connection))?;
    let patient = match settings.map(|settings| Patient::new(&connection, settings, opened)) {
        Some(Ok(Some(patient))) => patient,
        Some(Ok(None)) => {
            report.add(&Finding::skipped("mediator", "it is only known together with the group's key"))?;
            return Ok(report.outcome());
        }
        Some(Err(failure)) => {
            let of = record.filter(|_| connection.url.is_none());
            let of = of.map(|(name, _)| format!("of the profile {name}: ")).unwrap_or_default();
            report.add(&Finding::new("mediator", Status::Fail, &format!("{of}{failure}")))?;
            report.add(&Finding::skipped("login", "there is nothing to connect to"))?;
            return Ok(report.outcome());
        }
        None => {
            report.add(&Finding::skipped("mediator", "the profile cannot be used"))?;
            return Ok(report.outcome());
        }
    };
    let event_loop = event_loop().map_err(Failure::Start)?;
    let examined = event_loop.block_on(examine(patient, &mut report));
    // A name that is still being looked up must not keep us here.
    event_loop.shutdown_background();
    examined?;
    Ok(report.outcome())
}

/// What is to be mended on the command line; nothing about the machine is wrong then.
fn is_about_the_options(error: &ProfileError, options: &ConnectionOptions) -> bool {
    use ProfileStoreError::{NoDefault, NoSuchProfile};
    if let ProfileError::Of { cause, .. } = error {
        return options.server_group.is_some() && is_about_the_options(cause, options);
    }
    matches!(
        error,
        ProfileError::ServerGroup(_)
            | ProfileError::NoDeviceId
            | ProfileError::Store(NoSuchProfile { .. } | NoDefault(_))
    )
}

fn is_about_the_key(error: &ProfileError) -> bool {
    match error {
        ProfileError::Of { cause, .. } => is_about_the_key(cause),
        error => matches!(error, ProfileError::NoKeyFile | ProfileError::KeyFile(_) | ProfileError::Secret(_)),
    }
}

async fn examine(patient: Patient, report: &mut Report) -> Result<(), Failure> {
    let Some(secured) = connect_steps::go(&patient.address, &patient.tls, report).await? else {
        return report.add(&Finding::skipped("login", "there is no connection to log in on"));
    };
    let Some(session) = patient.session else {
        return report.add(&Finding::skipped("login", "it needs the group's key"));
    };
    if patient.in_use {
        let words = "another d2mtop runs as this device here, and a login would cut it off, so none was tried";
        return report.add(&Finding::new("login", Status::Warn, words));
    }
    if patient.was_dropped {
        return report.add(&Finding::new("login", Status::Fail, super::WAS_DROPPED));
    }
    let policy = session.config().expiration_policy;
    let seen = login::examine(session, &patient.address, secured, patient.memory, report).await?;
    seen.map_or(Ok(()), |seen| login_findings::report(&seen, policy, report))
}

/// Prints findings as they come, and remembers whether all is well.
struct Report {
    json: bool,
    failed: bool,
}

impl Report {
    fn add(&mut self, finding: &Finding) -> Result<(), Failure> {
        self.failed |= finding.status == Status::Fail;
        let mut output = io::stdout().lock();
        let line = if self.json { finding.to_json() } else { finding.to_string() };
        match writeln!(output, "{line}").and_then(|()| output.flush()) {
            // Nobody reads any more; the exit code still tells.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(Failure::Output),
        }
    }

    const fn outcome(&self) -> Outcome {
        if self.failed { Outcome::Unwell } else { Outcome::Normal }
    }
}
