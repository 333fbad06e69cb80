use bytes::Bytes;
use prost::Message as _;

use super::*;
use crate::protocol::proto::{common, d2d_rendezvous, url};

fn good() -> url::DeviceGroupJoinRequestOrOffer {
    url::DeviceGroupJoinRequestOrOffer {
        version: 0,
        variant: Some(url::device_group_join_request_or_offer::Variant {
            r#type: Some(url::device_group_join_request_or_offer::variant::Type::RequestToJoin(common::Unit {})),
        }),
        rendezvous_init: Some(d2d_rendezvous::RendezvousInit {
            ak: Bytes::from_static(&[7; 32]),
            relayed_web_socket: Some(d2d_rendezvous::rendezvous_init::RelayedWebSocket {
                path_id: 9,
                network_cost: 2,
                url: "wss://relay.example/ab".to_owned(),
            }),
            ..Default::default()
        }),
        d2d_protocol_version: 2,
    }
}

fn parse(request: &url::DeviceGroupJoinRequestOrOffer) -> Result<JoinLink, LinkError> {
    JoinLink::parse(&format!("{PREFIX}{}", BASE64.encode(request.encode_to_vec())))
}

fn refused(change: impl FnOnce(&mut url::DeviceGroupJoinRequestOrOffer)) -> LinkError {
    let mut request = good();
    change(&mut request);
    parse(&request).unwrap_err()
}

#[test]
fn links_of_others_are_read() {
    let link = parse(&good()).unwrap();
    assert_eq!((link.key.expose(), link.path_id, link.relay_url.as_str()), (&[7; 32], 9, "wss://relay.example/ab"));
    let text = format!(" {PREFIX}{}\n", BASE64.encode(good().encode_to_vec()).trim_end_matches('='));
    assert!(JoinLink::parse(&text).is_ok(), "without padding, with white space around");
}

#[test]
fn what_cannot_be_done_is_refused() {
    use url::device_group_join_request_or_offer::variant::Type;
    let init = |request: &mut url::DeviceGroupJoinRequestOrOffer| request.rendezvous_init.take().unwrap();
    assert_eq!(refused(|request| request.version = 1), LinkError::UnknownVersion);
    assert_eq!(
        refused(|request| request.variant.as_mut().unwrap().r#type = Some(Type::OfferToJoin(common::Unit {}))),
        LinkError::Offer
    );
    assert_eq!(refused(|request| request.variant = None), LinkError::Malformed);
    assert_eq!(refused(|request| request.d2d_protocol_version = 1), LinkError::OldDevice);
    assert_eq!(refused(|request| request.rendezvous_init = None), LinkError::Malformed);
    for (error, change) in [
        (LinkError::UnknownVersion, (|init| init.version = 1) as fn(&mut d2d_rendezvous::RendezvousInit)),
        (LinkError::Malformed, |init| init.ak = Bytes::from_static(&[7; 31])),
        (LinkError::Malformed, |init| init.ak = Bytes::new()),
        (LinkError::NoRelay, |init| init.relayed_web_socket = None),
        (LinkError::NoRelay, |init| init.relayed_web_socket.as_mut().unwrap().url.clear()),
    ] {
        assert_eq!(
            refused(|request| {
                let mut changed = init(request);
                change(&mut changed);
                request.rendezvous_init = Some(changed);
            }),
            error
        );
    }
    let text = format!("{PREFIX}{}", BASE64.encode(good().encode_to_vec()));
    for cut in 0..text.len() - 3 {
        assert!(JoinLink::parse(&text[..cut]).is_err(), "{cut}");
    }
    assert_eq!(JoinLink::parse("https://threema.id/join#AAAA").unwrap_err(), LinkError::NotALink);
    assert_eq!(JoinLink::parse(&format!("{PREFIX}{}", "A".repeat(8_000))).unwrap_err(), LinkError::Malformed);
}

#[test]
fn nothing_shows_a_link() {
    let link = parse(&good()).unwrap();
    assert_eq!(format!("{link:?} {:?}", link.key), "JoinLink([REDACTED]) AuthenticationKey([REDACTED])");
    assert_eq!(format!("{:?}", RelayPath::new([1; 32])), "RelayPath([REDACTED])");
}

/// What scanners have to read: version 9 of a QR code takes 230 characters.
#[test]
fn a_link_to_production_has_224_characters() {
    let path = RelayPath::new([0xab; 32]);
    let base = "wss://rendezvous-{rendezvousPathPrefix4}.threema.ch/{rendezvousPathPrefix8}";
    let link = JoinLink::request(AuthenticationKey::new(&mut [1; 32]), &path, base);
    assert!(link.relay_url.starts_with("wss://rendezvous-a.threema.ch/ab/abab"));
    assert_eq!(link.text().len(), 224);
    assert_eq!(RelayPath::from_segment(&"ab".repeat(32)), Some(path));
    assert_eq!(RelayPath::from_segment(&"ab".repeat(31)), None);
    assert_eq!(RelayPath::from_segment(&"xy".repeat(32)), None);
}
