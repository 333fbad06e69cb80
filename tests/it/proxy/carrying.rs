//! What client and server say, and how much of it waits.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::sync::mpsc;

use super::{
    DIALECTS, PATIENCE, Proxy, chat_server, echo, is_at_its_end, log_in, log_of, mediator_with, welcome, with_client,
};

fn boxes(count: usize) -> Vec<u8> {
    let one = |number: usize| {
        let length = 20 + number * 997 % 8_000;
        [&u16::try_from(length).unwrap().to_le_bytes()[..], &vec![u8::try_from(number % 251).unwrap(); length]].concat()
    };
    (0..count).flat_map(one).collect()
}

#[test]
fn a_chat_client_and_its_server_hear_each_other_one_frame_a_message() {
    const FRAMES: usize = 300;
    for dialect in DIALECTS {
        let (address, serving) = chat_server(2, echo);
        let mediator = mediator_with(&address);
        let mut proxy = Proxy::start(&mediator, dialect);
        for client in 0..2 {
            let mut stream = proxy.connect();
            log_in(&mut stream);
            let sent = boxes(FRAMES);
            let (mut writer, all) = (stream.try_clone().unwrap(), sent.clone());
            let writing =
                std::thread::spawn(move || all.chunks(1_234).for_each(|chunk| writer.write_all(chunk).unwrap()));
            let mut came = vec![0; sent.len()];
            stream.read_exact(&mut came).unwrap();
            assert!(came == sent, "{dialect}: what came back is not what was sent");
            writing.join().unwrap();
            drop(stream);
            let told = proxy.until("client_disconnected");
            assert_eq!(told["by"], "client", "{dialect}, client {client}: {told}");
            for count in ["frames_to_server", "frames_from_server"] {
                assert_eq!(told[count], FRAMES + 2, "{dialect}, client {client}: {told}");
            }
        }
        assert_eq!(proxy.end(), Some(0));
        serving.join().unwrap();
        let log = log_of(mediator);
        let ends: Vec<_> = log.iter().filter(|line| line["event"] == "chat_closed").collect();
        assert_eq!(ends.len(), 2, "{dialect}: each client has a connection of its own: {log:?}");
        for end in ends {
            assert_eq!(end["frames_to_server"], FRAMES + 2, "{dialect}: {end}");
            assert_eq!(end["frames_from_server"], FRAMES + 2, "{dialect}: {end}");
        }
    }
}

#[test]
fn a_leader_stays_as_long_as_a_client_is_there() {
    for dialect in DIALECTS {
        let (_mediator, mut proxy, mut stream) = with_client(dialect);
        proxy.until("promoted");
        // Longer than a promotion would otherwise be kept.
        proxy.until("devices");
        stream.write_all(&boxes(1)).unwrap();
        stream.read_exact(&mut [0; 22]).unwrap();
        drop(stream);
        let given_up = proxy.until("role_given_up");
        assert!(given_up["back_at"].is_u64(), "{dialect}");
        assert_eq!(given_up["promotions_in_a_row"], 1, "{dialect}: whoever served a client starts over: {given_up}");
    }
}

#[test]
fn a_client_that_comes_while_the_role_is_given_up_is_served_all_the_same() {
    for dialect in DIALECTS {
        for moment in ["connecting", "logged_in", "queue_dry", "promoted", "role_given_up", "disconnected"] {
            let (address, _serving) = chat_server(1, echo);
            let mediator = mediator_with(&address);
            let mut proxy = Proxy::start_with(&mediator, dialect, &[]);
            proxy.until(moment);
            let mut stream = proxy.connect();
            log_in(&mut stream);
            drop(stream);
            assert_eq!(proxy.until("client_disconnected")["by"], "client", "{dialect}, {moment}: {:?}", proxy.seen);
        }
    }
}

#[test]
fn a_second_client_is_refused_and_the_first_goes_on() {
    for dialect in DIALECTS {
        let (address, _serving) = chat_server(1, echo);
        let mediator = mediator_with(&address);
        let mut proxy = Proxy::start(&mediator, dialect);
        let mut first = proxy.connect();
        log_in(&mut first);
        let mut second = proxy.connect();
        assert!(is_at_its_end(&mut second));
        proxy.until("client_refused");
        first.write_all(&boxes(1)).unwrap();
        first.read_exact(&mut [0; 22]).unwrap();
    }
}

#[test]
fn half_a_frame_goes_nowhere() {
    for dialect in DIALECTS {
        let (sender, heard) = mpsc::channel();
        let (address, _serving) = chat_server(1, move |mut stream| {
            welcome(&mut stream);
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            sender.send(rest).unwrap();
        });
        let mediator = mediator_with(&address);
        let mut proxy = Proxy::start(&mediator, dialect);
        let mut stream = proxy.connect();
        log_in(&mut stream);
        let whole = boxes(2);
        stream.write_all(&whole).unwrap();
        stream.write_all(&[100, 0, 7, 7, 7]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(proxy.until("client_disconnected")["incomplete_bytes"], 5);
        assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), whole, "all whole frames arrive, also the last");
    }
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    for dialect in DIALECTS {
        let (address, _serving) = chat_server(1, |mut stream| {
            welcome(&mut stream);
            let frame = [&60_000_u16.to_le_bytes()[..], &vec![7; 60_000]].concat();
            while stream.write_all(&frame).is_ok() {}
        });
        let mediator = mediator_with(&address);
        let mut proxy = Proxy::start(&mediator, dialect);
        let mut stream = proxy.connect();
        log_in(&mut stream);
        let told = proxy.until("client_disconnected");
        assert!(told["words"].as_str().unwrap().contains("does not read"), "{told}");
    }
}
