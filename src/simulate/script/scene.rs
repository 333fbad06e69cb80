//! [`Scene`]: what happens, and how often.

use crate::simulate::cast::Part;

/// What happens, one after the other; each is one or more steps.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scene {
    /// A contact types, then writes; the phone confirms the receipt.
    Chat,
    GroupTalk,
    File,
    Receipt,
    Reaction,
    /// What came in was read.
    Read,
    /// The user writes; the chat server takes it.
    Write,
    WriteToGroup,
    Contacts,
    Groups,
    Settings,
    Profile,
}

impl Scene {
    pub(super) const fn takes_the_lock(self) -> bool {
        matches!(self, Self::Contacts | Self::Groups | Self::Settings | Self::Profile)
    }

    /// What a device does, and how often relative to the rest.
    pub(super) const fn of(part: Part) -> &'static [(Self, u32)] {
        match part {
            Part::Phone => &[
                (Self::Chat, 36),
                (Self::GroupTalk, 22),
                (Self::File, 6),
                (Self::Receipt, 10),
                (Self::Reaction, 8),
                (Self::Read, 6),
                (Self::Write, 8),
                (Self::Contacts, 2),
                (Self::Groups, 1),
                (Self::Profile, 1),
            ],
            Part::Laptop => &[
                (Self::Write, 30),
                (Self::WriteToGroup, 16),
                (Self::Read, 24),
                (Self::Contacts, 16),
                (Self::Groups, 5),
                (Self::Settings, 6),
                (Self::Profile, 3),
            ],
            Part::Tablet => &[(Self::Write, 40), (Self::WriteToGroup, 20), (Self::Read, 40)],
            Part::Web => &[(Self::Write, 60), (Self::Read, 40)],
        }
    }
}
