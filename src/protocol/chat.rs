//! The frames of the chat server's protocol, which Proxy messages carry: one frame a message. Nothing of them is read but
//! where they end.
//!
//! | step | from the client | from the server |
//! |---|---|---|
//! | hellos | 48 bytes: key, cookie | 80 bytes: cookie, box of key and cookie |
//! | login | 144 bytes: box of the login; then a box of extensions | 32 bytes: box of the acknowledgement |
//! | from then on | u16 little endian, and as many bytes of a box | the same |
//!
//! How long the extensions are stands inside the login's box, and only the two ends can open that. But a client says
//! nothing more until its login is acknowledged, so a login ends where the client falls silent.

use bytes::{Bytes, BytesMut};

use super::container::{CONTAINER_HEADER, MAX_CONTAINER};

/// The most bytes that one Proxy message carries.
pub const MAX_CHAT_FRAME: usize = MAX_CONTAINER - CONTAINER_HEADER;
/// What the server says before frames with a length begin.
pub const CHAT_SERVER_LOGIN: usize = SERVER_HELLO + LOGIN_ACK;

const CLIENT_HELLO: usize = 48;
const SERVER_HELLO: usize = 80;
const LOGIN: usize = 144;
const LOGIN_ACK: usize = 32;
const LENGTH: usize = 2;
/// The shortest box: its authenticator, a type and three reserved bytes.
const SHORTEST_BOX: usize = 20;

/// Why bytes are no frame that can be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatFrameError {
    /// More than a Proxy message carries: so many bytes, with those of the length.
    #[error("a chat frame of {},{:03} bytes is too long: with its length it has 65,532 at most", .0 / 1_000, .0 % 1_000)]
    TooLong(usize),
    /// Less than any frame has: so many bytes, with those of the length.
    #[error("a chat frame of {0} bytes is too short: with its length it has 22 at least")]
    TooShort(usize),
}

/// Finds the frames in what comes from one side, however it is torn.
#[derive(Debug)]
pub struct ChatFrames {
    buffer: BytesMut,
    stage: ChatStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChatStage {
    ClientHello,
    /// Until the server acknowledges; `begun` once a part of it was taken.
    ClientLogin {
        begun: bool,
    },
    ServerHello,
    LoginAck,
    Boxes,
}

impl ChatFrames {
    /// For what a client sends.
    #[must_use]
    pub fn from_client() -> Self {
        Self { buffer: BytesMut::new(), stage: ChatStage::ClientHello }
    }

    /// For what the chat server sends.
    #[must_use]
    pub fn from_server() -> Self {
        Self { buffer: BytesMut::new(), stage: ChatStage::ServerHello }
    }

    /// Appends bytes as they came off the connection, in pieces of any size.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame. What [`Self::push`] took is bounded only by calling this until there is none.
    ///
    /// # Errors
    /// If what comes next cannot be a frame; the same error comes from then on.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, ChatFrameError> {
        let (length, next) = match self.stage {
            ChatStage::ClientHello => (CLIENT_HELLO, ChatStage::ClientLogin { begun: false }),
            ChatStage::ClientLogin { .. } if self.buffer.len() > MAX_CHAT_FRAME => {
                return Err(ChatFrameError::TooLong(self.buffer.len()));
            }
            ChatStage::ClientLogin { .. } => return Ok(None),
            ChatStage::ServerHello => (SERVER_HELLO, ChatStage::LoginAck),
            ChatStage::LoginAck => (LOGIN_ACK, ChatStage::Boxes),
            ChatStage::Boxes => match self.buffer.first_chunk::<LENGTH>() {
                None => return Ok(None),
                Some(length) => (usize::from(u16::from_le_bytes(*length)) + LENGTH, ChatStage::Boxes),
            },
        };
        if length > MAX_CHAT_FRAME {
            return Err(ChatFrameError::TooLong(length));
        }
        if length < LENGTH + SHORTEST_BOX {
            return Err(ChatFrameError::TooShort(length));
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        self.stage = next;
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    /// Whether silence now means that what came of a client's login is all of it.
    #[must_use]
    pub fn may_be_a_login(&self) -> bool {
        match self.stage {
            ChatStage::ClientLogin { begun: false } => self.buffer.len() >= LOGIN,
            ChatStage::ClientLogin { begun: true } => !self.buffer.is_empty(),
            _ => false,
        }
    }

    /// A client's login, now that the client has fallen silent. If it was torn all the same, what follows comes as another
    /// part of it.
    pub fn take_login(&mut self) -> Option<Bytes> {
        if !self.may_be_a_login() {
            return None;
        }
        self.stage = ChatStage::ClientLogin { begun: true };
        Some(self.buffer.split().freeze())
    }

    /// The server has acknowledged the client's login: frames with a length follow.
    pub fn login_acknowledged(&mut self) {
        if matches!(self.stage, ChatStage::ClientLogin { .. }) {
            self.stage = ChatStage::Boxes;
        }
    }

    /// How many bytes wait for the rest of their frame.
    #[must_use]
    pub fn incomplete(&self) -> usize {
        self.buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A frame with a length, whose box is of this many bytes.
    fn boxed(length: u16, fill: u8) -> Vec<u8> {
        [&length.to_le_bytes()[..], &vec![fill; length.into()]].concat()
    }

    fn frames_of(frames: &mut ChatFrames, chunks: &[&[u8]]) -> Vec<Bytes> {
        let mut found = Vec::new();
        for chunk in chunks {
            frames.push(chunk);
            while let Some(frame) = frames.next_frame().unwrap() {
                found.push(frame);
            }
        }
        found
    }

    /// Cuts a stream at these places.
    fn cut<'a>(stream: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        places.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect()
    }

    fn any_boxes() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let length = prop_oneof![20_u16..60, 20_u16..9_000, Just(65_530)];
        prop::collection::vec((length, any::<u8>()).prop_map(|(length, fill)| boxed(length, fill)), 0..8)
    }

    proptest! {
        #[test]
        fn a_server_s_frames_are_the_same_however_they_are_torn(
            boxes in any_boxes(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let expected = [vec![vec![1; 80], vec![2; 32]], boxes].concat();
            let stream = expected.concat();
            prop_assert_eq!(frames_of(&mut ChatFrames::from_server(), &cut(&stream, &cuts)), expected);
        }

        #[test]
        fn a_client_s_frames_are_the_same_however_they_are_torn(
            boxes in any_boxes(),
            extensions in 0_usize..500,
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let mut frames = ChatFrames::from_client();
            let hello_and_login = vec![3; 48 + 144 + extensions];
            let hello = frames_of(&mut frames, &cut(&hello_and_login, &cuts));
            prop_assert_eq!(hello, [vec![3; 48]]);
            prop_assert!(frames.may_be_a_login());
            prop_assert_eq!(frames.take_login().map(|login| login.len()), Some(144 + extensions));
            prop_assert_eq!(frames.take_login(), None);
            frames.login_acknowledged();
            prop_assert_eq!(frames_of(&mut frames, &cut(&boxes.concat(), &cuts)), boxes);
            prop_assert_eq!(frames.incomplete(), 0);
        }

        #[test]
        fn nothing_that_comes_makes_frames_of_another_size(noise in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let mut frames = ChatFrames::from_server();
            frames.push(&noise);
            let mut length = 0;
            while let Ok(Some(frame)) = frames.next_frame() {
                prop_assert!((22..=MAX_CHAT_FRAME).contains(&frame.len()));
                length += frame.len();
            }
            prop_assert_eq!(length + frames.incomplete(), noise.len());
        }
    }

    #[test]
    fn a_frame_that_no_message_carries_is_refused_before_it_is_collected() {
        for (length, error) in [
            (65_531_u16, ChatFrameError::TooLong(65_533)),
            (u16::MAX, ChatFrameError::TooLong(65_537)),
            (19, ChatFrameError::TooShort(21)),
            (0, ChatFrameError::TooShort(2)),
        ] {
            let mut frames = ChatFrames::from_server();
            frames.push(&[0; CHAT_SERVER_LOGIN]);
            frames.next_frame().unwrap().unwrap();
            frames.next_frame().unwrap().unwrap();
            frames.push(&length.to_le_bytes());
            assert_eq!(frames.next_frame(), Err(error), "a box of {length}");
            assert_eq!(frames.next_frame(), Err(error), "again");
        }
    }

    #[test]
    fn the_words_for_a_frame_that_cannot_be_carried_name_both_lengths() {
        let (most, least) = (MAX_CHAT_FRAME, LENGTH + SHORTEST_BOX);
        assert_eq!((most, least), (65_532, 22), "as the words have it");
        let long = "a chat frame of 65,534 bytes is too long: with its length it has 65,532 at most";
        assert_eq!(ChatFrameError::TooLong(65_534).to_string(), long);
        let short = "a chat frame of 7 bytes is too short: with its length it has 22 at least";
        assert_eq!(ChatFrameError::TooShort(7).to_string(), short);
    }

    #[test]
    fn a_login_that_never_ends_is_refused() {
        let mut frames = ChatFrames::from_client();
        frames.push(&vec![0; 48 + MAX_CHAT_FRAME + 1]);
        frames.next_frame().unwrap().unwrap();
        assert_eq!(frames.next_frame(), Err(ChatFrameError::TooLong(MAX_CHAT_FRAME + 1)));
    }

    #[test]
    fn a_login_torn_by_a_silence_goes_on_as_another_part() {
        let mut frames = ChatFrames::from_client();
        frames.push(&[5; 48 + 143]);
        frames.next_frame().unwrap().unwrap();
        assert_eq!(frames.take_login(), None, "no login is that short");
        frames.push(&[5; 7]);
        assert_eq!(frames.take_login().unwrap().len(), 150);
        frames.push(&[5; 7]);
        assert_eq!(frames.next_frame(), Ok(None));
        assert_eq!(frames.take_login().unwrap().len(), 7);
        assert_eq!(frames.take_login(), None);
    }
}
