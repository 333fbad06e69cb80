//! `d2mtop shared-data`: what the mediator gives to every device at login.

use super::one_shot_device::{OneShotDevice, Turn};
use crate::cli::{SharedDataArgs, SharedDataCommand, SharedDataSetArgs, SharedDataShowArgs};
use crate::group::Event;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::advice::refusal_words;
use crate::output::ndjson;
use crate::output::words::{require_agreement, say};
use crate::protocol::{Dialect, OpenError, SharedDeviceData};
use crate::runtime::{OneShotSession, clock};
use crate::session::{Command, Confirmed};

/// Shows it, or sets it and looks what the mediator gives then.
///
/// # Errors
/// If there is no login, nobody agrees, or the mediator gives something else afterwards.
pub fn run(options: &SharedDataArgs) -> Result<Outcome, Failure> {
    match &options.command {
        SharedDataCommand::Show(options) => show(options),
        SharedDataCommand::Set(options) => set(options),
    }
}

/// What a login brought; [`None`] if nothing was ever set.
type Given = Option<Result<SharedDeviceData, OpenError>>;

fn show(options: &SharedDataShowArgs) -> Result<Outcome, Failure> {
    let mut visitor = OneShotDevice::new(options.profile.name(), &options.connection, Turn::Short)?;
    let given = visitor.run_one_shot(async |visit| look(visit).await)?;
    report(given.as_ref(), options.json)?;
    Ok(Outcome::Normal)
}

fn set(options: &SharedDataSetArgs) -> Result<Outcome, Failure> {
    let turn = Turn::long_if(!options.yes);
    let mut visitor = OneShotDevice::new(options.show.profile.name(), &options.show.connection, turn)?;
    visitor.require_writable("not set")?;
    if visitor.profile().session.keys.dialect() == Dialect::Mk {
        let words = "dialect mk has no version in its shared data, so there is nothing to set";
        return Err(Failure::Usage(words.to_owned()));
    }
    let before = visitor.run_one_shot(async |visit| look(visit).await)?;
    let version = options.minimum;
    let question = format!(
        "{} Set it to version {version}? Every device is told so at login, and one that speaks less may refuse to go on.",
        words(before.as_ref())
    );
    require_agreement(options.yes, &question)?;
    let wanted = SharedDeviceData { version, ..SharedDeviceData::default() };
    let data = wanted.clone();
    visitor.run_one_shot(async |visit| {
        let mut command = Some(Command::SetSharedDeviceData(Confirmed::after_asking(data)));
        // Nothing acknowledges it. But who answers a later question has read what came before.
        visit
            .until(|event| match event {
                Event::Devices(_) => Some(()),
                _ => None,
            })
            .await?;
        command.take().into_iter().chain([Command::RefreshDevices]).for_each(|command| visit.ask(command));
        let answered = visit.until(|event| match event {
            Event::Devices(_) => Some(Ok(())),
            Event::Refused(why) => Some(Err(Failure::Usage(refusal_words(why)))),
            _ => None,
        });
        answered.await?
    })?;
    let after = visitor.run_one_shot(async |visit| look(visit).await)?;
    report(after.as_ref(), options.show.json)?;
    if after == Some(Ok(wanted)) {
        return Ok(Outcome::Normal);
    }
    let words = "not set: the mediator gives something else at the next login".to_owned();
    Err(Failure::Ended { outcome: Outcome::Unwell, words })
}

/// It comes with the login, before everything else.
async fn look(visit: &mut OneShotSession) -> Result<Given, Failure> {
    let given = visit.until(|event| match event {
        Event::SharedDeviceData(data) => Some(Some(data)),
        Event::Devices(_) | Event::QueueDry => Some(None),
        _ => None,
    });
    Ok(given.await?)
}

fn report(given: Option<&Result<SharedDeviceData, OpenError>>, json: bool) -> Result<(), Failure> {
    if !json {
        return say(&words(given));
    }
    let fields = given.map_or_else(|| serde_json::json!({}), |given| ndjson::shared_device_data(given.as_ref()));
    say(&ndjson::line(clock::now(), "shared_device_data", fields).to_string())
}

fn words(given: Option<&Result<SharedDeviceData, OpenError>>) -> String {
    match given {
        None => "The group has no shared data.".to_owned(),
        Some(Ok(SharedDeviceData { version, mdm_parameters })) if mdm_parameters.is_empty() => {
            format!("The shared data says version {version}.")
        }
        Some(Ok(SharedDeviceData { mdm_parameters, .. })) => {
            format!("The shared data holds {} bytes of device-management parameters.", mdm_parameters.len())
        }
        Some(Err(error)) => format!("The shared data {error}."),
    }
}
