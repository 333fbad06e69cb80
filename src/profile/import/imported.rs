//! [`Imported`]: a group as its source knows it.

use super::oppf::DomainPins;
use crate::protocol::{Dialect, GroupSecret, ServerGroup};
use crate::text::Clean;

/// A group as its source knows it.
#[derive(Debug)]
pub struct Imported {
    /// The protocol that the group speaks.
    pub dialect: Dialect,
    /// The mediator's URL template, if it is known.
    pub mediator: Option<String>,
    /// The identity's server group.
    pub server_group: ServerGroup,
    /// The identity, if it is known.
    pub identity: Option<Clean>,
    /// The public keys that servers may have, by domain.
    pub pins: Vec<DomainPins>,
    /// The group's key.
    pub secret: GroupSecret,
}
