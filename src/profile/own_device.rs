//! What this device says of itself.

use crate::protocol::DeviceInfo;
use crate::protocol::d2d::Platform;
use crate::text::Clean;

/// What we tell the other devices of ourselves.
#[must_use]
pub fn own_info(label: Clean) -> DeviceInfo {
    DeviceInfo {
        platform: Platform::Desktop,
        platform_details: Clean::new(&format!("terminal on {}", std::env::consts::OS)),
        app_version: Clean::literal(concat!("d2mtop ", env!("CARGO_PKG_VERSION"))),
        label,
    }
}

/// `d2mtop@HOST`.
#[must_use]
pub fn default_label() -> Clean {
    let system = rustix::system::uname();
    Clean::new(&format!("d2mtop@{}", system.nodename().to_string_lossy()))
}
