//! Tests a client against a mediator in the same process: on a port of its own, without TLS, with everything in memory.
//!
//! ```text
//! cargo run --example embed_mediator --no-default-features --features net
//! ```
//!
//! [`client_under_test`] is the place for your own client. This one speaks the protocol by hand: it logs in, and reads until
//! it has all that waited for it.

use std::error::Error;

use d2mtop::mediator::LogEvent;
use d2mtop::net::{Address, Link, LinkEvent, Listener, ListenerOptions, LogLine, TlsOptions};
use d2mtop::protocol::{
    ChallengeResponse, ClientHello, ClientMessage, ClientUrlInfo, CloseCode, DeviceId, DeviceInfo, Dialect,
    ExhaustedPolicy, ExpirationPolicy, GroupKeys, GroupSecret, Nonce, Sealed, ServerGroup, ServerHello, ServerMessage,
    SlotState,
};
use d2mtop::text::Clean;
use rand::Rng as _;
use tokio::sync::{mpsc, oneshot};

const DIALECT: Dialect = Dialect::Dgk;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = Listener::bind(ListenerOptions::default()).await?;
    let base = format!("ws://{}/", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let (log, mut logged) = mpsc::unbounded_channel();
    let serving = tokio::spawn(listener.run(async { drop(stopped.await) }, move |line| drop(log.send(line))));

    client_under_test(&base, DeviceId(7)).await?;

    drop(stop);
    serving.await?;
    let mut logins = 0;
    while let Some(line) = logged.recv().await {
        println!("{line:?}");
        logins += usize::from(matches!(line, LogLine::Mediator(LogEvent::LoggedIn { device: DeviceId(7), .. })));
    }
    assert_eq!(logins, 1, "the mediator saw one login of our client");
    Ok(())
}

async fn client_under_test(base: &str, device_id: DeviceId) -> Result<(), Box<dyn Error>> {
    let keys = GroupKeys::derive(DIALECT, &GroupSecret::new(&mut [7; 32]));
    let server_group = ServerGroup::parse("01", DIALECT)?;
    let url = ClientUrlInfo { dialect: DIALECT, device_group_id: keys.device_group_id(), server_group }.url(base);
    let mut link = Address::new(&url, &TlsOptions::default())?.connect().await.map_err(|end| format!("{end:?}"))?;
    loop {
        for message in read(&mut link).await? {
            println!("{message:?}");
            match message {
                ServerMessage::Hello(challenge) => {
                    link.send(ClientMessage::Hello(hello(&challenge, &keys, device_id)?).encode(DIALECT));
                }
                ServerMessage::ReflectionQueueDry => {
                    link.close(CloseCode::NORMAL).await;
                    link.linger().await;
                    return Ok(());
                }
                _ => {}
            }
        }
    }
}

/// The answer to the challenge, and who we are.
fn hello(challenge: &ServerHello, keys: &GroupKeys, device_id: DeviceId) -> Result<ClientHello, Box<dyn Error>> {
    let mut random = rand::rngs::OsRng;
    let info = DeviceInfo { label: Clean::literal("client under test"), ..DeviceInfo::default() };
    Ok(ClientHello {
        version: 0,
        response: ChallengeResponse::answer(
            &challenge.challenge,
            &challenge.ephemeral_key,
            keys,
            &Nonce(random.r#gen()),
        )?,
        device_id,
        exhausted_policy: ExhaustedPolicy::Reject,
        expiration_policy: ExpirationPolicy::Volatile,
        expected_slot_state: SlotState::New,
        device_info: Sealed::seal(&info, keys, Nonce(random.r#gen())),
    })
}

/// The next messages; none where there was something else.
async fn read(link: &mut Link) -> Result<Vec<ServerMessage>, Box<dyn Error>> {
    match link.next(true).await {
        Some(LinkEvent::Frames(frames)) => {
            Ok(frames.into_iter().map(|frame| ServerMessage::decode(frame, DIALECT)).collect::<Result<_, _>>()?)
        }
        Some(LinkEvent::End(end)) => Err(format!("the connection ended: {end:?}").into()),
        _ => Ok(Vec::new()),
    }
}
