//! What a user or a script asks for while there is a login.

use super::{Command, Phase, Session};
use crate::group::Refusal;
use crate::protocol::d2d::Composer;
use crate::protocol::{ClientMessage, Envelope, MAX_ENVELOPE_SEALED, Millis, Reflect, ReflectId, Sealed};

impl Session {
    pub(super) fn on_online_command(&mut self, now: Millis, command: Command) {
        let changes_the_group = !matches!(command, Command::RefreshDevices | Command::Ping | Command::ReleaseLock);
        if changes_the_group && self.config.read_only {
            return self.refuse(Refusal::ReadOnly);
        }
        if !matches!(self.phase, Phase::Online(_)) {
            return self.refuse(Refusal::NotConnected);
        }
        match command {
            Command::RefreshDevices if self.online().is_some_and(|online| online.is_owed_too_much()) => {
                self.refuse(Refusal::Busy);
            }
            Command::RefreshDevices => self.request_devices(now),
            Command::Ping => self.ping(now),
            Command::TakeLock { scope, ttl } => self.take_lock(scope, ttl),
            Command::LookAtLock => self.look_at_lock(),
            Command::ReleaseLock => self.release_lock(),
            Command::DropDevice(device) => self.drop_device(device.into_inner()),
            Command::LeaveGroup(_) => self.drop_device(self.config.device_id),
            Command::GiveUpSlot => self.give_up_slot(),
            // What the other devices could not read must not reach their queues.
            Command::Reflect { envelope, .. } if !envelope.representable_in(self.config.keys.dialect()) => {
                self.refuse(Refusal::NotInDialect);
            }
            Command::Reflect { envelope, ephemeral } => {
                let sealed = Sealed::seal(&*envelope, &self.config.keys.clone(), self.nonce());
                self.reflect(sealed, ephemeral);
            }
            Command::Probe(_) => self.probe(),
            Command::SetSharedDeviceData(data) => {
                let sealed = Sealed::seal(&data.into_inner(), &self.config.keys.clone(), self.nonce());
                self.send(&ClientMessage::SetSharedDeviceData(sealed));
            }
            Command::Reconnect { .. }
            | Command::Leave
            | Command::AcknowledgeDevices
            | Command::BeginProxy(_)
            | Command::Proxy(_)
            | Command::EndProxy => {}
        }
    }

    /// Reflects what changes nothing anywhere: news of messages that were read, which names no message. The seed has no
    /// such thing.
    fn probe(&mut self) {
        let composer = Composer::new(self.dialect(), self.config.device_id);
        match composer.read(&[], Millis(0)) {
            Some(envelope) => {
                let sealed = Sealed::seal(&envelope, &self.config.keys.clone(), self.nonce());
                self.reflect(sealed, false);
            }
            None => self.refuse(Refusal::NoProbe),
        }
    }

    fn reflect(&mut self, envelope: Sealed<Envelope>, ephemeral: bool) {
        if envelope.len() > MAX_ENVELOPE_SEALED {
            return self.refuse(Refusal::TooLarge);
        }
        let precise = self.precise;
        if !ephemeral && self.online().is_some_and(|online| online.awaits_too_many_reflections()) {
            return self.refuse(Refusal::Busy);
        }
        let Some(online) = self.online() else { return };
        let id = ReflectId(online.next_reflect_id);
        online.next_reflect_id = online.next_reflect_id.wrapping_add(1);
        if !ephemeral {
            online.reflects.insert(id, precise);
        }
        self.send(&ClientMessage::Reflect(Reflect { id, ephemeral, envelope }));
    }
}
