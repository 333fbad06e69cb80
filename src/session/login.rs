//! The login: the answer to the server's challenge, and what follows from its welcome.

use super::online::Online;
use super::receipt::{IdRanges, Unacknowledged};
use super::{Phase, Session, SlotExpectation, VERSION};
use crate::group::{Event, Login};
use crate::protocol::{
    ChallengeResponse, ClientHello, ClientMessage, Millis, Sealed, ServerHello, ServerInfo, ServerMessage, SlotState,
};

impl Session {
    pub(super) fn on_message(&mut self, now: Millis, message: ServerMessage) {
        let Phase::Handshaking { deadline, greeted } = self.phase else {
            return self.on_online_message(now, message);
        };
        match message {
            ServerMessage::Hello(hello) if !greeted => {
                self.phase = Phase::Handshaking { deadline, greeted: true };
                self.greet(now, &hello);
            }
            ServerMessage::Info(info) if greeted => self.log_in(now, &info),
            // The chat server may speak at any time.
            ServerMessage::Proxy(frame) => self.on_proxy(frame),
            _ => self.server_error(now, "a message came before the login was done"),
        }
    }

    pub(super) fn greet(&mut self, now: Millis, hello: &ServerHello) {
        let (response_nonce, info_nonce) = (self.nonce(), self.nonce());
        let keys = &self.config.keys;
        let answer = ChallengeResponse::answer(&hello.challenge, &hello.ephemeral_key, keys, &response_nonce);
        let Ok(response) = answer else {
            return self.server_error(now, "its ephemeral key is unusable");
        };
        let hello = ClientHello {
            version: VERSION,
            response,
            device_id: self.config.device_id,
            exhausted_policy: self.config.exhausted_policy,
            expiration_policy: self.config.expiration_policy,
            expected_slot_state: self.expects.state(),
            device_info: Sealed::seal(&self.config.device_info, keys, info_nonce),
        };
        self.send(&ClientMessage::Hello(hello));
    }

    pub(super) fn log_in(&mut self, now: Millis, info: &ServerInfo) {
        if info.slot_state == SlotState::New {
            // A new slot counts its ids anew.
            self.received = IdRanges::default();
            self.earlier = Unacknowledged::default();
        }
        self.expects = SlotExpectation::after_login(self.config.expiration_policy);
        self.slot_state_refused = false;
        self.own_drop_sent = false;
        let (shared, reused) = self.stored.shared(&info.shared_device_data);
        if reused.is_some() {
            self.ignored("shared device data that uses the nonce of other shared device data");
        }
        let shared = (!shared.is_empty()).then(|| shared.open(&self.config.keys));
        self.clock_offset = info.current_time.map(|time| time.ahead_of(now));
        self.emit(Event::LoggedIn(Login {
            own: self.config.device_id,
            dialect: self.dialect(),
            max_device_slots: info.max_device_slots,
            slot_state: info.slot_state,
            clock_offset: self.clock_offset,
            reflection_queue_length: info.reflection_queue_length,
            shared_version: shared.iter().flatten().map(|data| data.version).find(|version| *version > 0),
        }));
        if let Some(shared) = shared {
            self.emit(Event::SharedDeviceData(shared));
        }
        self.phase = Phase::Online(Box::new(Online::new(now, &self.config.timing)));
        self.serve_chat_client();
        self.request_devices(now);
    }
}
