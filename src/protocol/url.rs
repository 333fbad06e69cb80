//! [`ClientUrlInfo`]: the last path segment of the WebSocket URL, which names the device group before any message.

use std::fmt;

use prost::Message as _;

use super::container::DecodeError;
use super::dialect::Dialect;
use super::proto::d2m;

/// The public half of the group's path key: the name under which the mediator knows the group.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceGroupId(pub [u8; 32]);

impl fmt::Display for DeviceGroupId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for DeviceGroupId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DeviceGroupId({self})")
    }
}

/// The server group that the directory assigned to the identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerGroup(String);

/// The text is not a server group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerGroupError {
    /// Today's groups are letters and digits.
    #[error("a server group is one or more letters and digits, such as 01")]
    NotAlphanumeric,
    /// The seed's groups are numbers, written as hex digits.
    #[error("in dialect mk a server group is a number in hex digits, such as 01 or 5e")]
    NotNumeric,
}

impl ServerGroup {
    /// A server group as people write it. In `mk` the wire has a number: the text is read as hex digits, the way that
    /// clients mapped numbers to text when they moved from one dialect to the other (5 is `05`, 94 is `5e`).
    ///
    /// # Errors
    /// If the text is not letters and digits, or in `mk` not hex digits of a 32-bit number.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, ServerGroupError> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(ServerGroupError::NotAlphanumeric);
        }
        if dialect == Dialect::Mk {
            let number = u32::from_str_radix(text, 16).map_err(|_| ServerGroupError::NotNumeric)?;
            return Ok(Self::from_number(number));
        }
        Ok(Self(text.to_owned()))
    }

    fn from_number(number: u32) -> Self {
        Self(format!("{number:02x}"))
    }

    fn number(&self) -> u32 {
        u32::from_str_radix(&self.0, 16).unwrap_or(0)
    }

    /// The group as it stands in a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the URL tells the mediator: which group, and in which dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientUrlInfo {
    /// The dialect, told by which field carries the server group.
    pub dialect: Dialect,
    /// The group's name at the mediator, from the URL's path.
    pub device_group_id: DeviceGroupId,
    /// The chat server group.
    pub server_group: ServerGroup,
}

impl ClientUrlInfo {
    /// The path segment: lower-case hex of the serialized message.
    #[must_use]
    pub fn path_segment(&self) -> String {
        let mut info = d2m::ClientUrlInfo {
            device_group_id: bytes::Bytes::copy_from_slice(&self.device_group_id.0),
            ..Default::default()
        };
        match self.dialect {
            Dialect::Mk => info.server_group_numeric = self.server_group.number(),
            Dialect::Dgk => self.server_group.as_str().clone_into(&mut info.server_group),
        }
        hex::encode(info.encode_to_vec())
    }

    /// The whole URL: `base` with its placeholders filled in, and the path segment.
    ///
    /// `{deviceGroupIdPrefix4}` becomes the first hex digit of the group id, `{deviceGroupIdPrefix8}` the first two.
    #[must_use]
    pub fn url(&self, base: &str) -> String {
        let id = self.device_group_id.to_string();
        let prefix = |digits: usize| id.get(..digits).unwrap_or_default();
        let base = base.replace("{deviceGroupIdPrefix4}", prefix(1)).replace("{deviceGroupIdPrefix8}", prefix(2));
        let slash = if base.ends_with('/') { "" } else { "/" };
        format!("{base}{slash}{}", self.path_segment())
    }

    /// Reads the last segment of a request path; whatever stands before it belongs to the base URL.
    ///
    /// # Errors
    /// If the segment is not hex, not the message, or its group id does not have 32 bytes.
    pub fn from_path(path: &str) -> Result<Self, DecodeError> {
        let segment = path.rsplit('/').next().unwrap_or_default();
        let bytes = hex::decode(segment).map_err(|_| DecodeError::Malformed("URL path"))?;
        let info = d2m::ClientUrlInfo::decode(bytes.as_slice()).map_err(|_| DecodeError::Malformed("URL path"))?;
        let id: [u8; 32] =
            info.device_group_id.as_ref().try_into().map_err(|_| DecodeError::WrongLength("device group id"))?;
        let (dialect, server_group) = if info.server_group.is_empty() {
            (Dialect::Mk, ServerGroup::from_number(info.server_group_numeric))
        } else {
            let group = ServerGroup::parse(&info.server_group, Dialect::Dgk)
                .map_err(|_| DecodeError::UnknownValue("server group"))?;
            (Dialect::Dgk, group)
        };
        Ok(Self { dialect, device_group_id: DeviceGroupId(id), server_group })
    }
}
