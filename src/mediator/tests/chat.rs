//! The way to the chat server: when it is opened, what passes it, how each end of it is told.

use std::io::ErrorKind;

use bytes::Bytes;

use super::{A, B, Login, World, in_both_dialects};
use crate::mediator::{
    ChatAction, ChatEnd, ChatEvent, ChatTraffic, ConnectionId, LogEvent, MediatorConfig, MediatorInput,
};
use crate::protocol::{ClientMessage, Dialect, ServerMessage};

fn with_chat(dialect: Dialect) -> World {
    World::with(dialect, MediatorConfig { chat_server: true, ..MediatorConfig::default() })
}

fn frame(fill: u8) -> Bytes {
    Bytes::from(vec![fill; 48])
}

impl World {
    fn says(&mut self, connection: ConnectionId, event: ChatEvent) {
        self.input(MediatorInput::Chat { connection, event });
    }

    fn actions(&mut self) -> Vec<ChatAction> {
        std::mem::take(&mut self.chat).into_iter().map(|(_, action)| action).collect()
    }

    /// A device whose way to the chat server is open, and who has sent one frame.
    fn chatting(&mut self) -> ConnectionId {
        let a = self.login(Login::new(A));
        self.send(a, &ClientMessage::Proxy(frame(1)));
        self.says(a, ChatEvent::Connected);
        self.says(a, ChatEvent::Written { frames: 1 });
        self.actions();
        self.take(a);
        a
    }

    fn chat_ends(&self) -> Vec<(ChatEnd, ChatTraffic, ChatTraffic)> {
        let end = |event: &LogEvent| match event {
            LogEvent::ChatClosed { end, to_server, from_server, .. } => Some((*end, *to_server, *from_server)),
            _ => None,
        };
        self.logs.iter().filter_map(end).collect()
    }
}

in_both_dialects! {
    fn without_a_chat_server_frames_are_only_counted(world) {
        let a = world.login(Login::new(A));
        world.send(a, &ClientMessage::Proxy(frame(1)));
        assert_eq!(world.actions(), []);
        assert_eq!(world.closed(a), None);
    }

    fn what_comes_before_the_login_is_passed_on_with_it(world) {
        world = with_chat(world.dialect);
        let a = world.connect();
        let hello = world.hello(a);
        world.send(a, &ClientMessage::Proxy(frame(1)));
        world.send(a, &ClientMessage::Proxy(frame(2)));
        assert_eq!(world.actions(), [], "nobody gets through who is not of a group");
        let answer = world.answer(&hello, Login::new(A));
        world.send(a, &ClientMessage::Hello(answer));
        world.send(a, &ClientMessage::Proxy(frame(3)));
        let sent = [1, 2, 3].map(|fill| ChatAction::Send(frame(fill)));
        assert_eq!(world.actions(), [&[ChatAction::Connect], &sent[..]].concat());
    }

    fn who_never_logs_in_never_reaches_the_chat_server(world) {
        world = with_chat(world.dialect);
        let a = world.connect();
        let mut sent = 0;
        while !world.is_paused(a) {
            world.send(a, &ClientMessage::Proxy(Bytes::from(vec![1; 60_000])));
            sent += 1;
            assert!(sent < 20, "no bound");
        }
        world.pass(MediatorConfig::default().handshake_timeout);
        assert_eq!(world.closed(a), Some(4013));
        assert_eq!(world.actions(), []);
    }

    fn each_frame_of_the_chat_server_is_one_message(world) {
        world = with_chat(world.dialect);
        let a = world.chatting();
        let frames = [vec![1; 80], vec![2; 32], [&[20, 0][..], &[3; 20]].concat(), [&[200, 0][..], &[4; 200]].concat()];
        for byte in frames.concat() {
            world.says(a, ChatEvent::Bytes(Bytes::from(vec![byte])));
        }
        let expected = frames.clone().map(|frame| ServerMessage::Proxy(Bytes::from(frame)));
        assert_eq!(world.take(a), expected);
        world.says(a, ChatEvent::Bytes(Bytes::from([&frames[2][..], &frames[3], &[7]].concat())));
        assert_eq!(world.take(a), expected[2..]);
        world.leave(a);
        let all = ChatTraffic { frames: 6, bytes: 80 + 32 + 2 * (22 + 202) };
        assert_eq!(world.chat_ends(), [(ChatEnd::Device, ChatTraffic { frames: 1, bytes: 48 }, all)]);
        assert_eq!(world.actions().last(), Some(&ChatAction::Close));
    }

    fn each_end_has_its_close_code(world) {
        for (event, code, end) in [
            (ChatEvent::Closed, 4000, ChatEnd::Server),
            (ChatEvent::Unreachable(ErrorKind::ConnectionRefused), 4001, ChatEnd::Unreachable(ErrorKind::ConnectionRefused)),
            (ChatEvent::Bytes(Bytes::from([&[0; 112][..], &[0xff, 0xff]].concat())), 4009, ChatEnd::Unframed),
            (ChatEvent::Bytes(Bytes::from([&[0; 112][..], &[19, 0]].concat())), 4009, ChatEnd::Unframed),
        ] {
            world = with_chat(world.dialect);
            let a = world.chatting();
            let b = world.login(Login::new(B));
            world.says(a, event);
            assert_eq!(world.closed(a), Some(code));
            assert_eq!(world.chat_ends().into_iter().map(|(end, ..)| end).collect::<Vec<_>>(), [end]);
            assert_eq!(world.actions().last(), Some(&ChatAction::Close));
            assert_eq!(world.closed(b), None, "nobody else is concerned");
            // Late news of a way that is closed.
            world.says(a, ChatEvent::Closed);
            assert_eq!(world.chat_ends().len(), 1);
        }
    }

    fn a_chat_server_that_reads_nothing_holds_its_device_back(world) {
        world = with_chat(world.dialect);
        let a = world.chatting();
        let mut sent = 0;
        while !world.is_paused(a) {
            world.send(a, &ClientMessage::Proxy(frame(1)));
            sent += 1;
            assert!(sent < 1_000, "no bound");
        }
        world.says(a, ChatEvent::Written { frames: 1 });
        assert!(world.is_paused(a), "not on and off with each frame");
        world.says(a, ChatEvent::Written { frames: sent });
        assert!(!world.is_paused(a), "read from again once it has room");
        assert_eq!(world.closed(a), None);
    }

    fn the_chat_server_is_read_from_only_as_far_as_the_device_reads(world) {
        world = with_chat(world.dialect);
        let a = world.chatting();
        world.says(a, ChatEvent::Bytes(Bytes::from(vec![0; 112])));
        assert_eq!(world.actions(), [ChatAction::Read], "one read is asked for after another");
        world.set_reads(a, false);
        let many = [&[20, 0][..], &[3; 20]].concat().repeat(700);
        let mut reads = 0;
        loop {
            world.says(a, ChatEvent::Bytes(Bytes::from(many.clone())));
            if world.actions().is_empty() {
                break;
            }
            reads += 1;
            assert!(reads < 10, "no bound");
        }
        assert_eq!(world.closed(a), None);
        world.set_reads(a, true);
        assert_eq!(world.actions(), [ChatAction::Read], "read on once it has room");
    }

    fn the_end_of_the_server_ends_the_way_to_the_chat_server(world) {
        world = with_chat(world.dialect);
        let a = world.chatting();
        world.input(MediatorInput::Shutdown);
        assert_eq!(world.closed(a), Some(1001));
        assert_eq!(world.actions(), [ChatAction::Close]);
        assert_eq!(world.chat_ends().len(), 1);
    }
}
