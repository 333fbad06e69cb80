//! What the options of `history` ask for, as a query to the journal.

use super::who::OfProfile;
use crate::cli::HistoryArgs;
use crate::group::KnownDevices;
use crate::journal::Query;
use crate::output::Failure;
use crate::output::times::Zone;
use crate::protocol::DeviceId;
use crate::protocol::d2d::ContentKind;
use crate::runtime::clock;
use crate::text::Clean;

/// Reads the options; names and ids are looked up among the devices that are known.
///
/// # Errors
/// If a value means nothing, or it takes a key that is not to be had.
pub(super) fn query(
    options: &HistoryArgs,
    journal: &mut OfProfile<'_>,
    devices: &KnownDevices,
    zone: Zone,
) -> Result<Query, Failure> {
    let now = clock::now();
    let time = |option: &str, text: &Option<String>| {
        let read = text.as_deref().map(|text| zone.read(text, now)).transpose();
        read.map_err(|error| Failure::Usage(format!("{option}: {error}")))
    };
    let kinds = options.kinds.iter().map(|text| kind(text)).collect::<Result<_, _>>()?;
    let from = options.from.as_deref().map(|text| device(text, devices)).transpose()?;
    let who = options.conversation.as_deref().map(|text| journal.who(text)).transpose()?;
    Ok(Query { since: time("--since", &options.since)?, until: time("--until", &options.until)?, kinds, from, who })
}

fn kind(text: &str) -> Result<ContentKind, Failure> {
    ContentKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        let all = ContentKind::ALL.map(ContentKind::as_str).join(", ");
        Failure::Usage(format!("--kind: {} is none of {all}", Clean::new(text)))
    })
}

fn device(text: &str, devices: &KnownDevices) -> Result<DeviceId, Failure> {
    if text == "unsaid" {
        return Ok(DeviceId(0));
    }
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let has_label = |info: Option<&crate::protocol::DeviceInfo>| info.is_some_and(|info| info.label.as_str() == text);
    let called_so = |devices: &KnownDevices| -> Vec<DeviceId> {
        devices.iter().filter(|(_, info)| has_label(*info)).map(|(id, _)| id).collect()
    };
    // Who has left is asked for only where nobody who is there has the name.
    let present = called_so(devices);
    let found = if present.is_empty() { called_so(&devices.ever()) } else { present };
    let label = Clean::new(text);
    match found.as_slice() {
        [id] => Ok(*id),
        [] => Err(Failure::Usage(format!(
            "--from: no device is or was called {label}, as far as is known here; a device id is 16 hex digits, and \
             --stats lists what there is"
        ))),
        several => {
            let ids = several.iter().map(DeviceId::to_string).collect::<Vec<_>>().join(", ");
            Err(Failure::Usage(format!(
                "--from: several devices are or were called {label}; say which by its id: {ids}"
            )))
        }
    }
}
