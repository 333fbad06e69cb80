//! A session that has logged in, without a socket.

use std::sync::Arc;

use d2mtop::protocol::challenge::ephemeral_public_key;
use d2mtop::protocol::{
    Challenge, DeviceId, GroupKeys, Millis, Sealed, ServerHello, ServerInfo, ServerMessage, SlotState,
};
use d2mtop::session::{LeaderPolicy, Session, SessionConfig, SessionInput};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

pub fn logged_in(keys: &Arc<GroupKeys>, now: Millis) -> Session {
    let config =
        SessionConfig { leader_policy: LeaderPolicy::Stay, ..SessionConfig::of(Arc::clone(keys), DeviceId(1)) };
    let dialect = keys.dialect();
    let mut session = Session::new(config, StdRng::seed_from_u64(1));
    let hello = ServerMessage::Hello(ServerHello {
        version: 0,
        ephemeral_key: ephemeral_public_key(&[2; 32]),
        challenge: Challenge([3; 32]),
    });
    let info = ServerMessage::Info(ServerInfo {
        max_device_slots: 5,
        slot_state: SlotState::New,
        shared_device_data: Sealed::default(),
        current_time: None,
        reflection_queue_length: None,
    });
    session.handle(now, SessionInput::Timer);
    session.handle(now, SessionInput::LinkUp);
    session.handle(now, SessionInput::Frames(vec![hello.encode(dialect), info.encode(dialect)]));
    while session.poll().is_some() {}
    session
}
