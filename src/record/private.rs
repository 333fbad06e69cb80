//! [`Private`]: what only the group may read of a recording.

use std::fmt;

use rand::RngCore as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::protocol::{GroupKeys, Nonce, StateKey};

/// Bytes that are sealed under a key derived from the group's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private(Vec<u8>);

impl fmt::Debug for Private {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Private({} bytes)", self.0.len())
    }
}

/// Seals and opens what only the group may read.
#[derive(Debug)]
pub struct PrivateKey(StateKey);

impl PrivateKey {
    /// The key of a group.
    #[must_use]
    pub fn of(keys: &GroupKeys) -> Self {
        Self(StateKey::of(keys))
    }

    /// Under a nonce of its own.
    #[must_use]
    pub fn seal(&self, value: &impl Serialize) -> Private {
        let mut nonce = Nonce([0; 24]);
        rand::thread_rng().fill_bytes(&mut nonce.0);
        // What is serialised here has no part that could not be.
        Private(self.0.seal(&postcard::to_stdvec(value).unwrap_or_default(), nonce))
    }

    /// Opens a value; [`None`] if it is another group's, or was changed.
    #[must_use]
    pub fn open<T: DeserializeOwned>(&self, private: &Private) -> Option<T> {
        postcard::from_bytes(&self.0.open(&private.0).ok()?).ok()
    }
}
