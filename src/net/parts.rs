//! [`Parts`]: binary messages in small parts. Whose messages are pieces of a stream gets each piece as it comes, and nobody
//! holds a long one twice: once until it is whole, and once where it goes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes of a part.
pub(super) const LONGEST_PART: u16 = 32 * 1_024;

const LAST: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const CONTINUED: u8 = 0x0;
const BINARY: u8 = 0x2;
const MASKED: u8 = 0x80;

/// The longest header: two bytes, a length, and a mask that a server does not send.
const LONGEST_HEADER: usize = 10;

/// What a server sends on a WebSocket, rewritten: each frame of a binary message is one or more messages of its own.
#[derive(Debug)]
pub(super) struct Parts<S> {
    stream: S,
    /// What was read of it before.
    early: Vec<u8>,
    /// The header that is being read.
    header: Header,
    /// Rewritten, and to be read next.
    ready: Header,
    /// What is left of the frame, and whether it is cut.
    left: u64,
    is_cut: bool,
    /// What is left until the next header has to be made.
    left_of_part: u64,
    /// Whether a binary message goes on with frames that are told as continuations.
    goes_on: bool,
}

/// The first bytes of a frame.
#[derive(Debug, Default)]
struct Header {
    bytes: [u8; LONGEST_HEADER],
    length: usize,
}

impl Header {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The length of the frame's payload; [`None`] as long as bytes are missing.
    fn payload(&self) -> Option<u64> {
        let [_, length, rest @ ..] = self.as_slice() else { return None };
        match length & !MASKED {
            126 => rest.first_chunk().map(|length| u64::from(u16::from_be_bytes(*length))),
            127 => rest.first_chunk().map(|length| u64::from_be_bytes(*length)),
            length => Some(u64::from(length)),
        }
    }

    /// Of a whole binary message of this length.
    fn of_part(length: u16) -> Self {
        let mut header = Self::default();
        header.push(LAST | BINARY);
        if let Ok(short @ 0..126) = u8::try_from(length) {
            header.push(short);
        } else {
            header.push(126);
            length.to_be_bytes().into_iter().for_each(|byte| header.push(byte));
        }
        header
    }

    fn take_first(&mut self, count: usize) {
        self.bytes.copy_within(count.min(self.length)..self.length, 0);
        self.length = self.length.saturating_sub(count);
    }
}

impl<S> Parts<S> {
    /// Of a connection, and what was already read of it, from the first frame on.
    pub(super) fn new(stream: S, early: Vec<u8>) -> Self {
        let (header, ready) = (Header::default(), Header::default());
        Self { stream, early, header, ready, left: 0, is_cut: false, left_of_part: 0, goes_on: false }
    }

    /// A header is whole. What is no part of a binary message stays as it is.
    fn begin(&mut self, length: u64) {
        let [first, second, ..] = self.header.bytes;
        let opcode = first & OPCODE;
        let is_binary = opcode == BINARY || (opcode == CONTINUED && self.goes_on);
        self.left = length;
        self.is_cut = is_binary && first & RESERVED == 0 && second & MASKED == 0;
        if self.is_cut {
            self.goes_on = first & LAST == 0;
            self.begin_part();
        } else {
            self.left_of_part = length;
            self.ready = std::mem::take(&mut self.header);
        }
        self.header = Header::default();
    }

    fn begin_part(&mut self) {
        let part = u16::try_from(self.left).map_or(LONGEST_PART, |left| left.min(LONGEST_PART));
        self.left_of_part = part.into();
        self.ready = Header::of_part(part);
    }
}

impl<S: AsyncRead + Unpin> Parts<S> {
    /// Reads so many bytes at most; how many that were. None at the end of the stream.
    fn poll_stream(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>, most: u64) -> Poll<io::Result<usize>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(buffer.remaining());
        if !self.early.is_empty() {
            let most = most.min(self.early.len());
            self.early.drain(..most).for_each(|byte| buffer.put_slice(&[byte]));
            return Poll::Ready(Ok(most));
        }
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        buffer.advance(read);
        Poll::Ready(Ok(read))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Parts<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        while buffer.remaining() > 0 {
            if this.ready.length > 0 {
                let count = this.ready.length.min(buffer.remaining());
                buffer.put_slice(this.ready.as_slice().get(..count).unwrap_or_default());
                this.ready.take_first(count);
                continue;
            }
            if this.left_of_part == 0 && this.left > 0 {
                this.begin_part();
                continue;
            }
            let has_some = buffer.filled().len() > before;
            let polled = if this.left > 0 {
                this.poll_stream(cx, buffer, this.left_of_part)
            } else {
                let mut byte = [0];
                let mut one = ReadBuf::new(&mut byte);
                let polled = this.poll_stream(cx, &mut one, 1);
                if one.filled().len() == 1 {
                    this.header.push(byte[0]);
                    if let Some(length) = this.header.payload() {
                        this.begin(length);
                    }
                    continue;
                }
                polled
            };
            match polled {
                // What is there goes first; an end or an error comes again.
                Poll::Pending if has_some => break,
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) => break,
                Poll::Ready(Ok(read)) => {
                    this.left -= read as u64;
                    this.left_of_part -= read as u64;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Parts<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use proptest::prelude::*;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
    use tokio_tungstenite::tungstenite::{Error, Message};

    use super::*;

    /// A stream that is read in pieces of these lengths, again and again.
    struct Torn {
        bytes: Vec<u8>,
        pieces: Vec<usize>,
        next: usize,
    }

    impl AsyncRead for Torn {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.next += 1;
            let piece = self.pieces[self.next % self.pieces.len()].min(buffer.remaining()).min(self.bytes.len());
            if piece == 0 && !self.bytes.is_empty() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            buffer.put_slice(&self.bytes.drain(..piece).collect::<Vec<_>>());
            Poll::Ready(Ok(()))
        }
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = payload.len();
        let length = match u16::try_from(length) {
            Ok(short @ 0..126) => vec![u8::try_from(short).unwrap()],
            Ok(middle) => [&[126][..], &middle.to_be_bytes()].concat(),
            Err(_) => [&[127][..], &u64::try_from(length).unwrap().to_be_bytes()].concat(),
        };
        [&[first][..], &length, payload].concat()
    }

    fn read(bytes: &[u8], early: usize, pieces: &[usize]) -> Vec<Result<Message, Error>> {
        let early = early.min(bytes.len());
        let torn = Torn { bytes: bytes[early..].to_vec(), pieces: pieces.to_vec(), next: 0 };
        let parts = Parts::new(tokio::io::join(torn, tokio::io::sink()), bytes[..early].to_vec());
        let limit = Some(usize::from(LONGEST_PART));
        let config = WebSocketConfig::default().max_message_size(limit).max_frame_size(limit);
        let event_loop = tokio::runtime::Builder::new_current_thread().build().unwrap();
        event_loop.block_on(async {
            WebSocketStream::from_raw_socket(parts, Role::Client, Some(config)).await.collect().await
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_stream_is_the_same_however_it_is_framed_and_torn(
            frames in prop::collection::vec((0_usize..5, prop_oneof![0_usize..3, 100_usize..300, 30_000_usize..140_000]), 0..8),
            pieces in prop::collection::vec(prop_oneof![0_usize..4, 1_usize..70_000], 1..6),
            early in 0_usize..1_000,
        ) {
            prop_assume!(pieces.iter().any(|piece| *piece > 0));
            let (mut bytes, mut stream, mut others) = (Vec::new(), Vec::new(), 0);
            for ((kind, length), fill) in frames.into_iter().zip(0_u8..) {
                let payload = vec![fill; length];
                match kind {
                    // A message in two frames, a ping between them.
                    0 => {
                        let middle = length / 2;
                        bytes.extend(frame(BINARY, &payload[..middle]));
                        bytes.extend(frame(0x89, b"ping"));
                        bytes.extend(frame(LAST | CONTINUED, &payload[middle..]));
                        stream.extend(payload);
                        others += 1;
                    }
                    1 => {
                        bytes.extend(frame(LAST | 0x1, b"text"));
                        others += 1;
                    }
                    _ => {
                        bytes.extend(frame(LAST | BINARY, &payload));
                        stream.extend(payload);
                    }
                }
            }
            bytes.extend(frame(0x88, &[0x03, 0xe8]));
            let (mut read_back, mut read_others, mut closed) = (Vec::new(), 0, false);
            for message in read(&bytes, early, &pieces) {
                match message.unwrap() {
                    Message::Binary(part) => {
                        prop_assert!(part.len() <= usize::from(LONGEST_PART));
                        read_back.extend_from_slice(&part);
                    }
                    Message::Close(Some(close)) => closed = u16::from(close.code) == 1_000,
                    _ => read_others += 1,
                }
            }
            prop_assert!(read_back == stream);
            prop_assert_eq!((read_others, closed), (others, true));
        }
    }

    #[test]
    fn what_is_no_part_of_a_binary_message_is_as_bounded_as_before_and_what_breaks_the_protocol_still_does() {
        for (bytes, words) in [
            (frame(LAST | 0x1, &vec![b'a'; 40_000]), "Message too long"),
            (frame(LAST | CONTINUED, b"of nothing"), "Continue"),
            (frame(LAST | BINARY | 0x40, b"compressed"), "Reserved"),
            ([&[LAST | BINARY, MASKED | 2][..], b"mask", b"hi"].concat(), "masked"),
            (frame(0x88, &[7; 200]), "Control frame too big"),
        ] {
            let read = read(&bytes, 0, &[1_000]);
            let error = read.last().unwrap().as_ref().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        // The most that a header can say is no more than a promise.
        let endless = [&[LAST | BINARY, 127][..], &u64::MAX.to_be_bytes(), &vec![7; 100_000]].concat();
        let read = read(&endless, 0, &[5_000]);
        assert_eq!(read.iter().filter(|message| message.is_ok()).count(), 3, "parts that came whole");
    }
}
