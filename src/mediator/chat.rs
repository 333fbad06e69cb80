//! The way to the chat server: one connection there for each device that sends Proxy frames.
//!
//! Frames are taken from the start and passed on from the login: nobody gets a way to the chat server without having
//! proved to be of a group, and nothing comes of it before `ServerInfo`. What comes back is cut into the chat server's
//! frames, one a message. Nothing piles up on either way: a client is not read from as long as the chat server does not
//! take what it sent, and the chat server is read from only as far as the client reads.

use bytes::Bytes;

use super::Mediator;
use super::chat_link::ChatLink;
use super::connection::own;
use super::connection_id::ConnectionId;
use super::io::{ChatAction, ChatEvent};
use super::log::{ChatEnd, Closing, LogEvent};
use crate::protocol::{CloseCode, Millis, ServerMessage};

impl Mediator {
    /// A frame for the chat server. Without one behind us it is counted, and let go.
    pub(super) fn proxy(&mut self, now: Millis, id: ConnectionId, frame: Bytes) {
        let Some(connection) = self.wire.get_mut(id) else { return };
        connection.proxy_frames += 1;
        if !self.config.chat_server {
            return;
        }
        let logged_in = connection.device().is_some();
        let chat = connection.chat.get_or_insert_with(|| ChatLink::new(now));
        chat.take_in(&frame);
        match &mut chat.held {
            Some(held) => held.push(own(&frame)),
            None => self.wire.act_on_chat(id, ChatAction::Send(frame)),
        }
        if logged_in {
            self.open_chat(id);
        }
        self.wire.regulate(id);
    }

    /// Now that a device is logged in, what it has for the chat server may go there.
    pub(super) fn open_chat(&mut self, id: ConnectionId) {
        let chat = self.wire.get_mut(id).and_then(|connection| connection.chat.as_mut());
        let Some(held) = chat.and_then(|chat| chat.held.take()) else { return };
        self.wire.act_on_chat(id, ChatAction::Connect);
        for frame in held {
            self.wire.act_on_chat(id, ChatAction::Send(frame));
        }
    }

    pub(super) fn on_chat(&mut self, now: Millis, id: ConnectionId, event: ChatEvent) {
        let Some(chat) = self.wire.chat(id) else { return };
        match event {
            ChatEvent::Connected => {
                chat.connected = true;
                self.wire.log(LogEvent::ChatOpened { connection: id });
            }
            ChatEvent::Written { frames } => chat.written(frames),
            ChatEvent::Bytes(bytes) => {
                chat.reading = false;
                chat.frames.push(&bytes);
                self.pass_on(now, id);
            }
            ChatEvent::Closed => {
                return self.end_chat(now, id, ChatEnd::Server, Closing::of(CloseCode::CHAT_CLOSED));
            }
            ChatEvent::Unreachable(kind) => {
                let closing = Closing::of(CloseCode::CHAT_UNREACHABLE);
                return self.end_chat(now, id, ChatEnd::Unreachable(kind), closing);
            }
        }
        self.wire.regulate(id);
    }

    /// Sends the whole frames that came from the chat server to the device.
    fn pass_on(&mut self, now: Millis, id: ConnectionId) {
        loop {
            let Some(chat) = self.wire.chat(id) else { return };
            match chat.frames.next_frame() {
                Ok(None) => return,
                Ok(Some(frame)) => {
                    chat.from_server.count(frame.len());
                    self.wire.send(id, &ServerMessage::Proxy(frame));
                }
                Err(_) => {
                    let closing =
                        Closing::new(CloseCode::CHAT_INTERNAL_ERROR, "what the chat server sent cannot be passed on");
                    return self.end_chat(now, id, ChatEnd::Unframed, closing);
                }
            }
        }
    }

    /// The way to the chat server is lost, and the device's connection with it.
    fn end_chat(&mut self, now: Millis, id: ConnectionId, end: ChatEnd, closing: Closing) {
        self.wire.drop_chat(now, id, end);
        self.close(now, id, closing);
    }
}
