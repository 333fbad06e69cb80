//! [`Comparison`]: how a figure is compared.

use std::cmp::Ordering;

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

impl Comparison {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => ":",
            Self::AtLeast => ">=",
            Self::More => ">",
        }
    }

    pub(super) fn holds<T: Ord>(self, one: &T, other: &T) -> bool {
        match one.cmp(other) {
            Ordering::Less => matches!(self, Self::Less | Self::AtMost),
            Ordering::Equal => matches!(self, Self::AtMost | Self::Equal | Self::AtLeast),
            Ordering::Greater => matches!(self, Self::AtLeast | Self::More),
        }
    }
}
