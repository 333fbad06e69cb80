//! The tree of all fields: complete, clean, and without what people wrote or what is secret.

use std::fmt::Write as _;

use bytes::Bytes;
use prost::Message as _;

use crate::protocol::d2d::{
    Composer, Conversation, MAX_CHILDREN, MessageDraft, MessageType, ReceiptStatus, TreeBranch, TreeValue,
};
use crate::protocol::proto::d2d::envelope::Content;
use crate::protocol::proto::{common, csp_e2e, d2d as today, d2d_seed as seed, d2d_sync};
use crate::protocol::sealed::Sealable as _;
use crate::protocol::*;
use crate::text::{Clean, MAX_GRAPHEMES, PrivateText};

const NOW: Millis = Millis(1_700_000_000_000);
const ID: MessageId = MessageId(0x0102_0304_0506_0708);
const GROUP: MessageId = MessageId(0x77bb_ccdd_eeff_193a);
const WRITTEN: &str = "meet me at nine";

fn shown(branches: &[TreeBranch]) -> String {
    let mut out = String::new();
    show(branches, 0, &mut out);
    out
}

fn show(branches: &[TreeBranch], depth: usize, out: &mut String) {
    for branch in branches {
        let line = format!("{:indent$}{}: {}", "", branch.name, branch.value, indent = depth * 2);
        writeln!(out, "{}", line.trim_end()).unwrap();
        show(&branch.children, depth + 1, out);
    }
}

/// Everything in it may be shown, and there is no more of it than its bytes allow.
pub(super) fn assert_bounded(envelope: &Envelope, input: usize) {
    fn count(branches: &[TreeBranch]) -> usize {
        assert!(branches.len() <= MAX_CHILDREN + 1);
        branches
            .iter()
            .map(|branch| {
                let shown = format!("{}{}", branch.name, branch.value);
                assert!(!shown.chars().any(char::is_control), "{shown:?}");
                1 + count(&branch.children)
            })
            .sum()
    }
    // A byte of a feature mask makes up to seven branches; the head of a message a dozen.
    assert!(count(&envelope.tree()) <= 40 + input * 7);
    for line in envelope.tree().iter().flat_map(TreeBranch::private).flat_map(|(_, text)| text.reveal()) {
        assert_eq!(Clean::new(line.as_str()), line);
    }
}

fn composer(dialect: Dialect) -> Composer {
    Composer::new(dialect, DeviceId(5)).padded(9)
}

fn message(message_type: MessageType, body: impl Into<Bytes>) -> [Envelope; 2] {
    let draft = MessageDraft { id: ID, created_at: NOW, message_type, body: body.into() };
    [Dialect::Mk, Dialect::Dgk].map(|dialect| composer(dialect).incoming("ECHOECHO", draft.clone(), Nonce([1; 24])))
}

fn read(content: Content) -> String {
    let envelope = today::Envelope { device_id: 5, protocol_version: 3, padding: Bytes::new(), content: Some(content) };
    shown(&Envelope::decode(envelope.encode_to_vec().into(), Dialect::Dgk).unwrap().tree())
}

fn group_identity() -> common::GroupIdentity {
    common::GroupIdentity { group_id: GROUP.0, creator_identity: "CREATOR1".to_owned() }
}

fn identities() -> common::Identities {
    common::Identities { identities: vec!["ECHOECHO".to_owned(), "\u{1b}[31mEVIL".to_owned()] }
}

fn picture() -> common::DeltaImage {
    let blob = common::Blob {
        id: Bytes::from_static(&[1; 16]),
        nonce: Bytes::from_static(&[2; 24]),
        key: Bytes::from_static(&[0x53; 32]),
        uploaded_at: NOW.0,
    };
    let image = common::delta_image::Image::Updated(common::Image { r#type: 0, blob: Some(blob) });
    common::DeltaImage { image: Some(image) }
}

#[test]
fn messages_show_their_structure() {
    let group = Conversation::Group { id: GROUP, creator: Clean::literal("CREATOR1") };
    let receipt =
        MessageDraft::delivery_receipt(ID, NOW, ReceiptStatus::Read, &[ID, GROUP]).in_group(GROUP, "CREATOR1");
    let nonces = [Nonce([1; 24]), Nonce([2; 24])];
    let outgoing = [Dialect::Mk, Dialect::Dgk]
        .map(|dialect| composer(dialect).outgoing(&group, receipt.clone().unwrap(), &nonces));
    let updates = [(group, ID), (Conversation::DistributionList(GROUP), ID)];
    let edit = csp_e2e::EditMessage { message_id: 9, text: WRITTEN.to_owned() }.encode_to_vec();
    let file = format!(
        r#"{{"b":"0102","t":"0304","k":"5353","m":"image/jpeg","p":"image/png","n":"{WRITTEN}","s":1234,"j":1,
            "d":"{WRITTEN}","x":{{"w":640,"h":480}}}}"#
    );
    let call = csp_e2e::GroupCallStart {
        protocol_version: 1,
        gck: Bytes::from_static(&[0x53; 32]),
        sfu_base_url: "https://sfu.example.net/v1".to_owned(),
    };
    let group_call = [b"CREATOR1\x3a\x19\xff\xee\xdd\xcc\xbb\x77", call.encode_to_vec().as_slice()].concat();
    let old_media = |parts: &[&[u8]]| parts.concat();
    let reaction =
        |dialect| composer(dialect).incoming("ECHOECHO", MessageDraft::reaction(ID, NOW, GROUP, "👍"), nonces[0]);
    let all = [
        message(MessageType::TEXT, WRITTEN).to_vec(),
        outgoing.into_iter().flatten().collect(),
        message(MessageType::EDIT, edit).to_vec(),
        message(MessageType::FILE, file).to_vec(),
        message(MessageType::TYPING_INDICATOR, &[1][..]).to_vec(),
        vec![reaction(Dialect::Mk), reaction(Dialect::Dgk)],
        message(MessageType(0x53), &b"CREATOR1\x3a\x19\xff\xee\xdd\xcc\xbb\x77POLLER01PPPPPPPP[[0,1]]"[..]).to_vec(),
        message(MessageType(0x4a), &b"\x3a\x19\xff\xee\xdd\xcc\xbb\x77ECHOECHOMEMBER02rest"[..]).to_vec(),
        message(MessageType(0x60), r#"{"callId":77,"offer":"sdp"}"#).to_vec(),
        message(MessageType(0x61), r#"{"callId":77,"action":0,"rejectReason":5}"#).to_vec(),
        message(MessageType(0x10), "47.2,8.7,12.5\nOld Mill\nMill Lane 3").to_vec(),
        message(MessageType(0x02), old_media(&[&[1; 16], &[0x10, 0x27, 0, 0], &[2; 24]])).to_vec(),
        message(MessageType(0x43), old_media(&[&[3; 16], &[1; 16], &[0x10, 0x27, 0, 0], &[0x53; 32]])).to_vec(),
        message(MessageType(0x14), old_media(&[&[75, 0], &[1; 16], &[0x10, 0x27, 0, 0], &[0x53; 32]])).to_vec(),
        message(
            MessageType(0x13),
            old_media(&[&[75, 0], &[1; 16], &[0x10, 0x27, 0, 0], &[2; 16], &[9, 0, 0, 0], &[0x53; 32]]),
        )
        .to_vec(),
        message(MessageType(0x15), br#"PPPPPPPP{"d":"When?","s":1,"a":1,"t":1,"c":[{"n":"Monday"}]}"#.to_vec())
            .to_vec(),
        message(MessageType(0x4f), group_call).to_vec(),
        message(MessageType(0x77), WRITTEN).to_vec(),
        vec![composer(Dialect::Dgk).sent(&updates).unwrap(), composer(Dialect::Dgk).read(&updates, NOW).unwrap()],
    ];
    let trees: Vec<String> = all.iter().flatten().map(|envelope| shown(&envelope.tree())).collect();
    insta::assert_snapshot!(trees.join("---\n"));
}

#[test]
fn contacts_show_every_field() {
    use d2d_sync::contact as of;
    let unit = common::Unit {};
    let policy = of::notification_trigger_policy_override::Policy { policy: 7, expires_at: Some(NOW.0) };
    let contact = d2d_sync::Contact {
        identity: "ECHOECHO".to_owned(),
        public_key: Some(Bytes::from_static(&[7; 32])),
        created_at: Some(NOW.0),
        first_name: Some("Echo".to_owned()),
        last_name: Some(String::new()),
        nickname: Some("\u{202e}echo".to_owned()),
        verification_level: Some(2),
        identity_type: Some(1),
        acquaintance_level: Some(1),
        activity_state: Some(99),
        conversation_category: Some(1),
        conversation_visibility: Some(2),
        sync_state: Some(1),
        contact_defined_profile_picture: Some(picture()),
        user_defined_profile_picture: Some(common::DeltaImage {
            image: Some(common::delta_image::Image::Removed(unit)),
        }),
        read_receipt_policy_override: Some(of::ReadReceiptPolicyOverride {
            r#override: Some(of::read_receipt_policy_override::Override::Policy(1)),
        }),
        typing_indicator_policy_override: Some(of::TypingIndicatorPolicyOverride {
            r#override: Some(of::typing_indicator_policy_override::Override::Default(unit)),
        }),
        feature_mask: Some(0x1_0000_0601),
        notification_trigger_policy_override: Some(of::NotificationTriggerPolicyOverride {
            r#override: Some(of::notification_trigger_policy_override::Override::Policy(policy)),
        }),
        deprecated_notification_sound_policy_override: Some(of::DeprecatedNotificationSoundPolicyOverride {
            r#override: Some(of::deprecated_notification_sound_policy_override::Override::Default(unit)),
        }),
        work_verification_level: Some(1),
        work_last_full_sync_at: Some(NOW.0),
        work_availability_status: Some(d2d_sync::WorkAvailabilityStatus {
            category: 2,
            description: WRITTEN.to_owned(),
        }),
    };
    let action = Some(today::contact_sync::Action::Update(today::contact_sync::Update { contact: Some(contact) }));
    insta::assert_snapshot!(read(Content::ContactSync(today::ContactSync { action })));
}

#[test]
fn groups_and_lists_show_every_field() {
    use d2d_sync::group as of;
    let policy = of::notification_trigger_policy_override::Policy { policy: 0, expires_at: None };
    let group = d2d_sync::Group {
        group_identity: Some(group_identity()),
        name: Some("Choir".to_owned()),
        created_at: Some(NOW.0),
        conversation_category: Some(0),
        conversation_visibility: Some(1),
        user_state: Some(2),
        profile_picture: Some(picture()),
        member_identities: Some(identities()),
        notification_trigger_policy_override: Some(of::NotificationTriggerPolicyOverride {
            r#override: Some(of::notification_trigger_policy_override::Override::Policy(policy)),
        }),
        deprecated_notification_sound_policy_override: Some(of::DeprecatedNotificationSoundPolicyOverride {
            r#override: Some(of::deprecated_notification_sound_policy_override::Override::Default(common::Unit {})),
        }),
    };
    let member_state_changes = [("MEMBER01", 0), ("MEMBER02", 1), ("MEMBER03", 2), ("MEMBER04", 5)];
    let member_state_changes = member_state_changes.map(|(who, change)| (who.to_owned(), change)).into();
    let update = today::group_sync::Update { group: Some(group), member_state_changes };
    let delete = today::group_sync::Delete { group_identity: Some(group_identity()) };
    let list = d2d_sync::DistributionList {
        distribution_list_id: GROUP.0,
        name: Some("Neighbours".to_owned()),
        created_at: Some(NOW.0),
        conversation_category: Some(1),
        conversation_visibility: Some(0),
        member_identities: Some(identities()),
    };
    let create = today::distribution_list_sync::Create { distribution_list: Some(list) };
    let gone = today::distribution_list_sync::Delete { distribution_list_id: GROUP.0 };
    let group_sync = |action| Content::GroupSync(today::GroupSync { action: Some(action) });
    let list_sync = |action| Content::DistributionListSync(today::DistributionListSync { action: Some(action) });
    let trees = [
        read(group_sync(today::group_sync::Action::Update(update))),
        read(group_sync(today::group_sync::Action::Delete(delete))),
        read(list_sync(today::distribution_list_sync::Action::Create(create))),
        read(list_sync(today::distribution_list_sync::Action::Delete(gone))),
    ];
    insta::assert_snapshot!(trees.join("---\n"));
}

#[test]
fn a_sound_that_is_muted_is_named_as_threema_desktop_sends_it() {
    // Field 20 of a contact and field 10 of a group, with branch 2 of the older schema: its value 0 written out.
    let muted = [0x10, 0x00];
    for (content, key, name) in [(6_u8, &[0xa2, 0x01][..], "contact"), (7, &[0x52], "group")] {
        let value = [key, &[2], &muted].concat();
        let wrap = |tag: u8, inner: &[u8]| [&[tag, u8::try_from(inner.len()).unwrap()][..], inner].concat();
        // Envelope, then update, then the contact or the group.
        let plain = wrap(content << 3 | 2, &wrap(2 << 3 | 2, &wrap(1 << 3 | 2, &value)));
        let envelope = Envelope::decode(plain.into(), Dialect::Dgk).unwrap();
        let tree = shown(&envelope.tree());
        assert!(tree.contains("deprecated notification sound policy override: muted"), "{name}: {tree}");
        assert_eq!(envelope.unknown_fields(), [], "{name}");
    }
}

#[test]
fn the_length_of_a_file_is_on_no_side_of_nothing() {
    for (length, expected) in
        [("12.74", Some("12.7")), ("-0.0", Some("0.0")), ("-0.04", None), ("-3", None), ("1e300", None)]
    {
        let json = format!(r#"{{"x":{{"d":{length}}}}}"#);
        let draft = MessageDraft::file(ID, NOW, &json);
        let tree = shown(&Composer::new(Dialect::Dgk, DeviceId(5)).incoming("ECHOECHO", draft, Nonce([1; 24])).tree());
        let told = expected.map(|expected| format!("duration in seconds: {expected}"));
        assert_eq!(tree.contains("duration"), told.is_some(), "{length}: {tree}");
        assert!(told.is_none_or(|told| tree.contains(&told)), "{length}: {tree}");
    }
}

#[test]
fn unknown_fields_of_bodies_are_found_where_they_stand() {
    let reaction = csp_e2e::Reaction { message_id: 9, ..Default::default() }.encode_to_vec();
    let edit = csp_e2e::EditMessage { message_id: 9, text: "better".to_owned() }.encode_to_vec();
    let delete = csp_e2e::DeleteMessage { message_id: 9 }.encode_to_vec();
    let call = csp_e2e::GroupCallStart { protocol_version: 1, ..Default::default() }.encode_to_vec();
    let in_group = [b'x'; 16];
    for (number, header, body) in [
        (0x82, &in_group[..0], &reaction),
        (0x83, &in_group, &reaction),
        (0x91, &[], &edit),
        (0x93, &in_group, &edit),
        (0x92, &[], &delete),
        (0x94, &in_group, &delete),
        (0x4f, &in_group, &call),
    ] {
        // Field 77 of the body, and field 1 as bytes, which it is in none of them.
        for (more, last) in [(&[][..], None), (&[0xe8, 0x04, 0x01], Some(77)), (&[0x0a, 0x01, b'?'], Some(1))] {
            let body = Bytes::from([header, body, more].concat());
            let message_type = MessageType(number);
            let draft = MessageDraft { id: ID, created_at: NOW, message_type, body };
            for dialect in [Dialect::Mk, Dialect::Dgk] {
                let composer = Composer::new(dialect, DeviceId(5));
                let to = Conversation::Contact(Clean::literal("ECHOECHO"));
                let ours = composer.outgoing(&to, draft.clone(), &[]).unwrap();
                let theirs = composer.incoming("ECHOECHO", draft.clone(), Nonce([1; 24]));
                let around = if dialect == Dialect::Mk { "3.6" } else { "4.6" };
                for (envelope, around) in [(ours, "2.5"), (theirs, around)] {
                    let envelope = Envelope::decode(envelope.encode(dialect).into(), dialect).unwrap();
                    let expected: Vec<_> =
                        last.map(|last| Clean::new(&format!("{around}.{last}"))).into_iter().collect();
                    assert_eq!(envelope.unknown_fields(), expected, "{dialect} {number:#x}");
                    assert!(shown(&envelope.tree()).contains(if number == 0x4f {
                        "protocol version"
                    } else {
                        "message id"
                    }));
                }
            }
        }
    }
    // What only looks like fields is none.
    let text = MessageDraft::text(ID, NOW, "h\u{4}\u{1}");
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let envelope = Composer::new(dialect, DeviceId(5)).incoming("ECHOECHO", text.clone(), Nonce([1; 24]));
        let envelope = Envelope::decode(envelope.encode(dialect).into(), dialect).unwrap();
        assert_eq!(envelope.unknown_fields(), []);
    }
}

#[test]
fn profile_settings_and_parameters_show_every_field() {
    use d2d_sync::mdm_parameters::{Parameter, parameter::Value as Held};
    use d2d_sync::user_profile as of;
    use today::{mdm_parameter_sync as mdm, settings_sync, user_profile_sync as profile_sync};
    let link = |r#type| of::identity_links::IdentityLink { r#type: Some(r#type), description: WRITTEN.to_owned() };
    let links = vec![
        link(of::identity_links::identity_link::Type::PhoneNumber("+41 79".to_owned())),
        link(of::identity_links::identity_link::Type::Email("a@example.org".to_owned())),
    ];
    let profile = d2d_sync::UserProfile {
        nickname: Some("Nora".to_owned()),
        profile_picture: Some(picture()),
        profile_picture_share_with: Some(of::ProfilePictureShareWith {
            policy: Some(of::profile_picture_share_with::Policy::AllowList(identities())),
        }),
        identity_links: Some(of::IdentityLinks { links }),
        work_availability_status: Some(d2d_sync::WorkAvailabilityStatus::default()),
    };
    let settings = d2d_sync::Settings {
        contact_sync_policy: Some(1),
        unknown_contact_policy: Some(1),
        read_receipt_policy: Some(1),
        typing_indicator_policy: Some(0),
        o2o_call_policy: Some(0),
        o2o_call_connection_policy: Some(1),
        screenshot_policy: Some(-1),
        keyboard_data_collection_policy: Some(0),
        blocked_identities: Some(identities()),
        exclude_from_sync_identities: Some(common::Identities::default()),
        group_call_policy: Some(1),
        o2o_call_video_policy: Some(1),
    };
    let held = |name: &str, value| (name.to_owned(), Parameter { value: Some(value) });
    let parameters = d2d_sync::MdmParameters {
        external_parameters: [
            held("th_nickname", Held::StringValue(WRITTEN.to_owned())),
            held("th_Safe_Password", Held::StringValue(WRITTEN.to_owned())),
            held("th_id_backup", Held::StringValue(WRITTEN.to_owned())),
            held("th_license_username", Held::StringValue(WRITTEN.to_owned())),
            held("th_disable_screenshots", Held::BooleanValue(true)),
        ]
        .into(),
        threema_parameters: [held("th_keep_messages_days", Held::IntegerValue(30))].into(),
        parameter_precedence: 1,
    };
    let profile = profile_sync::Action::Update(profile_sync::Update { user_profile: Some(profile) });
    let settings = settings_sync::Action::Update(settings_sync::Update { settings: Some(settings) });
    let parameters = mdm::Action::Update(mdm::Update { parameters: Some(parameters) });
    let trees = [
        read(Content::UserProfileSync(today::UserProfileSync { action: Some(profile) })),
        read(Content::SettingsSync(today::SettingsSync { action: Some(settings) })),
        read(Content::MdmParameterSync(today::MdmParameterSync { action: Some(parameters) })),
    ]
    .join("---\n");
    assert!(!trees.contains(WRITTEN));
    insta::assert_snapshot!(trees);
}

#[test]
fn what_the_seed_synchronised_is_told_to_be_unreadable() {
    let content = Some(seed::envelope::Content::ContactSync(Bytes::from_static(b"extinct")));
    let envelope = seed::Envelope { padding: Bytes::new(), content };
    let mut plain = envelope.encode_to_vec();
    // Field 99, which nobody has.
    plain.extend([0x9a, 0x06, 0x02, 0x08, 0x01]);
    let tree = Envelope::decode(plain.into(), Dialect::Mk).unwrap().tree();
    assert_eq!(
        shown(&tree),
        "padding bytes: 0\ncontact sync: 7 bytes, of a format that is not known\nunknown field: 99\n"
    );
}

#[test]
fn no_type_of_message_shows_what_was_written() {
    for byte in 0..=u8::MAX {
        // Behind all ids that a body may begin with; a group setup holds only identities.
        let body = [[b'x'; 40].as_slice(), WRITTEN.as_bytes()].concat();
        if byte == 0x4a {
            continue;
        }
        for envelope in message(MessageType(byte), body) {
            let tree = format!("{:?}{}", envelope.tree(), shown(&envelope.tree()));
            assert!(!tree.contains(WRITTEN) && !tree.contains(&hex::encode(WRITTEN)), "type {byte:#04x}: {tree}");
        }
    }
}

/// Names of fields with the lines of their texts.
type Revealed<'a> = &'a [(&'a str, &'a [&'a str])];

fn revealed(envelope: &Envelope) -> Vec<(String, Vec<String>)> {
    let lines = |text: &PrivateText| text.reveal().iter().map(Clean::to_string).collect();
    let tree = envelope.tree();
    tree.iter().flat_map(TreeBranch::private).map(|(name, text)| (name.to_string(), lines(text))).collect()
}

#[test]
fn what_was_written_is_revealed_to_who_asks() {
    let head = |body: &[u8]| [&[b'x'; 16], body].concat();
    let edit = csp_e2e::EditMessage { message_id: 9, text: "better".to_owned() }.encode_to_vec();
    let action = Some(csp_e2e::reaction::Action::Withdraw(Bytes::from_static("👍".as_bytes())));
    let reaction = csp_e2e::Reaction { message_id: 9, action }.encode_to_vec();
    let file = br#"{"n":"secret.pdf","d":"a caption"}"#;
    let poll = br#"PPPPPPPP{"d":"When?","s":1,"a":1,"t":0,"c":[{"i":0,"n":"Monday"},{"i":1,"n":"Friday"}]}"#;
    let place = b"47.20,8.78,12.5\nOld Mill\nMill Lane 3\nVillage";
    let at_place =
        [("coordinates", &["47.20,8.78,12.5"][..]), ("place", &["Old Mill"]), ("address", &["Mill Lane 3", "Village"])];
    let of_poll = [("question", &["When?"][..]), ("choice", &["Monday"]), ("choice", &["Friday"])];
    let cases: [(MessageType, Vec<u8>, Revealed<'_>); 16] = [
        (MessageType::TEXT, b"a\r\n\nb\x1b[31m".to_vec(), &[("text", &["a", "", "b^[[31m"])]),
        (MessageType::GROUP_TEXT, head(b"hello"), &[("text", &["hello"])]),
        (MessageType::EDIT, edit.clone(), &[("text", &["better"])]),
        (MessageType::GROUP_EDIT, head(&edit), &[("text", &["better"])]),
        (MessageType::REACTION, reaction.clone(), &[("withdraw", &["👍"])]),
        (MessageType::GROUP_REACTION, head(&reaction), &[("withdraw", &["👍"])]),
        (MessageType::FILE, file.to_vec(), &[("file name", &["secret.pdf"]), ("caption", &["a caption"])]),
        (MessageType::GROUP_FILE, head(file), &[("file name", &["secret.pdf"]), ("caption", &["a caption"])]),
        (MessageType(0x10), place.to_vec(), &at_place),
        (MessageType(0x42), head(place), &at_place),
        (MessageType(0x15), poll.to_vec(), &of_poll),
        (MessageType(0x52), head(poll), &of_poll),
        (MessageType::GROUP_NAME, b"GGGGGGGGChoir".to_vec(), &[("name", &["Choir"])]),
        (MessageType::FILE, b"{}".to_vec(), &[]),
        (MessageType::GROUP_TEXT, b"short".to_vec(), &[]),
        (MessageType::DELIVERY_RECEIPT, b"\x01".to_vec(), &[]),
    ];
    for (message_type, body, expected) in cases {
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(name, lines)| ((*name).to_owned(), lines.iter().map(|line| (*line).to_owned()).collect()))
            .collect();
        for envelope in message(message_type, body) {
            assert_eq!(revealed(&envelope), expected, "{message_type}");
            let (tree, debug) = (shown(&envelope.tree()), format!("{:?}", envelope.tree()));
            for words in expected.iter().flat_map(|(_, lines)| lines).filter(|words| words.len() > 2) {
                assert!(!tree.contains(words) && !debug.contains(words), "{words} of {message_type}: {tree}");
            }
        }
    }
}

#[test]
fn what_people_are_is_revealed_to_who_asks() {
    let contact = d2d_sync::Contact {
        first_name: Some("Echo".to_owned()),
        last_name: Some(String::new()),
        nickname: Some("nymph".to_owned()),
        ..Default::default()
    };
    let sync = composer(Dialect::Dgk).contact_sync(d2d::SyncAction::Update, contact).unwrap();
    let (names, lines): (Vec<_>, Vec<_>) = revealed(&sync).into_iter().unzip();
    assert_eq!(
        (names, lines.concat()),
        (vec!["first name".into(), "nickname".into()], vec!["Echo".into(), "nymph".into()])
    );
    let tree = shown(&sync.tree());
    assert!(tree.contains("first name: 4 bytes, private") && tree.contains("last name: empty"), "{tree}");
}

#[test]
fn a_long_paragraph_loses_no_word() {
    let paragraph = "palabra ".repeat(200);
    let [_, envelope] = message(MessageType::TEXT, format!("{paragraph}\n{}", "x".repeat(1_000)));
    let tree = envelope.tree();
    let [(_, text)] = tree.iter().flat_map(TreeBranch::private).collect::<Vec<_>>()[..] else { panic!("one text") };
    let lines = text.reveal();
    assert!(lines.iter().all(|line| line.as_str().len() <= MAX_GRAPHEMES && !line.as_str().ends_with('…')));
    let words: usize = lines.iter().map(|line| line.as_str().matches("palabra").count()).sum();
    let letters: usize = lines.iter().map(|line| line.as_str().matches('x').count()).sum();
    assert_eq!((words, letters), (200, 1_000));

    let [_, flood] = message(MessageType::TEXT, "\n".repeat(60_000));
    let [(_, lines)] = &revealed(&flood)[..] else { panic!("one text") };
    assert_eq!((lines.len(), lines.last().unwrap().as_str()), (501, "… 59500 bytes more"));
}

#[test]
fn a_flood_of_updates_is_cut_and_counted() {
    let contact = Conversation::Contact(Clean::literal("ECHOECHO"));
    let updates = vec![(contact, ID); MAX_CHILDREN + 7];
    let tree = composer(Dialect::Dgk).sent(&updates).unwrap().tree();
    let updates = &tree.last().unwrap().children[0];
    assert_eq!((&updates.value, updates.children.len()), (&TreeValue::Number(1_007), MAX_CHILDREN + 1));
    assert_eq!(updates.children.last().unwrap().value, TreeValue::Number(7));
}

#[test]
fn what_is_absent_or_an_explicit_default_shows_nothing_and_is_understood() {
    // No device id; an image whose blob has no nonce and no time.
    let blob =
        common::Blob { id: Bytes::from_static(&[7; 16]), key: Bytes::from_static(&[8; 32]), ..Default::default() };
    let image = common::Image { blob: Some(blob), ..Default::default() };
    let image = common::DeltaImage { image: Some(common::delta_image::Image::Updated(image)) };
    let contact = d2d_sync::Contact {
        identity: "ECHOECHO".to_owned(),
        contact_defined_profile_picture: Some(image),
        ..Default::default()
    };
    let update = today::contact_sync::Update { contact: Some(contact) };
    let sync = today::ContactSync { action: Some(today::contact_sync::Action::Update(update)) };
    let envelope = today::Envelope { content: Some(Content::ContactSync(sync)), ..Default::default() };
    let mut plain = envelope.encode_to_vec();
    // Padding of length 0, written out.
    plain.extend([0x0a, 0x00]);
    let envelope = Envelope::decode(plain.into(), Dialect::Dgk).unwrap();
    assert_eq!(envelope.summary().author, None);
    let tree = shown(&envelope.tree());
    for absent in ["device id", "nonce", "uploaded at", "unknown field"] {
        assert!(!tree.contains(absent), "{absent}: {tree}");
    }
    assert!(tree.contains("key: 32 bytes, secret"), "{tree}");
}
