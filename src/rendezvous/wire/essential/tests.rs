use bytes::Bytes;
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::protocol::MessageId;
use crate::protocol::proto::d2d_join::{EdToNd, EssentialData as Wire, ed_to_nd, essential_data};
use crate::protocol::proto::{common, d2d_sync};
use crate::rendezvous::wire::{ContactName, FromExisting, GroupName, ListName, MAX_NAMES};

fn good() -> Wire {
    Wire {
        identity_data: Some(essential_data::IdentityData {
            identity: "ECHOECHO".to_owned(),
            ck: Bytes::from_static(&[1; 32]),
            csp_device_cookie: Bytes::from_static(&[2; 16]),
            csp_server_group: "5e".to_owned(),
        }),
        device_group_data: Some(essential_data::DeviceGroupData { dgk: Bytes::from_static(&[3; 32]) }),
        contacts: vec![
            contact("AAAAAAAA", "Ann", "Ash", "annie"),
            contact("BBBBBBBB", "", "", ""),
            contact("*GATEWAY", "", "", "gate"),
        ],
        groups: vec![essential_data::AugmentedGroup {
            group: Some(d2d_sync::Group {
                group_identity: Some(common::GroupIdentity { group_id: 7, creator_identity: "AAAAAAAA".to_owned() }),
                name: Some("Choir\u{202e}".to_owned()),
                created_at: Some(0),
                ..Default::default()
            }),
            last_update_at: 5,
        }],
        distribution_lists: vec![essential_data::AugmentedDistributionList {
            distribution_list: Some(d2d_sync::DistributionList {
                distribution_list_id: 8,
                name: Some("All".to_owned()),
                ..Default::default()
            }),
            last_update_at: 5,
        }],
        csp_hashed_nonces: vec![Bytes::from_static(&[4; 32]); 3],
        d2d_hashed_nonces: vec![Bytes::from_static(&[5; 32]); 3],
        work_credentials: Some(d2d_sync::ThreemaWorkCredentials { username: "u".to_owned(), password: "p".to_owned() }),
        ..Default::default()
    }
}

fn contact(identity: &str, first: &str, last: &str, nickname: &str) -> essential_data::AugmentedContact {
    let text = |text: &str| Some(text.to_owned());
    essential_data::AugmentedContact {
        contact: Some(d2d_sync::Contact {
            identity: identity.to_owned(),
            public_key: Some(Bytes::from_static(&[6; 32])),
            created_at: Some(1),
            first_name: text(first),
            last_name: text(last),
            nickname: text(nickname),
            verification_level: Some(2),
            ..Default::default()
        }),
        last_update_at: Some(4),
    }
}

fn read(data: &Wire) -> Result<EssentialData, EssentialError> {
    EssentialData::read(&data.encode_to_vec())
}

#[test]
fn what_is_needed_is_taken() {
    let data = read(&good()).unwrap();
    assert_eq!(data.secret.expose(), &[3; 32]);
    assert_eq!(data.server_group.as_str(), "5e");
    assert_eq!(data.identity.as_ref().map(Clean::as_str), Some("ECHOECHO"));
    let shown: Vec<_> =
        data.names.contacts.iter().map(|contact| (contact.identity.as_str(), contact.display().unwrap())).collect();
    assert_eq!(shown, [("AAAAAAAA", Clean::new("Ann Ash")), ("*GATEWAY", Clean::new("gate"))]);
    let group = &data.names.groups[0];
    assert_eq!((group.id, group.creator.as_str(), group.name.as_str()), (MessageId(7), "AAAAAAAA", "Choir\\u{202e}"));
    assert_eq!(data.names.lists, [ListName { id: MessageId(8), name: Clean::new("All") }]);
    assert!(!format!("{data:?}").contains("03, 03"));
}

#[test]
fn what_is_missing_is_said() {
    let refused = |change: fn(&mut Wire)| {
        let mut data = good();
        change(&mut data);
        read(&data).unwrap_err()
    };
    let key = |bytes: &'static [u8]| Some(essential_data::DeviceGroupData { dgk: Bytes::from_static(bytes) });
    assert_eq!(refused(|data| data.device_group_data = None), EssentialError::NoGroupKey);
    assert_eq!(
        refused(|data| data.device_group_data = Some(essential_data::DeviceGroupData::default())),
        EssentialError::NoGroupKey
    );
    for length in [31, 33] {
        let mut data = good();
        data.device_group_data = key(&[3; 33][..length]);
        assert_eq!(read(&data).unwrap_err(), EssentialError::GroupKeyLength(length));
    }
    assert_eq!(refused(|data| data.identity_data = None), EssentialError::NoServerGroup);
    assert_eq!(
        refused(|data| data.identity_data.as_mut().unwrap().csp_server_group = "../x".to_owned()),
        EssentialError::ServerGroup
    );
    let mut data = good();
    data.identity_data.as_mut().unwrap().identity.clear();
    assert_eq!(read(&data).unwrap().identity, None, "fine without");
    assert_eq!(EssentialData::read(&[0xff; 9]).unwrap_err(), EssentialError::Malformed);
}

#[test]
fn names_have_limits() {
    let mut data = good();
    data.contacts = vec![contact("AAAAAAAA", "A", "", ""); MAX_NAMES + 5];
    data.contacts[0] = contact("AAAAAAAA", &"é".repeat(4_000), "", "");
    let names = read(&data).unwrap().names;
    assert_eq!((names.len(), names.left_out), (MAX_NAMES, 7), "the group and the list, too");
    assert_eq!(names.contacts[0].first.as_str(), "é".repeat(128));
}

#[test]
fn others_read_what_is_written() {
    let data = read(&good()).unwrap();
    let written = data.encode();
    let Some(ed_to_nd::Content::EssentialData(wire)) = EdToNd::decode(written.as_slice()).unwrap().content else {
        panic!("another message")
    };
    assert_eq!(wire.device_group_data.unwrap().dgk, [3; 32][..]);
    let identity = wire.identity_data.unwrap();
    assert_eq!((identity.identity.as_str(), identity.csp_server_group.as_str()), ("ECHOECHO", "5e"));
    assert!(identity.ck.is_empty() && wire.csp_hashed_nonces.is_empty());
    assert_eq!(wire.contacts[0].contact.as_ref().unwrap().last_name.as_deref(), Some("Ash"));
    assert_eq!(wire.groups[0].group.as_ref().unwrap().group_identity.as_ref().unwrap().group_id, 7);
    let FromExisting::EssentialData(inner) = FromExisting::read(&written).unwrap() else { panic!("another message") };
    assert_eq!(EssentialData::read(inner).unwrap().names, data.names);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn anything_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = EssentialData::read(&bytes);
        let _ = FromExisting::read(&bytes);
    }

    /// A buffer that grows leaves a copy of the key where it was.
    #[test]
    fn room_is_taken_once(
        names in prop::collection::vec(("\\PC{0,60}", "\\PC{0,60}", "\\PC{0,60}", any::<u64>()), 0..8),
    ) {
        let mut data = read(&good()).unwrap();
        for (first, last, nickname, id) in names {
            let [first, last, nickname] = [first, last, nickname].map(|text| name(text.as_bytes()));
            data.names.groups.push(GroupName { id: MessageId(id), creator: last.clone(), name: first.clone() });
            data.names.lists.push(ListName { id: MessageId(id), name: nickname.clone() });
            data.names.contacts.push(ContactName { identity: Clean::new("AAAAAAAA"), first, last, nickname });
        }
        let before = data.encode();
        let room = before.capacity();
        prop_assert!(before.len() <= room && room < before.len() + 100 * (data.names.len() + 2));
    }
}
