//! [`Imported`]: what an import knows of a group.

use super::oppf::DomainPins;
use crate::protocol::{Dialect, GroupSecret, ServerGroup};
use crate::text::Clean;

/// What an import knows of a group.
#[derive(Debug)]
pub struct Imported {
    /// What the group speaks.
    pub dialect: Dialect,
    /// The mediator's URL template, if the import tells.
    pub mediator: Option<String>,
    /// The identity's server group.
    pub server_group: ServerGroup,
    /// Whose group it is, if that is known.
    pub identity: Option<Clean>,
    /// Public keys that servers must have.
    pub pins: Vec<DomainPins>,
    /// The group's key.
    pub secret: GroupSecret,
}
