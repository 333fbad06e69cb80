//! Sealed data that the server stores and sends again and again: device infos and shared device data. The same nonce comes
//! again with it, which is no replay; the same nonce around other bytes is one, or a broken sender.

use std::collections::BTreeMap;

use crate::protocol::{DeviceId, DeviceInfo, Sealed, SharedDeviceData};

/// The last sealed bytes of each device, and of the shared data.
#[derive(Debug, Default)]
pub(super) struct Stored {
    device_infos: BTreeMap<DeviceId, Sealed<DeviceInfo>>,
    shared: Option<Sealed<SharedDeviceData>>,
}

/// Other bytes came with the nonce of the last ones, which stay.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NonceReused;

impl Stored {
    pub(super) fn parts(
        &self,
    ) -> (impl Iterator<Item = (DeviceId, &Sealed<DeviceInfo>)>, Option<&Sealed<SharedDeviceData>>) {
        (self.device_infos.iter().map(|(id, info)| (*id, info)), self.shared.as_ref())
    }

    pub(super) const fn of_parts(
        device_infos: BTreeMap<DeviceId, Sealed<DeviceInfo>>,
        shared: Option<Sealed<SharedDeviceData>>,
    ) -> Self {
        Self { device_infos, shared }
    }

    /// Takes a device's info; [`Err`] has the one to go on with, if the new one is not to be believed.
    pub(super) fn device_info(
        &mut self,
        device: DeviceId,
        info: &Sealed<DeviceInfo>,
    ) -> Result<(), (NonceReused, Sealed<DeviceInfo>)> {
        match self.device_infos.get(&device) {
            Some(last) if reuses(last, info) => Err((NonceReused, last.clone())),
            _ => {
                // Copied: a list shares its memory with everything that was read with it.
                self.device_infos.insert(device, info.detached());
                Ok(())
            }
        }
    }

    /// Forgets devices that are no longer listed.
    pub(super) fn retain(&mut self, is_listed: impl Fn(&DeviceId) -> bool) {
        self.device_infos.retain(|device, _| is_listed(device));
    }

    /// The shared device data to go on with, and whether the new one is not to be believed.
    pub(super) fn shared(
        &mut self,
        data: &Sealed<SharedDeviceData>,
    ) -> (Sealed<SharedDeviceData>, Option<NonceReused>) {
        match &self.shared {
            Some(last) if reuses(last, data) => (last.clone(), Some(NonceReused)),
            _ => {
                self.shared = Some(data.detached());
                (data.clone(), None)
            }
        }
    }
}

fn reuses<T>(last: &Sealed<T>, new: &Sealed<T>) -> bool {
    last.nonce().is_some() && last.nonce() == new.nonce() && last != new
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn sealed<T>(nonce: u8, content: u8) -> Sealed<T> {
        let mut bytes = vec![nonce; 24];
        bytes.extend([content; 30]);
        Sealed::from_wire(Bytes::from(bytes))
    }

    #[test]
    fn the_same_nonce_may_come_again_but_not_around_other_bytes() {
        let mut stored = Stored::default();
        let (phone, laptop) = (DeviceId(1), DeviceId(2));
        let first = sealed(1, 1);
        assert_eq!(stored.device_info(phone, &first), Ok(()));
        assert_eq!(stored.device_info(phone, &first), Ok(()), "the server repeats what it stores");
        assert_eq!(stored.device_info(laptop, &sealed(1, 2)), Ok(()), "each device has its own");
        assert_eq!(stored.device_info(phone, &sealed(1, 9)), Err((NonceReused, first)));
        assert_eq!(stored.device_info(phone, &sealed(2, 9)), Ok(()), "a new one");
        stored.retain(|device| *device == laptop);
        assert_eq!(stored.device_info(phone, &sealed(2, 7)), Ok(()), "it was gone in between");

        let first = sealed(3, 1);
        assert_eq!(stored.shared(&first), (first.clone(), None));
        assert_eq!(stored.shared(&sealed(3, 2)), (first, Some(NonceReused)));
        assert_eq!(stored.shared(&sealed(4, 2)), (sealed(4, 2), None));
        let nothing: Sealed<SharedDeviceData> = Sealed::default();
        assert_eq!(stored.shared(&nothing), (nothing.clone(), None), "never set");
    }
}
