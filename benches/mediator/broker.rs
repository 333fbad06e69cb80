//! The same load on a broker: MQTT 3.1.1 at `QoS` 1, as little of it as is needed.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::{ACKNOWLEDGED, AHEAD, RECEIVERS, SIZE};

const TOPIC: &[u8] = b"t";
const PUBLISH: u8 = 0x32;
const PUBACK: u8 = 0x40;
/// The first byte of the last message's body.
const LAST: u8 = b'l';

struct Client {
    socket: TcpStream,
    reader: BufReader<TcpStream>,
    unsent: Vec<u8>,
}

impl Client {
    fn connect(port: u16, name: &str) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_nodelay(true).unwrap();
        let reader = BufReader::with_capacity(64 * 1024, socket.try_clone().unwrap());
        let mut client = Self { socket, reader, unsent: Vec::new() };
        let mut body = b"\0\x04MQTT\x04\x02\0\0".to_vec();
        body.extend([0, u8::try_from(name.len()).unwrap()]);
        body.extend(name.as_bytes());
        client.packet(0x10, &body);
        client.flush();
        assert_eq!(client.read().0, 0x20, "CONNACK");
        client
    }

    fn packet(&mut self, kind: u8, body: &[u8]) {
        self.unsent.push(kind);
        let mut length = body.len();
        loop {
            let more = u8::from(length >= 128) << 7;
            self.unsent.push(u8::try_from(length % 128).unwrap() | more);
            length /= 128;
            if length == 0 {
                break;
            }
        }
        self.unsent.extend(body);
    }

    fn flush(&mut self) {
        self.socket.write_all(&self.unsent).unwrap();
        self.unsent.clear();
    }

    fn read(&mut self) -> (u8, Vec<u8>) {
        let mut byte = [0];
        self.reader.read_exact(&mut byte).unwrap();
        let kind = byte[0];
        let (mut length, mut shift) = (0, 0);
        loop {
            self.reader.read_exact(&mut byte).unwrap();
            length |= usize::from(byte[0] & 127) << shift;
            shift += 7;
            if byte[0] < 128 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        (kind, body)
    }

    fn subscribe(&mut self) {
        self.packet(0x82, &[&[0, 1, 0, 1], TOPIC, &[1]].concat());
        self.flush();
        assert_eq!(self.read().0, 0x90, "SUBACK");
    }

    fn publish(&mut self, number: u16, body: &[u8]) {
        self.packet(PUBLISH, &[&[0, 1], TOPIC, &number.to_be_bytes(), body].concat());
    }

    fn take_until_last(&mut self) -> u64 {
        let mut taken = 0;
        loop {
            let (kind, body) = self.read();
            if kind & 0xf0 != PUBLISH & 0xf0 {
                continue;
            }
            taken += 1;
            self.packet(PUBACK, &body[3..5]);
            let is_last = body[5] == LAST;
            if is_last || taken % ACKNOWLEDGED as u64 == 0 {
                self.flush();
            }
            if is_last {
                return taken;
            }
        }
    }
}

pub fn deliver(port: u16, seconds: u64) -> (u64, Duration) {
    let receivers: Vec<_> = (0..RECEIVERS)
        .map(|number| {
            let mut client = Client::connect(port, &format!("r{number}"));
            client.subscribe();
            client
        })
        .collect();
    let mut author = Client::connect(port, "author");
    let began = Instant::now();
    let receiving: Vec<_> =
        receivers.into_iter().map(|mut client| thread::spawn(move || client.take_until_last())).collect();
    let mut number = 0_u16;
    let mut send = |author: &mut Client, messages: usize, body: &[u8]| {
        let mut outstanding = 0;
        for sent in 1..=messages {
            number = number.checked_add(1).unwrap_or(1);
            author.publish(number, body);
            outstanding += 1;
            if sent == messages || outstanding >= AHEAD {
                author.flush();
                let most = if sent == messages { 0 } else { AHEAD / 2 };
                while outstanding > most {
                    outstanding -= usize::from(author.read().0 == PUBACK);
                }
            }
        }
    };
    while began.elapsed() < Duration::from_secs(seconds) {
        send(&mut author, 16 * AHEAD, &[b'm'; SIZE]);
    }
    send(&mut author, 1, &[LAST]);
    let deliveries = receiving.into_iter().map(|receiver| receiver.join().unwrap()).sum();
    (deliveries, began.elapsed())
}
