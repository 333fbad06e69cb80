//! Key storages and provisioning files: the published sample, and files made and signed by the tests.

use chrono::NaiveDate;
use prost::Message as _;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::*;
use crate::profile::secrets::Passphrase;
use crate::protocol::Dialect;
use crate::protocol::proto::keystorage::{DecryptedKeyStorage, EncryptedKeyStorage, decrypted_key_storage};
use crate::text::Clean;

const PIN: &str = "vGQZ8hm2h+km+q7rnJ7kF9S17BwSY0rbhwjz6nIupf0=";

fn signer(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

fn trust(today: &str) -> Trust {
    let keys = [1, 2].map(|seed| signer(seed).public_key().as_ref().try_into().unwrap());
    Trust { keys: keys.to_vec(), today: today.parse::<NaiveDate>().unwrap() }
}

fn body() -> Value {
    json!({
        "version": "1.0",
        "signatureKey": base64(signer(2).public_key().as_ref()),
        "refresh": 86400,
        "license": { "id": "X", "expires": "2026-12-31", "count": 100 },
        "chat": { "hostname": "chat.example", "publicKey": PIN, "ports": [5222] },
        "mediator": { "url": "wss://mediator-{deviceGroupIdPrefix4}.example/{deviceGroupIdPrefix8}/", "blob": {} },
        "domains": { "rules": [
            { "fqdn": "Exact.example", "matchMode": "exact", "spkis": [{ "value": PIN, "algorithm": "sha256" }] },
            { "fqdn": "new.example", "matchMode": "by-moonlight", "spkis": [{ "value": PIN, "algorithm": "sha256" }] },
            { "fqdn": "example", "matchMode": "include-subdomains", "spkis": [
                { "value": "not base64 at all", "algorithm": "sha3" },
                { "value": base64(&[7; 32]), "algorithm": "sha256" },
            ] },
        ] },
    })
}

fn signed(body: &Value, seed: u8) -> Vec<u8> {
    let mut file = serde_json::to_vec_pretty(body).unwrap();
    let signature = signer(seed).sign(&file);
    file.extend_from_slice(format!("\n{}", base64(signature.as_ref())).as_bytes());
    file
}

fn error_of(file: &[u8]) -> String {
    oppf::read(file, &trust("2026-06-01")).unwrap_err().to_string()
}

#[test]
fn a_signed_provisioning_file_gives_mediator_and_pins() {
    let mut file = signed(&body(), 2);
    for ending in ["", "\n", "\r\n"] {
        file.extend_from_slice(ending.as_bytes());
        let provisioning = oppf::read(&file, &trust("2026-12-31")).unwrap();
        assert_eq!(provisioning.mediator, "wss://mediator-{deviceGroupIdPrefix4}.example/{deviceGroupIdPrefix8}/");
        let pins = |host| oppf::pins_of(&provisioning.pins, host).map(<[String]>::to_vec);
        assert_eq!(pins("exact.EXAMPLE"), Some(vec![PIN.to_owned()]));
        let all = Some(vec![base64(&[7; 32])]);
        assert_eq!(pins("mediator-1.example"), all);
        assert_eq!(pins("a.b.example"), all);
        assert_eq!(pins("example"), all);
        assert_eq!(pins("notexample"), None);
        assert_eq!(pins("example.org"), None);
    }
}

#[test]
fn the_older_way_of_pinning_is_read_where_there_is_no_newer() {
    let mut old = body();
    old["publicKeyPinning"] =
        json!([{ "domain": "*.old.example", "spkis": [{ "algorithm": "sha256", "value": PIN }] }]);
    assert!(
        oppf::read(&signed(&old, 2), &trust("2026-06-01"))
            .unwrap()
            .pins
            .iter()
            .all(|rule| rule.domain != "old.example")
    );
    old.as_object_mut().unwrap().remove("domains");
    let provisioning = oppf::read(&signed(&old, 2), &trust("2026-06-01")).unwrap();
    let pinned = |host| oppf::pins_of(&provisioning.pins, host).is_some();
    assert!(pinned("a.old.example") && !pinned("old.example") && !pinned("a.b.old.example") && !pinned(".old.example"));
}

#[test]
fn each_thing_wrong_with_a_provisioning_file_has_a_sentence_of_its_own() {
    let good = signed(&body(), 2);
    let changed = String::from_utf8(good.clone()).unwrap().replace("mediator-", "mediator.");
    assert!(error_of(changed.as_bytes()).contains("changed after it was signed"));

    let mut unknown = body();
    unknown["signatureKey"] = json!(base64(signer(9).public_key().as_ref()));
    assert!(error_of(&signed(&unknown, 9)).contains("does not trust"));
    // Signed by one trusted key, in the name of another.
    assert!(error_of(&signed(&body(), 1)).contains("names another key"));
    // Signed by somebody in the name of a trusted key.
    assert!(error_of(&signed(&body(), 9)).contains("changed after it was signed"));

    let expired = oppf::read(&good, &trust("2027-01-01")).unwrap_err().to_string();
    assert!(expired.contains("expired on 2026-12-31"), "{expired}");

    let mut without = body();
    without.as_object_mut().unwrap().remove("mediator");
    assert!(error_of(&signed(&without, 2)).contains("no mediator"));

    for url in ["ws://mediator.example/", "https://mediator.example/", "wss://", "mediator.example", "wss://a b/"] {
        let mut bad = body();
        bad["mediator"]["url"] = json!(url);
        assert!(error_of(&signed(&bad, 2)).contains("wss:// URL"), "{url}");
    }

    let mut newer = body();
    newer["version"] = json!("2.0");
    assert!(error_of(&signed(&newer, 2)).contains("version 2.0"));

    let mut pin = body();
    pin["domains"]["rules"][0]["spkis"][0]["value"] = json!("AAAA");
    assert!(error_of(&signed(&pin, 2)).contains("pin is damaged"));

    for nothing in [&b""[..], b"{}", &[b'A'; 88], b"hello\nworld", &good[..good.len() - 1], &good[..20]] {
        assert!(error_of(nothing).contains("no provisioning file"), "{}", error_of(nothing));
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let good = signed(&body(), 2);
    for place in 0..good.len() - 90 {
        let mut changed = good.clone();
        changed[place] ^= 1;
        assert!(oppf::read(&changed, &trust("2026-06-01")).is_err(), "byte {place}");
    }
}

#[test]
fn the_built_in_keys_are_keys() {
    assert_eq!(Trust::built_in().keys.len(), 3);
}

fn vector(name: &str) -> String {
    let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors.json")).unwrap();
    vectors["desktop_keystorage"][name].as_str().unwrap().to_owned()
}

fn sample() -> Vec<u8> {
    hex::decode(vector("file")).unwrap()
}

fn open(file: &[u8], password: &str) -> Result<Imported, DesktopError> {
    desktop::open(file, &Passphrase::from(password), &trust("2026-06-01"))
}

/// The sample's frame around other contents.
fn sealed(inner: &DecryptedKeyStorage) -> Vec<u8> {
    use crypto_secretbox::aead::{Aead as _, KeyInit as _};
    let key: [u8; 32] = hex::decode(vector("derived_key")).unwrap().try_into().unwrap();
    let mut outer = EncryptedKeyStorage::decode(sample().as_slice()).unwrap();
    let nonce = [9; 24];
    let sealed = crypto_secretbox::XSalsa20Poly1305::new(&key.into())
        .encrypt(&nonce.into(), inner.encode_to_vec().as_slice())
        .unwrap();
    outer.encrypted_key_storage = [&nonce[..], &sealed].concat().into();
    outer.encode_to_vec()
}

fn inner() -> DecryptedKeyStorage {
    DecryptedKeyStorage::decode(hex::decode(vector("inner_plain")).unwrap().as_slice()).unwrap()
}

#[test]
fn the_sample_imports_and_shows_nothing() {
    let imported = open(&sample(), &vector("password")).unwrap();
    assert_eq!(*imported.secret.expose_hex(), vector("expect_dgk"));
    assert_eq!(imported.server_group.as_str(), vector("expect_server_group"));
    assert_eq!(imported.identity, Some(Clean::literal("ECHOECHO")));
    assert_eq!((imported.dialect, imported.mediator.as_deref(), imported.pins.len()), (Dialect::Dgk, None, 0));
    let shown = format!("{imported:?}");
    assert!(shown.contains("REDACTED") && !shown.contains(&vector("expect_dgk")), "{shown}");
}

#[test]
fn a_wrong_password_is_said_to_be_wrong() {
    for password in ["correct horsE", "", "correct horse "] {
        let error = open(&sample(), password).unwrap_err().to_string();
        assert!(error.contains("password of Threema Desktop is wrong"), "{error}");
    }
}

#[test]
fn a_file_cut_short_is_said_to_be_damaged() {
    let file = sample();
    // Without its last two bytes, the schema version, it is whole: that is how version 0 looks.
    for length in (0..file.len() - 2).chain([file.len() - 1]) {
        let error = open(&file[..length], "correct horse").unwrap_err();
        assert!(matches!(error, DesktopError::Damaged(_)), "{length}: {error}");
    }
}

#[test]
fn newer_layouts_are_refused_politely_and_older_ones_read() {
    let mut outer = EncryptedKeyStorage::decode(sample().as_slice()).unwrap();
    outer.schema_version = 2;
    let error = open(&outer.encode_to_vec(), "correct horse").unwrap_err().to_string();
    assert!(error.contains("newer Threema Desktop (file schema 2)"), "{error}");
    outer.schema_version = 0;
    assert!(open(&outer.encode_to_vec(), "correct horse").is_ok());

    let mut newer = inner();
    newer.schema_version = 3;
    let error = open(&sealed(&newer), "correct horse").unwrap_err().to_string();
    assert!(error.contains("newer Threema Desktop (key schema 3)"), "{error}");

    for schema_version in [0, 1] {
        let mut older = DecryptedKeyStorage { schema_version, ..inner() };
        let identity = older.identity_data.as_mut().unwrap();
        (identity.deprecated_server_group, identity.server_group) = (5, String::new());
        assert_eq!(open(&sealed(&older), "correct horse").unwrap().server_group.as_str(), "05");
    }
}

#[test]
fn contents_that_make_no_group_are_refused() {
    let short = DecryptedKeyStorage { dgk: vec![1; 31].into(), ..inner() };
    assert!(matches!(open(&sealed(&short), "correct horse"), Err(DesktopError::Damaged(_))));
    let nobody = DecryptedKeyStorage { identity_data: None, ..inner() };
    assert!(matches!(open(&sealed(&nobody), "correct horse"), Err(DesktopError::Damaged(_))));
    let mut nowhere = inner();
    nowhere.identity_data.as_mut().unwrap().server_group = "../x".to_owned();
    assert!(matches!(open(&sealed(&nowhere), "correct horse"), Err(DesktopError::ServerGroup(_))));
}

#[test]
fn parameters_beyond_reason_are_refused_before_they_cost_anything() {
    use crate::protocol::proto::keystorage::encrypted_key_storage::KdfParameters;
    let changed = |change: fn(&mut crate::protocol::proto::keystorage::encrypted_key_storage::Argon2idParameters)| {
        let mut outer = EncryptedKeyStorage::decode(sample().as_slice()).unwrap();
        let Some(KdfParameters::Argon2id(parameters)) = &mut outer.kdf_parameters else { unreachable!() };
        change(parameters);
        open(&outer.encode_to_vec(), "correct horse").unwrap_err()
    };
    assert!(matches!(changed(|p| p.memory_bytes = u32::MAX), DesktopError::TooCostly { .. }));
    assert!(matches!(changed(|p| p.iterations = 65), DesktopError::TooCostly { .. }));
    assert!(matches!(changed(|p| p.parallelism = 17), DesktopError::TooCostly { .. }));
    assert!(matches!(changed(|p| p.memory_bytes = 1_024), DesktopError::Damaged(_)));
    assert!(matches!(changed(|p| p.iterations = 0), DesktopError::Damaged(_)));
    assert!(matches!(changed(|p| p.parallelism = 0), DesktopError::Damaged(_)));
    assert!(matches!(changed(|p| p.salt = vec![1; 7].into()), DesktopError::Damaged(_)));
    assert!(matches!(changed(|p| p.version = 1), DesktopError::Newer(_)));
}

#[test]
fn an_onprem_installation_brings_mediator_and_pins() {
    let with = |config: Vec<u8>| {
        let on_prem = decrypted_key_storage::OnPremConfig {
            oppf_url: "https://example/prov/config.oppf".to_owned(),
            last_updated: 1,
            oppf_cached_config: String::from_utf8(config).unwrap(),
        };
        open(&sealed(&DecryptedKeyStorage { on_prem_config: Some(on_prem), ..inner() }), "correct horse")
    };
    for config in [signed(&body(), 2), serde_json::to_vec(&body()).unwrap()] {
        let imported = with(config).unwrap();
        assert_eq!(imported.mediator.as_deref(), body()["mediator"]["url"].as_str());
        assert_eq!(imported.pins.len(), 2);
    }
    assert!(with(signed(&body(), 9)).unwrap_err().to_string().contains("changed after it was signed"));
}

#[test]
fn a_whole_profile_directory_is_imported_with_a_password_from_a_descriptor() {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;
    let home = tempfile::tempdir().unwrap();
    let profile = home.path().join("consumer-live-default");
    std::fs::create_dir_all(profile.join("data")).unwrap();
    std::fs::write(profile.join("data/keystorage.pb3"), sample()).unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    writeln!(writer, "{}", vector("password")).unwrap();
    let mut source = crate::profile::secrets::PassphraseSource::new(Some(reader.as_raw_fd().unsigned_abs()));
    let imported = threema_desktop(Some(home.path()), &mut source, &trust("2026-06-01")).unwrap();
    assert_eq!(*imported.secret.expose_hex(), vector("expect_dgk"));
    assert!(imported.mediator.unwrap().contains("threema.ch"));
}
