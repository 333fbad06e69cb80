//! The devices of the simulated group.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::protocol::d2d::Platform;
use crate::protocol::{DeviceId, DeviceInfo, ExpirationPolicy};
use crate::text::Clean;

/// What a device is for in the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Leads: receives for the whole group, and reflects that.
    Phone,
    /// Writes, and keeps contacts and settings in step, in transactions.
    Laptop,
    /// Comes and goes.
    Tablet,
    /// A volatile session, which comes and goes, too.
    Web,
}

/// A device of the simulated group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CastMember {
    /// Its part in the story.
    pub part: Part,
    /// Its id, from the seed.
    pub device_id: DeviceId,
    /// What it tells of itself.
    pub device_info: DeviceInfo,
    /// How long its slot is kept.
    pub expiration_policy: ExpirationPolicy,
    /// Whether it must connect first, so as to lead, and stay when promoted.
    pub leads: bool,
}

/// The devices in the order in which they should connect: the one that leads comes first.
#[must_use]
pub fn cast(seed: u64) -> [CastMember; 4] {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut member = |part, platform, platform_details, app_version, label| CastMember {
        part,
        device_id: DeviceId(rng.r#gen()),
        device_info: DeviceInfo {
            platform,
            platform_details: Clean::literal(platform_details),
            app_version: Clean::literal(app_version),
            label: Clean::literal(label),
        },
        expiration_policy: match part {
            Part::Web => ExpirationPolicy::Volatile,
            Part::Phone | Part::Laptop | Part::Tablet => ExpirationPolicy::Persistent,
        },
        leads: part == Part::Phone,
    };
    [
        member(Part::Phone, Platform::Android, "Google Pixel 9", "6.4.2", "Pixel 9"),
        member(Part::Laptop, Platform::Desktop, "Electron 33 on Linux", "2.0-beta46", "Work laptop"),
        member(Part::Tablet, Platform::Ios, "iPad Air", "7.2.2", "iPad"),
        member(Part::Web, Platform::Web, "Firefox 145 on macOS", "1.8.3", "Firefox"),
    ]
}
