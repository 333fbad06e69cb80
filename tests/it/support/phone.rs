//! A phone of the group, as an ordinary session, for tests that need another device.

pub use crate::support::envelopes;
use std::sync::Arc;

use d2mtop::net::{Address, TlsOptions};
use d2mtop::protocol::d2d::Platform;
use d2mtop::protocol::{
    DeviceId, DeviceInfo, Dialect, ExpirationPolicy, GroupKeys, GroupSecret, MessageId, Millis, ServerGroup, SlotState,
};
use d2mtop::runtime::{EventSink, drive};
use d2mtop::session::{Command, Config, Expectation, LeaderPolicy, Session};
use d2mtop::text::Clean;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::mpsc;

use super::program::{KEY, Mediator};

struct Counter(mpsc::UnboundedSender<d2mtop::group::Event>);

impl EventSink for Counter {
    fn tell(&mut self, _at: Millis, event: d2mtop::group::Event) {
        let _ = self.0.send(event);
    }
}

/// A phone that reflects so many texts with this label on itself, and leaves when all are stored.
pub fn phone_reflects(mediator: &Mediator, dialect: Dialect, count: u64, label: &str) {
    phone_with_slot_reflects(SlotState::New, mediator, dialect, count, label);
}

/// The same; whether the phone was there before.
pub fn phone_with_slot_reflects(expected: SlotState, mediator: &Mediator, dialect: Dialect, count: u64, label: &str) {
    let keys = Arc::new(GroupKeys::derive(dialect, &GroupSecret::from_hex(KEY).unwrap()));
    let device = DeviceId(77);
    let config = Config {
        device_info: DeviceInfo { platform: Platform::Android, label: Clean::new(label), ..DeviceInfo::default() },
        expects: Expectation::Only(expected),
        expiration_policy: ExpirationPolicy::Persistent,
        leader_policy: LeaderPolicy::Stay,
        ..Config::of(keys, device)
    };
    let session = Session::new(config, StdRng::from_entropy());
    let url = session.url(&mediator.url(), ServerGroup::parse("01", dialect).unwrap());
    let address = Address::new(&url, &TlsOptions::default()).unwrap();
    let (commands, receiver) = mpsc::channel(64);
    let (sender, mut events) = mpsc::unbounded_channel();
    d2mtop::os::event_loop::event_loop().unwrap().block_on(async {
        let driven = tokio::spawn(drive(session, address, receiver, Counter(sender)));
        while !matches!(events.recv().await.expect("the phone logs in"), d2mtop::group::Event::QueueDry) {}
        for number in 0..count {
            let envelope = Box::new(envelopes::text(dialect, device, MessageId(number), Millis(1)));
            commands.send(Command::Reflect { envelope, ephemeral: false }).await.unwrap();
        }
        let mut stored = 0;
        while stored < count {
            if let d2mtop::group::Event::ReflectionStored { .. } = events.recv().await.expect("the phone is there") {
                stored += 1;
            }
        }
        commands.send(Command::Leave).await.unwrap();
        driven.await.unwrap();
    });
}
