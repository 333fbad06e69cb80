//! A WebSocket on a connection that was upgraded.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// Goes on after the upgrade, with what was already read of the connection.
///
/// The library makes the buffer for all further reading from these bytes, and never larger than they had room for: without
/// room there is one read for each message, and not one for many.
pub(super) async fn after_upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    mut early: Vec<u8>,
    role: Role,
    config: WebSocketConfig,
) -> WebSocketStream<S> {
    early.reserve(config.read_buffer_size);
    WebSocketStream::from_partially_read(stream, early, role, Some(config)).await
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_util::StreamExt as _;
    use tokio::io::ReadBuf;

    use super::*;

    /// All that a peer sent, and how often it was read from.
    struct Sent<'a> {
        bytes: &'a [u8],
        reads: &'a mut usize,
    }

    impl AsyncRead for Sent<'_> {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            *self.reads += 1;
            Pin::new(&mut self.bytes).poll_read(cx, buffer)
        }
    }

    #[test]
    fn many_messages_are_read_at_once_whether_the_first_came_with_the_upgrade_or_not() {
        let message = [&[0x82, 126, 0, 200][..], &[7; 200]].concat();
        let all = message.repeat(1_000);
        for early in [0, 1, 150, 1_000] {
            let mut reads = 0;
            let (before, bytes) = all.split_at(early);
            let stream = tokio::io::join(Sent { bytes, reads: &mut reads }, tokio::io::sink());
            let event_loop = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let received = event_loop.block_on(async {
                let config = WebSocketConfig::default();
                let socket = after_upgrade(stream, before.to_vec(), Role::Client, config).await;
                // As with envelopes in the feed, who reads keeps what came.
                socket.take(1_000).map(Result::unwrap).collect::<Vec<_>>().await
            });
            assert_eq!(received.len(), 1_000);
            assert!(received.iter().all(|message| message.clone().into_data() == [7; 200][..]));
            assert!(reads < 50, "{reads} reads for 1,000 messages, {early} bytes of which came with the upgrade");
        }
    }
}
