//! `d2mtop mediator status`, `drop`, `forget`, `export` and `import`: what is asked of a mediator that runs; and the socket that it is asked at.

use std::path::{Path, PathBuf};

use crate::cli::{
    ControlArgs, DropSlotArgs, ExportArgs, ForgetArgs, ImportGroupsArgs, MediatorArgs, MediatorCommand, StatusArgs,
};
use crate::control::{
    ControlAnswer, ControlClient, ControlEndpoint, ControlError, ControlRequest, MediatorReport, NotNamed,
    OperationTally, WaitingMessages,
};
use crate::net::Inspector;
use crate::output::mediator_log::MediatorLogLine;
use crate::output::words::{require_agreement, say};
use crate::output::{Failure, Outcome};
use crate::text::Clean;

/// The socket in the directory of `--data`.
const SOCKET: &str = "control";

/// Begins to answer, as long as the event loop runs, if there is a place for it; and what the log says of that.
///
/// # Errors
/// If the place that was asked for cannot be had.
pub(super) fn serve(options: &MediatorArgs, inside: Inspector) -> Result<Option<MediatorLogLine>, Failure> {
    let Some(path) = options.control.clone().or_else(|| options.data.as_ref().map(|data| data.join(SOCKET))) else {
        return Ok(None);
    };
    match ControlEndpoint::bind(&path) {
        Ok(endpoint) => {
            tokio::spawn(endpoint.run(inside));
            Ok(Some(MediatorLogLine::Control(path)))
        }
        // Nobody asked for it there, and there is none in the way of what is stored.
        Err(cause) if options.control.is_none() => Ok(Some(MediatorLogLine::ControlFailed(path, cause))),
        Err(cause) => Err(Failure::Listen { address: Clean::new(&format!("--control {}", path.display())), cause }),
    }
}

/// Asks a mediator that runs.
pub(super) fn run(command: &MediatorCommand) -> Result<Outcome, Failure> {
    match command {
        MediatorCommand::Status(options) => show_status(options),
        MediatorCommand::Drop(options) => drop_slot(options),
        MediatorCommand::Forget(options) => forget(options),
        MediatorCommand::Export(options) => export(options),
        MediatorCommand::Import(options) => import(options),
    }
    .map(|()| Outcome::Normal)
}

fn show_status(options: &StatusArgs) -> Result<(), Failure> {
    let report = report(&mut connect(&options.control)?)?;
    if options.json {
        return say(&serde_json::to_string(&report).map_err(|error| Failure::Output(error.into()))?);
    }
    report.lines().iter().try_for_each(|line| say(line))
}

fn drop_slot(options: &DropSlotArgs) -> Result<(), Failure> {
    let mut mediator = connect(&options.control)?;
    let report = report(&mut mediator)?;
    let group = report.group(&options.group).map_err(|error| unnamed(&error))?;
    let device = group.device(&options.device).map_err(|error| unnamed(&error))?;
    let is_last =
        if group.devices.len() == 1 { " It is the last of its group, which is forgotten with it." } else { "" };
    let question =
        format!("Drop device {} of group {}, {}?{is_last}", device.device, group.group, WaitingMessages::of([device]));
    require_agreement(options.yes, &question)?;
    do_it(&mut mediator, &ControlRequest::Drop { group: group.id, device: device.device })?;
    say(&format!("dropped {} of group {}", device.device, group.group))
}

fn forget(options: &ForgetArgs) -> Result<(), Failure> {
    let mut mediator = connect(&options.control)?;
    let report = report(&mut mediator)?;
    let group = report.group(&options.group).map_err(|error| unnamed(&error))?;
    let (count, waits) = (group.devices.len(), WaitingMessages::of(&group.devices));
    require_agreement(options.yes, &format!("Forget group {}: drop all its devices ({count}), {waits}?", group.group))?;
    do_it(&mut mediator, &ControlRequest::Forget { group: group.id })?;
    say(&format!("forgot group {} and its devices ({count})", group.group))
}

fn export(options: &ExportArgs) -> Result<(), Failure> {
    let prefixes = super::options::prefixes("RANGES", std::slice::from_ref(&options.prefixes))?;
    let file = absolute(&options.file)?;
    let mut mediator = connect(&options.control)?;
    let question = report(&mut mediator)?.export_question(prefixes, &file);
    require_agreement(options.yes, &question)?;
    let tally = do_it(&mut mediator, &ControlRequest::Export { prefixes, file: file.clone() })?;
    say(&format!("exported {tally} to {}", Clean::new(&file.display().to_string())))
}

fn import(options: &ImportGroupsArgs) -> Result<(), Failure> {
    let file = absolute(&options.file)?;
    let tally = do_it(&mut connect(&options.control)?, &ControlRequest::Import { file })?;
    say(&format!("imported {tally}"))
}

/// The mediator may run elsewhere.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let wrong = |cause| Failure::Usage(format!("{}: {cause}", Clean::new(&path.display().to_string())));
    std::path::absolute(path).map_err(wrong)
}

fn connect(options: &ControlArgs) -> Result<ControlClient, Failure> {
    let of_data = || options.data.as_ref().map(|data| data.join(SOCKET));
    let path: PathBuf = options.control.clone().or_else(of_data).unwrap_or_default();
    ControlClient::connect(&path).map_err(failure)
}

fn report(mediator: &mut ControlClient) -> Result<MediatorReport, Failure> {
    match mediator.ask(&ControlRequest::Status {}).map_err(failure)? {
        ControlAnswer::Status(report) => Ok(report),
        _ => Err(failure(ControlError::NoSense)),
    }
}

fn do_it(mediator: &mut ControlClient, request: &ControlRequest) -> Result<OperationTally, Failure> {
    match mediator.ask(request).map_err(failure)? {
        ControlAnswer::Done(tally) => Ok(tally),
        _ => Err(failure(ControlError::NoSense)),
    }
}

fn failure(error: ControlError) -> Failure {
    match error {
        ControlError::Refused(words) => Failure::NotDone(words),
        error => Failure::Ended { outcome: Outcome::Lost, words: error.to_string() },
    }
}

fn unnamed(error: &NotNamed) -> Failure {
    Failure::Ended { outcome: Outcome::NoSuchDevice, words: error.to_string() }
}
