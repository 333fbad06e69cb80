//! Fields about devices.

use serde_json::{Value, json};

use crate::group::{DeviceChange, ListedDevice};
use crate::protocol::{DeviceActivity, DeviceId, DeviceInfo, ExpirationPolicy};

/// The fields of a device of the list.
#[must_use]
pub fn device(id: DeviceId, device: &ListedDevice) -> Value {
    let mut fields = match &device.info {
        Ok(info) => with_info(json!({ "device": id }), info),
        Err(error) => json!({ "device": id, "undecryptable": error.to_string() }),
    };
    let (name, at) = match device.activity {
        DeviceActivity::ConnectedSince(at) => ("connected_since", at),
        DeviceActivity::LastDisconnect(at) => ("last_disconnect_at", at),
        DeviceActivity::LastLogin(at) => ("last_login_at", at),
        DeviceActivity::Unknown => return with_policy(fields, device.expiration_policy),
    };
    if let Value::Object(object) = &mut fields {
        object.insert(name.to_owned(), at.0.into());
    }
    with_policy(fields, device.expiration_policy)
}

fn with_info(mut fields: Value, info: &DeviceInfo) -> Value {
    if let (Value::Object(object), Value::Object(info)) = (&mut fields, described(info)) {
        object.extend(info);
    }
    fields
}

fn described(info: &DeviceInfo) -> Value {
    json!({
        "label": info.label,
        "platform": info.platform.to_string().to_lowercase(),
        "platform_details": info.platform_details,
        "app_version": info.app_version,
    })
}

/// What a device says of itself now stands in the fields themselves, what it said before in `before`.
pub(super) fn device_changed(device: DeviceId, change: &DeviceChange) -> (&'static str, Value) {
    let fields = json!({ "device": device });
    let (name, before, fields) = match change {
        DeviceChange::New { now: Some(now) } => ("device_new", None, with_info(fields, now)),
        DeviceChange::New { now: None } => ("device_new", None, fields),
        DeviceChange::Changed { before, now } => ("device_changed", before.as_ref(), with_info(fields, now)),
        DeviceChange::Undecryptable { before } => ("device_undecryptable", Some(before), fields),
        DeviceChange::Gone { before } => ("device_gone", before.as_ref(), fields),
    };
    let mut fields = fields;
    if let Value::Object(object) = &mut fields {
        object.insert("words".to_owned(), change.sentence().into());
        object.extend(before.map(|before| ("before".to_owned(), described(before))));
    }
    (name, fields)
}

fn with_policy(mut fields: Value, policy: Option<ExpirationPolicy>) -> Value {
    let policy = match policy {
        Some(ExpirationPolicy::Volatile) => "volatile",
        Some(ExpirationPolicy::Persistent) => "persistent",
        None => "unknown",
    };
    if let Value::Object(object) = &mut fields {
        object.insert("expiration_policy".to_owned(), policy.into());
    }
    fields
}
