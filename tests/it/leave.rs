//! Leaving a group for good, as `profile remove --leave-group` does it: the library against a mediator of its own.

use std::sync::Arc;

use d2mtop::net::{Address, TlsOptions};
use d2mtop::protocol::{DeviceId, Dialect, GroupKeys, GroupSecret, ServerGroup, SlotState};
use d2mtop::runtime::leave_group::{Departure, leave_group, who_stays};
use d2mtop::session::{Confirmed, Session, SessionConfig, SlotExpectation};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::support::phone::phone_reflects;
use crate::support::program::{KEY, Mediator};

fn session(dialect: Dialect, url: &str, expected: SlotState) -> (Session, Address) {
    let config = SessionConfig {
        expects: SlotExpectation::Only(expected),
        ..SessionConfig::of(Arc::new(GroupKeys::derive(dialect, &GroupSecret::from_hex(KEY).unwrap())), DeviceId(9))
    };
    let session = Session::new(config, StdRng::from_entropy());
    let url = session.url(url, ServerGroup::parse("01", dialect).unwrap());
    (session, Address::new(&url, &TlsOptions::default()).unwrap())
}

#[test]
fn our_slot_is_gone_afterwards_and_what_that_means_for_the_phone_is_said_before() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        let look = |expected| {
            let (session, address) = session(dialect, &mediator.url(), expected);
            who_stays(session, address).unwrap()
        };
        let leave = |expected| {
            let (session, address) = session(dialect, &mediator.url(), expected);
            leave_group(session, address, Confirmed::after_asking(())).unwrap()
        };
        let farewell = look(SlotState::New).expect("the list comes");
        assert_eq!(
            farewell.to_string(),
            "Only Pixel 9 stays in the group. It is a phone: alone, it ends multi-device.",
            "{dialect}"
        );
        assert_eq!(leave(SlotState::Existing), Departure::Left, "{dialect}");
        // The seed's dialect has no expected state: there, a forgotten device gets a slot, and gives it up again.
        let forgotten = if dialect == Dialect::Mk { Departure::Left } else { Departure::AlreadyGone };
        assert_eq!(leave(SlotState::Existing), forgotten, "{dialect}: the server has forgotten us");
        assert_eq!(leave(SlotState::New), Departure::Left, "{dialect}: nothing is left of one that never was there");
        assert_eq!(leave(SlotState::Existing), forgotten, "{dialect}");
    }
}

#[test]
fn a_mediator_that_is_not_there_is_named() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let (session, address) = session(dialect, "ws://127.0.0.1:1/", SlotState::Existing);
        let departure = leave_group(session, address, Confirmed::after_asking(())).unwrap();
        assert!(matches!(departure, Departure::Unreachable(_)) && !departure.is_gone(), "{departure:?}");
        assert!(departure.to_string().contains("127.0.0.1:1"), "{departure}");
    }
}
