//! Who a device is, as it tells the other devices of its group.

use std::fmt;

use bytes::Bytes;
use prost::Message as _;

use crate::protocol::container::DecodeError;
use crate::protocol::dialect::Dialect;
use crate::protocol::keys::{GroupKeys, SealKey};
use crate::protocol::proto::{d2d, d2d_seed};
use crate::protocol::sealed::Sealable;
use crate::text::Clean;

/// What a device runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each says what it is")]
pub enum Platform {
    #[default]
    Unspecified,
    Android,
    Ios,
    Desktop,
    Web,
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Unspecified => "unknown",
            Self::Android => "Android",
            Self::Ios => "iOS",
            Self::Desktop => "Desktop",
            Self::Web => "Web",
        })
    }
}

/// A device's description of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The operating system or runtime of the app.
    pub platform: Platform,
    /// Model, or browser and system; the seed has no such field.
    pub platform_details: Clean,
    /// As the app writes it, such as `5.2`; may be empty.
    pub app_version: Clean,
    /// The name that its owner gave it (seed: description).
    pub label: Clean,
}

impl DeviceInfo {
    /// What runs there: platform and version, of which either may not be told; the seed has no word for some platforms.
    #[must_use]
    pub fn app(&self) -> String {
        match (self.platform, self.app_version.as_str()) {
            (platform, "") => platform.to_string(),
            (Platform::Unspecified, version) => version.to_owned(),
            (platform, version) => format!("{platform} {version}"),
        }
    }

    /// What kind of device it is, as far as it says so itself; its platform alone does not tell a phone from a tablet.
    #[must_use]
    pub fn form(&self) -> DeviceForm {
        let words = format!("{} {}", self.platform_details, self.label).to_lowercase();
        let says = |known: &[&str]| known.iter().any(|word| words.contains(word));
        match self.platform {
            Platform::Android | Platform::Ios if says(&["ipad", "tablet", " tab ", "galaxy tab", "sm-x", "sm-t"]) => {
                DeviceForm::Tablet
            }
            Platform::Android | Platform::Ios if says(&["phone", "pixel", "galaxy s", "fairphone"]) => {
                DeviceForm::Phone
            }
            Platform::Android | Platform::Ios => DeviceForm::Mobile,
            Platform::Desktop | Platform::Web => DeviceForm::Computer,
            Platform::Unspecified => DeviceForm::Unknown,
        }
    }
}

/// What kind of device it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceForm {
    /// It runs the mobile app, on a phone.
    Phone,
    /// It runs the mobile app, on a tablet.
    Tablet,
    /// It runs a mobile app, and does not say on what.
    Mobile,
    /// A desktop or a browser.
    Computer,
    /// It says nothing.
    Unknown,
}

impl Sealable for DeviceInfo {
    fn key(keys: &GroupKeys) -> &SealKey {
        &keys.device_info
    }

    fn encode(&self, dialect: Dialect) -> Vec<u8> {
        let platform = self.platform;
        match dialect {
            Dialect::Mk => d2d_seed::DeviceInfo {
                padding: Bytes::new(),
                platform: match platform {
                    Platform::Android => 1,
                    Platform::Ios => 2,
                    Platform::Web => 3,
                    // The seed knows no desktop.
                    Platform::Unspecified | Platform::Desktop => 0,
                },
                app_version: self.app_version.as_str().to_owned(),
                description: self.label.as_str().to_owned(),
            }
            .encode_to_vec(),
            Dialect::Dgk => d2d::DeviceInfo {
                padding: Bytes::new(),
                platform: match platform {
                    Platform::Unspecified => 0,
                    Platform::Android => 1,
                    Platform::Ios => 2,
                    Platform::Desktop => 3,
                    Platform::Web => 4,
                },
                platform_details: self.platform_details.as_str().to_owned(),
                app_version: self.app_version.as_str().to_owned(),
                label: self.label.as_str().to_owned(),
            }
            .encode_to_vec(),
        }
    }

    fn decode(plain: Bytes, dialect: Dialect) -> Result<Self, DecodeError> {
        let malformed = |_| DecodeError::Malformed("device info");
        Ok(match dialect {
            Dialect::Mk => {
                let info = d2d_seed::DeviceInfo::decode(plain).map_err(malformed)?;
                Self {
                    platform: match info.platform {
                        1 => Platform::Android,
                        2 => Platform::Ios,
                        3 => Platform::Web,
                        _ => Platform::Unspecified,
                    },
                    platform_details: Clean::default(),
                    app_version: Clean::new(&info.app_version),
                    label: Clean::new(&info.description),
                }
            }
            Dialect::Dgk => {
                let info = d2d::DeviceInfo::decode(plain).map_err(malformed)?;
                Self {
                    platform: match info.platform {
                        1 => Platform::Android,
                        2 => Platform::Ios,
                        3 => Platform::Desktop,
                        4 => Platform::Web,
                        _ => Platform::Unspecified,
                    },
                    platform_details: Clean::new(&info.platform_details),
                    app_version: Clean::new(&info.app_version),
                    label: Clean::new(&info.label),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_that_is_not_told_is_not_called_unknown_beside_a_version() {
        for (platform, version, expected) in [
            (Platform::Android, "6.4.2", "Android 6.4.2"),
            (Platform::Android, "", "Android"),
            (Platform::Unspecified, "d2mtop 0.1.0", "d2mtop 0.1.0"),
            (Platform::Unspecified, "", "unknown"),
        ] {
            let info = DeviceInfo { platform, app_version: Clean::new(version), ..DeviceInfo::default() };
            assert_eq!(info.app(), expected);
        }
    }
}
