//! A device of the group that reflects just these bytes, whatever they are.

use d2mtop::protocol::{
    ChallengeResponse, ClientHello, ClientMessage, ClientUrlInfo, DeviceId, DeviceInfo, Envelope, ExhaustedPolicy,
    ExpirationPolicy, GroupKeys, Nonce, Reflect, ReflectId, Sealed, ServerGroup, ServerMessage, SlotState,
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

/// Logs in, reflects everything, waits until it is stored, and leaves.
pub fn reflect(url: &str, keys: &GroupKeys, info: &Sealed<DeviceInfo>, envelopes: &[Sealed<Envelope>]) {
    let dialect = keys.dialect();
    let server_group = ServerGroup::parse("01", dialect).unwrap();
    let url = ClientUrlInfo { dialect, device_group_id: keys.device_group_id(), server_group }.url(url);
    d2mtop::os::event_loop::event_loop().unwrap().block_on(async {
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let mut stored = 0;
        while stored < envelopes.len() {
            let Message::Binary(frame) = socket.next().await.unwrap().unwrap() else { continue };
            match ServerMessage::decode(frame, dialect).unwrap() {
                ServerMessage::Hello(hello) => {
                    let response =
                        ChallengeResponse::answer(&hello.challenge, &hello.ephemeral_key, keys, &Nonce([1; 24]))
                            .unwrap();
                    let hello = ClientMessage::Hello(ClientHello {
                        version: 0,
                        response,
                        device_id: DeviceId(66),
                        exhausted_policy: ExhaustedPolicy::Reject,
                        expiration_policy: ExpirationPolicy::Persistent,
                        expected_slot_state: SlotState::New,
                        device_info: info.clone(),
                    });
                    socket.send(Message::Binary(hello.encode(dialect))).await.unwrap();
                }
                ServerMessage::Info(_) => {
                    for (number, envelope) in envelopes.iter().enumerate() {
                        let reflect = ClientMessage::Reflect(Reflect {
                            id: ReflectId(u32::try_from(number).unwrap()),
                            ephemeral: false,
                            envelope: envelope.clone(),
                        });
                        socket.send(Message::Binary(reflect.encode(dialect))).await.unwrap();
                    }
                }
                ServerMessage::ReflectAck { .. } => stored += 1,
                _ => {}
            }
        }
        socket.close(None).await.unwrap();
    });
}
