//! What the feed tells of each content.

use bytes::Bytes;
use prost::Message as _;

use crate::protocol::d2d::{
    ContentKind, Conversation, Detail, Direction, EnvelopeSummary, MessageDraft, MessageType, NameChange,
    ReceiptStatus, SyncAction,
};
use crate::protocol::proto::d2d::envelope::Content;
use crate::protocol::proto::d2d::{distribution_list_sync as list_sync, group_sync, mdm_parameter_sync as mdm};
use crate::protocol::proto::{common, csp_e2e, d2d as today, d2d_seed as seed, d2d_sync};
use crate::protocol::sealed::Sealable;
use crate::protocol::*;
use crate::text::Clean;

const NOW: Millis = Millis(1_700_000_000_000);
const ID: MessageId = MessageId(0x0102_0304_0506_0708);
const GROUP: MessageId = MessageId(0x77bb_ccdd_eeff_193a);

fn composer() -> Composer {
    Composer::new(Dialect::Dgk, DeviceId(5)).padded(9)
}

fn contact(identity: &'static str) -> Conversation {
    Conversation::Contact(Clean::literal(identity))
}

fn group() -> Conversation {
    Conversation::Group { id: GROUP, creator: Clean::literal("CREATOR1") }
}

fn group_identity() -> common::GroupIdentity {
    common::GroupIdentity { group_id: GROUP.0, creator_identity: "CREATOR1".to_owned() }
}

fn incoming(draft: MessageDraft) -> EnvelopeSummary {
    composer().incoming("ECHOECHO", draft, Nonce([1; 24])).summary()
}

/// A content that the composer does not make.
fn read(content: Option<Content>) -> EnvelopeSummary {
    let envelope = today::Envelope { device_id: 5, protocol_version: 2, padding: Bytes::new(), content };
    Envelope::decode(envelope.encode_to_vec().into(), Dialect::Dgk).unwrap().summary()
}

fn read_seed(content: seed::envelope::Content) -> EnvelopeSummary {
    let envelope = seed::Envelope { padding: Bytes::new(), content: Some(content) };
    Envelope::decode(envelope.encode_to_vec().into(), Dialect::Mk).unwrap().summary()
}

fn detail(summary: &EnvelopeSummary) -> String {
    summary.detail.as_ref().map(Detail::to_string).unwrap_or_default()
}

#[test]
fn incoming_messages() {
    let text = incoming(MessageDraft::text(ID, NOW, "hello"));
    assert_eq!((text.author, text.protocol_version), (Some(DeviceId(5)), 3));
    assert_eq!((text.kind, text.direction()), (ContentKind::IncomingMessage, Direction::Incoming));
    assert_eq!((text.conversation, text.message_type), (Some(contact("ECHOECHO")), Some(MessageType::TEXT)));
    assert_eq!((text.message_id, text.created_at), (Some(ID), Some(NOW)));
    assert_eq!((text.body_length, text.count, text.detail), (5, 1, None));

    assert_eq!(detail(&incoming(MessageDraft::typing(ID, NOW, true))), "typing");
    assert_eq!(detail(&incoming(MessageDraft::typing(ID, NOW, false))), "stopped");
    let receipt = |status, count| MessageDraft::delivery_receipt(ID, NOW, status, &vec![ID; count]);
    assert_eq!(detail(&incoming(receipt(ReceiptStatus::Received, 1))), "received");
    assert_eq!(detail(&incoming(receipt(ReceiptStatus::Read, 3))), "read, 3 messages");
    let reaction = incoming(MessageDraft::reaction(ID, NOW, MessageId(9), "👍"));
    assert_eq!(reaction.message_type.unwrap().to_string(), "reaction");
}

#[test]
fn incoming_group_messages_name_group_and_sender() {
    let text = incoming(MessageDraft::text(ID, NOW, "hello").in_group(GROUP, "CREATOR1").unwrap());
    assert_eq!((text.conversation.as_ref(), text.message_type), (Some(&group()), Some(MessageType::GROUP_TEXT)));
    assert_eq!((text.body_length, detail(&text).as_str()), (21, ""));
    assert_eq!(text.conversation.unwrap().to_string(), "3a19…77");
    let receipt =
        MessageDraft::delivery_receipt(ID, NOW, ReceiptStatus::Read, &[ID]).in_group(GROUP, "CREATOR1").unwrap();
    let receipt = incoming(receipt);
    assert_eq!((receipt.sender.as_ref().unwrap().as_str(), detail(&receipt).as_str()), ("ECHOECHO", "read"));

    // Where the body leaves the creator out, the sender is it.
    let body = Bytes::copy_from_slice(&GROUP.0.to_le_bytes());
    let setup = incoming(MessageDraft { id: ID, created_at: NOW, message_type: MessageType(0x4a), body });
    assert_eq!(setup.conversation, Some(Conversation::Group { id: GROUP, creator: Clean::literal("ECHOECHO") }));
    // Too short to name a group: then it is from a contact.
    let body = Bytes::from_static(b"short");
    let broken = incoming(MessageDraft { id: ID, created_at: NOW, message_type: MessageType::GROUP_TEXT, body });
    assert_eq!(broken.conversation, Some(contact("ECHOECHO")));

    assert_eq!(MessageDraft::text(ID, NOW, "").in_group(GROUP, "SHORT"), None);
    assert_eq!(MessageDraft::typing(ID, NOW, true).in_group(GROUP, "CREATOR1"), None);
}

#[test]
fn outgoing_messages_and_updates() {
    let nonces = [Nonce([1; 24]), Nonce([2; 24])];
    let draft = MessageDraft::text(ID, NOW, "hello").in_group(GROUP, "CREATOR1").unwrap();
    let sent = composer().outgoing(&group(), draft, &nonces).unwrap().summary();
    assert_eq!((sent.kind, sent.direction()), (ContentKind::OutgoingMessage, Direction::Outgoing));
    assert_eq!((sent.conversation, sent.message_type), (Some(group()), Some(MessageType::GROUP_TEXT)));
    assert_eq!((sent.count, sent.detail), (2, None));

    let list = Conversation::DistributionList(GROUP);
    assert_eq!(list.to_string(), "list 3a19…77");
    let to_list = composer().outgoing(&list, MessageDraft::text(ID, NOW, "x"), &nonces).unwrap().summary();
    assert_eq!(to_list.conversation, Some(list.clone()));
    assert_eq!(
        Composer::new(Dialect::Mk, DeviceId(5)).outgoing(&list, MessageDraft::text(ID, NOW, "x"), &nonces),
        None
    );

    let updates = [(group(), ID), (contact("ECHOECHO"), MessageId(2))];
    let update = composer().sent(&updates).unwrap().summary();
    assert_eq!((update.kind, update.direction()), (ContentKind::OutgoingMessageUpdate, Direction::Outgoing));
    assert_eq!((update.conversation, update.message_id, update.count), (Some(group()), Some(ID), 2));
    let update = composer().read(&updates, NOW).unwrap().summary();
    assert_eq!((update.kind, update.direction()), (ContentKind::IncomingMessageUpdate, Direction::Incoming));
    assert_eq!((update.message_id, update.message_type, update.count), (Some(ID), None, 2));
}

#[test]
fn contact_sync_names_what_changed() {
    let identity = "ECHOECHO".to_owned();
    let contact_value = d2d_sync::Contact {
        identity,
        nickname: Some("echo".to_owned()),
        first_name: Some(String::new()),
        ..Default::default()
    };
    let length = u32::try_from(contact_value.encoded_len()).unwrap();
    let update = composer().contact_sync(SyncAction::Update, contact_value.clone()).unwrap().summary();
    assert_eq!((update.kind, update.direction()), (ContentKind::ContactSync, Direction::Sync));
    assert_eq!((update.conversation.as_ref(), update.action), (Some(&contact("ECHOECHO")), Some(SyncAction::Update)));
    assert_eq!((update.body_length, detail(&update).as_str()), (length, "nickname, first name"));
    let create = composer().contact_sync(SyncAction::Create, contact_value.clone()).unwrap().summary();
    assert_eq!((create.action, create.detail), (Some(SyncAction::Create), None));
    assert_eq!(composer().contact_sync(SyncAction::Delete, contact_value), None);
}

#[test]
fn sync_brings_names() {
    let name = |first: Option<&str>, last: Option<&str>| {
        let (first_name, last_name) = (first.map(str::to_owned), last.map(str::to_owned));
        let nickname = Some("echo".to_owned());
        let value = d2d_sync::Contact { first_name, last_name, nickname, ..Default::default() };
        let summary = composer().contact_sync(SyncAction::Update, value).unwrap().summary();
        assert_eq!(summary.nickname.unwrap().as_str(), "echo");
        summary.name
    };
    let parts = |first: Option<&str>, last: Option<&str>| {
        Some(NameChange::Parts { first: first.map(Clean::new), last: last.map(Clean::new) })
    };
    assert_eq!(name(None, None), None);
    for (first, last, whole) in [
        (Some("Echo"), Some("Nymph"), Some("Echo Nymph")),
        (Some(""), Some("Nymph"), Some("Nymph")),
        (Some("Echo"), None, None),
        (None, Some(""), None),
        (Some(""), Some(""), Some("")),
    ] {
        let told = name(first, last);
        assert_eq!(told, parts(first, last));
        assert_eq!(told.unwrap().whole(), whole.map(Clean::new));
    }
    // Of a new contact, a part that is left out is empty.
    let created = d2d_sync::Contact { first_name: Some("Echo".to_owned()), ..Default::default() };
    let created = composer().contact_sync(SyncAction::Create, created).unwrap().summary();
    assert_eq!(created.name, parts(Some("Echo"), Some("")));

    let value = d2d_sync::Group { name: Some("Choir\u{202e}".to_owned()), ..Default::default() };
    let update = composer().group_sync(SyncAction::Update, value).unwrap().summary();
    assert_eq!(update.name.unwrap().whole().unwrap().as_str(), "Choir\\u{202e}");
}

#[test]
fn reflected_group_names_are_names_of_their_groups() {
    let named = |name: &[u8]| {
        let body = Bytes::from([&GROUP.0.to_le_bytes()[..], name].concat());
        MessageDraft { id: ID, created_at: NOW, message_type: MessageType::GROUP_NAME, body }
    };
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let composer = Composer::new(dialect, DeviceId(5));
        for name in ["Choir", "", "Ch\u{f6}re"] {
            let told = Some(NameChange::Whole(Clean::new(name)));
            // Only the creator names a group, so its identity is not in the body.
            let summary = composer.incoming("CREATOR1", named(name.as_bytes()), Nonce([1; 24])).summary();
            assert_eq!((summary.conversation, summary.name), (Some(group()), told.clone()), "{dialect}");
            let summary = composer.outgoing(&group(), named(name.as_bytes()), &[]).unwrap().summary();
            assert_eq!((summary.conversation, summary.name), (Some(group()), told), "{dialect}");
        }
        let short = MessageDraft { body: Bytes::from_static(b"short"), ..named(b"") };
        assert_eq!(composer.incoming("CREATOR1", short, Nonce([1; 24])).summary().name, None);
    }
}

#[test]
fn group_sync_names_what_changed() {
    let members = common::Identities { identities: vec!["ECHOECHO".to_owned(), "ABCDEFGH".to_owned()] };
    let value = d2d_sync::Group {
        group_identity: Some(group_identity()),
        name: Some("Choir".to_owned()),
        member_identities: Some(members),
        ..Default::default()
    };
    let create = composer().group_sync(SyncAction::Create, value.clone()).unwrap().summary();
    assert_eq!((create.conversation.as_ref(), detail(&create).as_str()), (Some(&group()), "2 other members"));
    let update = composer().group_sync(SyncAction::Update, value.clone()).unwrap().summary();
    assert_eq!((update.action, detail(&update).as_str()), (Some(SyncAction::Update), "name, members"));
    let delete = composer().group_sync(SyncAction::Delete, value.clone()).unwrap().summary();
    assert_eq!((delete.action, delete.conversation), (Some(SyncAction::Delete), Some(group())));

    let changes = [("A", 0), ("B", 1), ("C", 1), ("D", 2), ("E", 77)];
    let member_state_changes = changes.map(|(who, change)| (who.to_owned(), change)).into();
    let group = Some(d2d_sync::Group { group_identity: Some(group_identity()), ..Default::default() });
    let action = Some(group_sync::Action::Update(group_sync::Update { group, member_state_changes }));
    let moved = read(Some(Content::GroupSync(today::GroupSync { action })));
    assert_eq!(detail(&moved), "1 added, 2 kicked, 1 left");
}

#[test]
fn other_values() {
    let settings = d2d_sync::Settings {
        read_receipt_policy: Some(1),
        // No such policy; it still changes.
        screenshot_policy: Some(99),
        ..Default::default()
    };
    let settings = composer().settings_sync(settings).unwrap().summary();
    assert_eq!((settings.kind, detail(&settings).as_str()), (ContentKind::SettingsSync, "read receipts, screenshots"));
    assert_eq!((settings.conversation, settings.action), (None, Some(SyncAction::Update)));
    let profile = d2d_sync::UserProfile { nickname: Some(String::new()), ..Default::default() };
    let profile = composer().user_profile_sync(profile).unwrap().summary();
    assert_eq!((profile.kind, detail(&profile).as_str()), (ContentKind::UserProfileSync, "nickname"));

    let sync = |action| read(Some(Content::DistributionListSync(today::DistributionListSync { action: Some(action) })));
    let list = d2d_sync::DistributionList {
        distribution_list_id: GROUP.0,
        name: Some("Neighbours".to_owned()),
        ..Default::default()
    };
    let update = sync(list_sync::Action::Update(list_sync::Update { distribution_list: Some(list) }));
    assert_eq!(
        (update.conversation.as_ref(), update.author),
        (Some(&Conversation::DistributionList(GROUP)), Some(DeviceId(5)))
    );
    assert_eq!((detail(&update).as_str(), update.name.unwrap().whole().unwrap().as_str()), ("name", "Neighbours"));
    let delete = sync(list_sync::Action::Delete(list_sync::Delete { distribution_list_id: GROUP.0 }));
    assert_eq!(
        (delete.action, delete.conversation),
        (Some(SyncAction::Delete), Some(Conversation::DistributionList(GROUP)))
    );

    let parameters = d2d_sync::MdmParameters {
        external_parameters: [("th_nickname".to_owned(), d2d_sync::mdm_parameters::Parameter::default())].into(),
        ..Default::default()
    };
    let action = Some(mdm::Action::Update(mdm::Update { parameters: Some(parameters) }));
    let parameters = read(Some(Content::MdmParameterSync(today::MdmParameterSync { action })));
    assert_eq!((parameters.kind, detail(&parameters).as_str()), (ContentKind::MdmParameterSync, "1 external"));
}

#[test]
fn contents_of_the_seed() {
    use seed::envelope::Content;
    let message = |sender_nickname: &str, body: &[u8], number| {
        read_seed(Content::IncomingMessage(seed::IncomingMessage {
            sender_identity: "ECHOECHO".to_owned(),
            sender_nickname: sender_nickname.to_owned(),
            message_id: ID.0,
            created_at: NOW.0,
            r#type: number,
            body: Bytes::copy_from_slice(body),
        }))
    };
    let text = message("Echo \u{202e}", b"hello", 1);
    assert_eq!((text.author, text.kind, text.body_length), (None, ContentKind::IncomingMessage, 5));
    assert_eq!(text.nickname.unwrap().as_str(), "Echo \\u{202e}");
    let grouped = message("Echo", b"CREATOR1\x3a\x19\xff\xee\xdd\xcc\xbb\x77hello", 0x41);
    assert_eq!((grouped.conversation.as_ref(), detail(&grouped).as_str()), (Some(&group()), ""));
    assert_eq!(message("", b"", 0x65).message_type.unwrap().name(), "call missed");

    let receiver =
        Some(seed::MessageReceiver { receiver: Some(seed::message_receiver::Receiver::Group(group_identity())) });
    let outgoing =
        read_seed(Content::OutgoingMessage(seed::OutgoingMessage { receiver, r#type: 0x41, ..Default::default() }));
    assert_eq!(
        (outgoing.kind, outgoing.conversation, outgoing.count),
        (ContentKind::OutgoingMessage, Some(group()), 1)
    );

    let body = Bytes::from_static(b"opaque");
    for (content, kind) in [
        (Content::UserProfileSync(body.clone()), ContentKind::UserProfileSync),
        (Content::ContactSync(body.clone()), ContentKind::ContactSync),
        (Content::GroupSync(body.clone()), ContentKind::GroupSync),
        (Content::DistributionListSync(body.clone()), ContentKind::DistributionListSync),
        (Content::SettingsSync(body.clone()), ContentKind::SettingsSync),
        (Content::MdmParameters(body.clone()), ContentKind::MdmParameterSync),
    ] {
        let composed = Composer::new(Dialect::Mk, DeviceId(5)).opaque_sync(kind, body.clone()).unwrap().summary();
        let summary = read_seed(content);
        assert_eq!((summary.kind, summary.body_length, summary.action), (kind, 6, None));
        assert_eq!(composed, summary);
    }
}

#[test]
fn bodies_tell_what_happened_in_both_dialects() {
    let group = |body: &[u8]| [b"CREATOR1\x3a\x19\xff\xee\xdd\xcc\xbb\x77", body].concat();
    let reaction = |action| csp_e2e::Reaction { message_id: 9, action: Some(action) }.encode_to_vec();
    let emoji = Bytes::from_static("👍".as_bytes());
    let (apply, withdraw) = (
        reaction(csp_e2e::reaction::Action::Apply(emoji.clone())),
        reaction(csp_e2e::reaction::Action::Withdraw(emoji)),
    );
    let call = csp_e2e::GroupCallStart {
        protocol_version: 1,
        gck: Bytes::from_static(&[7; 32]),
        sfu_base_url: "https://sfu.example.net".to_owned(),
    };
    let old = |parts: &[&[u8]]| parts.concat();
    let size: &[u8] = &1_234_u32.to_le_bytes();
    let cases: [(u8, Vec<u8>, &str); 20] = [
        (0x82, apply.clone(), "applied"),
        (0x83, group(&withdraw), "withdrawn"),
        (0x82, b"\xff".to_vec(), ""),
        (0x15, br#"PPPPPPPP{"s":0,"t":1,"c":[{},{}]}"#.to_vec(), "2 choices, results at every vote"),
        (0x52, group(br#"PPPPPPPP{"s":1,"t":0,"c":[{}]}"#), "closed, 1 choice, results at the end"),
        (0x15, b"PPPPPPPPnonsense".to_vec(), ""),
        (0x61, br#"{"action":1,"answer":{}}"#.to_vec(), "accepted"),
        (0x61, br#"{"action":0,"rejectReason":1}"#.to_vec(), "rejected, busy"),
        (0x61, br#"{"action":0}"#.to_vec(), "rejected, no reason given"),
        (0x61, br#"{"action":0,"rejectReason":77}"#.to_vec(), "rejected, reason 77"),
        (0x4f, group(&call.encode_to_vec()), "version 1, sfu.example.net"),
        (0x4a, b"\x3a\x19\xff\xee\xdd\xcc\xbb\x77ECHOECHOMEMBER02".to_vec(), "2 members beside the creator"),
        (
            0x4a,
            b"\x3a\x19\xff\xee\xdd\xcc\xbb\x77".to_vec(),
            "no members: the group was disbanded, or the user removed",
        ),
        (0x02, old(&[&[1; 16], size, &[2; 24]]), "1234 B"),
        (0x43, group(&old(&[&[1; 16], size, &[2; 32]])), "1234 B"),
        (0x14, old(&[&[75, 0], &[1; 16], size, &[2; 32]]), "1234 B, 1:15"),
        (0x44, group(&old(&[&[5, 0], &[1; 16], size, &[1; 16], size, &[2; 32]])), "1234 B, 0:05"),
        (0x17, br#"{"s":1234,"x":{"w":640,"h":480,"d":12.7}}"#.to_vec(), "1234 B, 640x480, 0:12"),
        (0x46, group(br#"{"s":"many","x":{"d":-1}}"#), ""),
        (0x10, b"47.2,8.7".to_vec(), ""),
    ];
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        for (message_type, body, words) in &cases {
            let message_type = MessageType(*message_type);
            let draft = MessageDraft { id: ID, created_at: NOW, message_type, body: body.clone().into() };
            let summary = Composer::new(dialect, DeviceId(5)).incoming("ECHOECHO", draft, Nonce([1; 24])).summary();
            assert_eq!(detail(&summary).as_str(), *words, "{message_type} in {dialect}");
        }
    }
    let removed = MessageDraft {
        id: ID,
        created_at: NOW,
        message_type: MessageType::GROUP_SETUP,
        body: Bytes::copy_from_slice(&GROUP.0.to_le_bytes()),
    };
    let own = composer().outgoing(&self::group(), removed, &[]).unwrap().summary();
    assert_eq!(detail(&own), "no members: the group was disbanded, or others removed");
}

#[test]
fn updates_tell_how_many_conversations_they_are_of() {
    let several = [(group(), ID), (contact("ECHOECHO"), MessageId(2)), (contact("ECHOECHO"), MessageId(3))];
    assert_eq!(detail(&composer().read(&several, NOW).unwrap().summary()), "2 conversations");
    assert_eq!(detail(&composer().sent(&several[1..]).unwrap().summary()), "");
    assert_eq!(detail(&composer().sent(&[]).unwrap().summary()), "an empty update: it changes nothing");
    let update = today::incoming_message_update::Update { conversation: None, message_id: 1, update: None };
    let unsaid = today::IncomingMessageUpdate { updates: vec![update] };
    assert_eq!(detail(&read(Some(Content::IncomingMessageUpdate(unsaid)))), "it does not say what became of them");
}

#[test]
fn what_no_specification_names_is_no_error() {
    assert_eq!(read(None).kind, ContentKind::Unknown);
    // Field 99, which nobody has.
    let plain = Bytes::from_static(&[0x9a, 0x06, 0x02, 0x08, 0x01]);
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let summary = Envelope::decode(plain.clone(), dialect).unwrap().summary();
        assert_eq!((summary.kind, summary.direction(), summary.count), (ContentKind::Unknown, Direction::Sync, 1));
    }
    let unknown =
        incoming(MessageDraft { id: ID, created_at: NOW, message_type: MessageType(0x77), body: Bytes::new() });
    assert_eq!((unknown.message_type.unwrap().to_string().as_str(), detail(&unknown).as_str()), ("type 119", ""));
    for number in [300, -1] {
        let message = today::IncomingMessage { r#type: number, ..Default::default() };
        let summary = read(Some(Content::IncomingMessage(message)));
        assert_eq!((summary.message_type, detail(&summary).as_str()), (None, format!("type {number}").as_str()));
    }
    // No action, no value, no conversation: nothing to tell, and no error.
    let empty = [
        Content::OutgoingMessage(today::OutgoingMessage::default()),
        Content::ContactSync(today::ContactSync::default()),
        Content::GroupSync(today::GroupSync::default()),
        Content::DistributionListSync(today::DistributionListSync::default()),
        Content::SettingsSync(today::SettingsSync::default()),
        Content::UserProfileSync(today::UserProfileSync::default()),
        Content::MdmParameterSync(today::MdmParameterSync::default()),
    ];
    for content in empty {
        let summary = read(Some(content));
        assert_eq!((summary.action, summary.conversation, summary.detail), (None, None, None));
    }
}

#[test]
fn hostile_text_is_cleaned() {
    let hostile = "\u{1b}]52;c;aGk=\u{7}\u{202e}".to_owned() + &"x".repeat(10_000);
    let summary = composer().incoming(&hostile, MessageDraft::text(ID, NOW, "x"), Nonce([1; 24])).summary();
    let Some(Conversation::Contact(identity)) = summary.conversation else { panic!("no contact") };
    assert_eq!(identity, Clean::new(&hostile));
    let draft = MessageDraft::text(ID, NOW, "x").in_group(GROUP, "\u{1b}[31mAAA").unwrap();
    let summary = composer().incoming(&hostile, draft, Nonce([1; 24])).summary();
    assert!(summary.sender.unwrap().as_str().starts_with("^[]52;c;aGk=^G\\u{202e}xxx"));
    let Some(Conversation::Group { creator, .. }) = summary.conversation else { panic!("no group") };
    assert_eq!(creator.as_str(), "^[[31mAAA");
}

#[test]
fn names_are_stable() {
    let names: Vec<_> = ContentKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
    let json = serde_json::to_value(incoming(MessageDraft::text(ID, NOW, "hello"))).unwrap();
    assert_eq!(json["kind"], "incoming_message");
    assert_eq!(json["conversation"]["contact"], "ECHOECHO");
    assert_eq!(json["message_type"], "text");
    assert_eq!(json["message_id"], "0807060504030201");
    assert_eq!(json["created_at"], 1_700_000_000_000_u64);
    assert_eq!((Direction::Incoming.to_string(), Direction::Incoming.as_str()), ("in".to_owned(), "incoming"));
    assert_eq!(SyncAction::Delete.to_string(), "delete");
}
