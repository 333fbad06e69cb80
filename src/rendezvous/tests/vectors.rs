//! The published vectors of the rendezvous.

use bytes::Bytes;
use serde_json::Value;

use crate::rendezvous::wire::*;

struct Vectors(Value);

impl Vectors {
    fn load() -> Self {
        let mut all: Value = serde_json::from_str(include_str!("../../../tests/vectors.json")).unwrap();
        Self(all["rendezvous"].take())
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("no vector {name}"))
    }

    fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        hex::decode(self.text(name)).unwrap().try_into().unwrap()
    }

    fn link_key(&self) -> AuthenticationKey {
        AuthenticationKey::new(&mut self.array("ak"))
    }

    fn path_id(&self) -> u32 {
        u32::try_from(self.0["path_id"].as_u64().unwrap()).unwrap()
    }
}

#[test]
fn both_sides_come_to_the_same_keys() {
    let vectors = Vectors::load();
    let sides = [("rid_etk", "rrd_etk"), ("rrd_etk", "rid_etk")];
    for (own, other) in sides {
        let own_secret = EphemeralSecret::new(&mut vectors.array(&format!("{own}_secret")));
        assert_eq!(own_secret.public(), vectors.array(&format!("{own}_public")));
        let other_public = vectors.array(&format!("{other}_public"));
        let keys = TransportKeys::agree(&vectors.link_key(), &own_secret, &other_public).unwrap();
        let expected = ["ridtk", "rrdtk", "rph"].map(|name| vectors.text(name).to_owned());
        assert_eq!(keys.expose_for_vectors().map(hex::encode), expected);
        let indices: Vec<u64> =
            vectors.0["emoji_indices"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        assert_eq!(keys.emoji().map(|emoji| u64::from(emoji.index())).as_slice(), indices);
        assert_eq!(keys.emoji().map(Emoji::name), ["umbrella", "hammer and pick", "fire"]);
    }
}

#[test]
fn keys_of_the_handshake() {
    let vectors = Vectors::load();
    for (role, name) in [(RendezvousRole::Initiator, "ridak"), (RendezvousRole::Responder, "rrdak")] {
        assert_eq!(vectors.link_key().frame_key(role).expose_for_vectors(), vectors.array(name));
    }
}

#[test]
fn a_key_that_gives_no_secret_is_refused() {
    let secret = EphemeralSecret::new(&mut [7; 32]);
    assert!(TransportKeys::agree(&Vectors::load().link_key(), &secret, &[0; 32]).is_err());
}

#[test]
fn first_frame_byte_for_byte() {
    let vectors = Vectors::load();
    let direction = || FrameDirection::new(vectors.link_key().frame_key(RendezvousRole::Responder), vectors.path_id());
    let plain = hex::decode(vectors.text("hello_plain")).unwrap();
    let hello = Hello::decode(&plain).unwrap();
    assert_eq!(hello.ephemeral, vectors.array("rrd_etk_public"));
    assert_eq!(hello.encode(), plain);
    let frame = direction().seal(&plain).unwrap();
    assert_eq!(hex::encode(&frame), vectors.text("hello_frame"));
    let sealed = FrameReader::default().next_box(&mut Bytes::clone(&frame), MAX_HANDSHAKE_FRAME).unwrap().unwrap();
    assert_eq!(direction().open(sealed).unwrap()[..], plain);
}

#[test]
fn the_link() {
    let vectors = Vectors::load();
    let link = JoinLink::parse(vectors.text("join_uri")).unwrap();
    assert_eq!(link.path_id, vectors.path_id());
    let path = RelayPath::new([0xab; 32]);
    let base = "wss://rendezvous-{rendezvousPathPrefix4}.example.test/{rendezvousPathPrefix8}";
    assert_eq!(*link.relay_url, *path.url(base));
    let ours = JoinLink::request(vectors.link_key(), &path, base);
    assert_eq!(*ours.text(), *vectors.text("join_uri"));
    assert_eq!(
        link.key.frame_key(RendezvousRole::Initiator).expose_for_vectors(),
        vectors.link_key().frame_key(RendezvousRole::Initiator).expose_for_vectors()
    );
}
