use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as WireCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use super::*;
use crate::net::TlsOptions;
use crate::protocol::CloseCode;
use crate::rendezvous::wire::close;

/// The link, open, and the relay's end of it.
async fn open() -> (RelayLink, WebSocketStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/path", listener.local_addr().unwrap());
    let relay = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_tungstenite::accept_async(stream).await.unwrap()
    });
    let mut link = RelayLink::open(&Address::new(&url, &TlsOptions::default()).unwrap());
    assert!(matches!(link.next().await, RelayLinkEvent::Input(LinkInput::Up)));
    (link, relay.await.unwrap())
}

/// What comes of the stream, up to so many bytes.
async fn stream(link: &mut RelayLink, length: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    while stream.len() < length {
        match link.next().await {
            RelayLinkEvent::Input(LinkInput::Bytes(part)) => stream.extend_from_slice(&part),
            other => panic!("{other:?}"),
        }
    }
    stream
}

#[tokio::test]
async fn each_frame_is_one_message_and_messages_may_be_large() {
    let (mut link, mut relay) = open().await;
    let frames = [vec![1; 4], vec![2; 300_000], Vec::new()];
    for frame in &frames {
        link.act(LinkOutput::Send(frame.clone().into())).await;
    }
    let reading = tokio::spawn(async move {
        let mut came = Vec::new();
        for _ in 0..3 {
            came.push(relay.next().await.unwrap().unwrap());
        }
        relay.send(Message::Binary(vec![3; 5 << 20].into())).await.unwrap();
        relay.send(Message::Binary(vec![4; 7].into())).await.unwrap();
        relay.send(Message::Text("text".into())).await.unwrap();
        (relay, came)
    });
    assert!(matches!(link.next().await, RelayLinkEvent::Flushed));
    let expected = [vec![3; 5 << 20], vec![4; 7]].concat();
    assert!(stream(&mut link, expected.len()).await == expected);
    assert!(matches!(link.next().await, RelayLinkEvent::Input(LinkInput::Text)));
    let (_relay, came) = reading.await.unwrap();
    assert_eq!(came, frames.map(|frame| Message::Binary(frame.into())));
}

#[tokio::test]
async fn both_sides_close_with_a_code() {
    let (mut link, mut relay) = open().await;
    link.act(LinkOutput::Send(vec![7].into())).await;
    let told = tokio::spawn(async move {
        let mut told = Vec::new();
        while let Some(Ok(message)) = relay.next().await {
            told.push(message);
        }
        told
    });
    link.act(LinkOutput::Close(close::FAILED)).await;
    let frame = CloseFrame { code: WireCode::from(4100), reason: "".into() };
    assert_eq!(told.await.unwrap(), [Message::Binary(vec![7].into()), Message::Close(Some(frame))]);

    let (mut link, mut relay) = open().await;
    relay.close(Some(CloseFrame { code: WireCode::from(4004), reason: "gone".into() })).await.unwrap();
    let RelayLinkEvent::Input(LinkInput::Down(RelayLinkEnd::Closed { code, reason })) = link.next().await else {
        panic!("it is closed")
    };
    assert_eq!((code, reason.as_str()), (CloseCode(4004), "gone"));
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_unreachable() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/secret", gone.local_addr().unwrap());
    drop(gone);
    let mut link = RelayLink::open(&Address::new(&url, &TlsOptions::default()).unwrap());
    let RelayLinkEvent::Input(LinkInput::Down(RelayLinkEnd::Unreachable(why))) = link.next().await else {
        panic!("it is up")
    };
    assert!(why.as_str().contains("nobody listens") && !why.as_str().contains("secret"), "{why}");
    link.act(LinkOutput::Close(close::FAILED)).await;
}
