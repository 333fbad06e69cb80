//! Contacts, groups and distribution lists.

use super::{Fields, TreeBranch, TreeValue};
use crate::protocol::ids::{MessageId, Millis};
use crate::protocol::proto::{common, d2d, d2d_sync};
use crate::text::Clean;

/// What the bits of a feature mask stand for, from the lowest.
const FEATURES: [&str; 11] = [
    "voice messages",
    "groups",
    "polls",
    "files",
    "audio calls",
    "video calls",
    "forward security",
    "group calls",
    "edit",
    "delete",
    "reactions",
];

pub(super) fn contact_sync(sync: &d2d::ContactSync) -> Fields {
    use d2d::contact_sync::Action;
    let mut fields = Fields::default();
    let value = |value: Option<&d2d_sync::Contact>| value.map(contact).unwrap_or_default();
    match &sync.action {
        Some(Action::Create(create)) => fields.under("create", value(create.contact.as_ref())),
        Some(Action::Update(update)) => fields.under("update", value(update.contact.as_ref())),
        None => {}
    }
    fields
}

pub(super) fn group_sync(sync: &d2d::GroupSync) -> Fields {
    use d2d::group_sync::{Action, update::MemberStateChange};
    let mut fields = Fields::default();
    match &sync.action {
        Some(Action::Create(create)) => fields.under("create", create.group.as_ref().map(group).unwrap_or_default()),
        Some(Action::Update(update)) => {
            let mut inner = update.group.as_ref().map(group).unwrap_or_default();
            if !update.member_state_changes.is_empty() {
                let change = |(who, change): (&String, &i32)| TreeBranch {
                    name: Clean::new(who),
                    value: TreeValue::word(*change, MemberStateChange::as_str_name),
                    children: Vec::new(),
                };
                inner.list("member state changes", update.member_state_changes.iter().map(change));
            }
            fields.under("update", inner);
        }
        Some(Action::Delete(delete)) => {
            let mut inner = Fields::default();
            inner.group("group identity", delete.group_identity.as_ref());
            fields.under("delete", inner);
        }
        None => {}
    }
    fields
}

pub(super) fn distribution_list_sync(sync: &d2d::DistributionListSync) -> Fields {
    use d2d::distribution_list_sync::Action;
    let mut fields = Fields::default();
    let list = |value: Option<&d2d_sync::DistributionList>| value.map(distribution_list).unwrap_or_default();
    match &sync.action {
        Some(Action::Create(create)) => fields.under("create", list(create.distribution_list.as_ref())),
        Some(Action::Update(update)) => fields.under("update", list(update.distribution_list.as_ref())),
        Some(Action::Delete(delete)) => {
            let mut inner = Fields::default();
            inner.put("distribution list id", TreeValue::Id(MessageId(delete.distribution_list_id)));
            fields.under("delete", inner);
        }
        None => {}
    }
    fields
}

fn contact(contact: &d2d_sync::Contact) -> Fields {
    use d2d_sync::contact::{AcquaintanceLevel, ActivityState, IdentityType, SyncState};
    use d2d_sync::contact::{VerificationLevel, WorkVerificationLevel};
    let mut fields = Fields::default();
    fields.put("identity", TreeValue::text(&contact.identity));
    fields.maybe("public key", contact.public_key.as_deref().map(TreeValue::bytes));
    fields.time("created at", contact.created_at);
    fields.private("first name", contact.first_name.as_ref());
    fields.private("last name", contact.last_name.as_ref());
    fields.private("nickname", contact.nickname.as_ref());
    fields.word("verification level", contact.verification_level, VerificationLevel::as_str_name);
    fields.word("work verification level", contact.work_verification_level, WorkVerificationLevel::as_str_name);
    fields.word("identity type", contact.identity_type, IdentityType::as_str_name);
    fields.word("acquaintance level", contact.acquaintance_level, AcquaintanceLevel::as_str_name);
    fields.word("activity state", contact.activity_state, ActivityState::as_str_name);
    if let Some(mask) = contact.feature_mask {
        features(&mut fields, mask);
    }
    fields.word("sync state", contact.sync_state, SyncState::as_str_name);
    standing(&mut fields, contact.conversation_category, contact.conversation_visibility);
    delta_image(&mut fields, "contact-defined profile picture", contact.contact_defined_profile_picture.as_ref());
    delta_image(&mut fields, "user-defined profile picture", contact.user_defined_profile_picture.as_ref());
    overrides(&mut fields, contact);
    fields.time("work last full sync at", contact.work_last_full_sync_at);
    availability(&mut fields, contact.work_availability_status.as_ref());
    fields
}

fn features(fields: &mut Fields, mask: u64) {
    let bit = |(index, name): (usize, &&'static str)| {
        (mask >> index & 1 == 1).then(|| TreeBranch::new(name, TreeValue::Present, Vec::new()))
    };
    let mut children: Vec<TreeBranch> = FEATURES.iter().enumerate().filter_map(bit).collect();
    let unknown = mask >> FEATURES.len() << FEATURES.len();
    if unknown != 0 {
        children.push(TreeBranch::new("unknown bits", TreeValue::Number(unknown), Vec::new()));
    }
    fields.0.push(TreeBranch::new("feature mask", TreeValue::Number(mask), children));
}

/// What a contact's settings override.
fn overrides(fields: &mut Fields, contact: &d2d_sync::Contact) {
    use d2d_sync::contact as of;
    use d2d_sync::{ReadReceiptPolicy, TypingIndicatorPolicy};
    use of::deprecated_notification_sound_policy_override::{NotificationSoundPolicy, Override as Sound};
    use of::notification_trigger_policy_override::{Override, policy::NotificationTriggerPolicy};
    let default = || TreeValue::Text(Clean::literal("default"));
    let receipts = contact.read_receipt_policy_override.and_then(|value| value.r#override);
    fields.maybe(
        "read receipt policy override",
        receipts.map(|value| match value {
            of::read_receipt_policy_override::Override::Default(_) => default(),
            of::read_receipt_policy_override::Override::Policy(policy) => {
                TreeValue::word(policy, ReadReceiptPolicy::as_str_name)
            }
        }),
    );
    let typing = contact.typing_indicator_policy_override.and_then(|value| value.r#override);
    fields.maybe(
        "typing indicator policy override",
        typing.map(|value| match value {
            of::typing_indicator_policy_override::Override::Default(_) => default(),
            of::typing_indicator_policy_override::Override::Policy(policy) => {
                TreeValue::word(policy, TypingIndicatorPolicy::as_str_name)
            }
        }),
    );
    match contact.notification_trigger_policy_override.and_then(|value| value.r#override) {
        Some(Override::Default(_)) => fields.put(NOTIFICATIONS, default()),
        Some(Override::Policy(policy)) => {
            let word = TreeValue::word(policy.policy, NotificationTriggerPolicy::as_str_name);
            notifications(fields, word, policy.expires_at);
        }
        None => {}
    }
    let sound = contact.deprecated_notification_sound_policy_override.and_then(|value| value.r#override);
    fields.maybe(
        SOUND,
        sound.map(|value| match value {
            Sound::Default(_) => default(),
            Sound::Policy(policy) => TreeValue::word(policy, NotificationSoundPolicy::as_str_name),
        }),
    );
}

const NOTIFICATIONS: &str = "notification trigger policy override";
const SOUND: &str = "deprecated notification sound policy override";

fn notifications(fields: &mut Fields, policy: TreeValue, expires_at: Option<u64>) {
    let expiry = expires_at.map(|at| TreeBranch::new("expires at", TreeValue::Time(Millis(at)), Vec::new()));
    fields.0.push(TreeBranch::new(NOTIFICATIONS, policy, expiry.into_iter().collect()));
}

fn group(group: &d2d_sync::Group) -> Fields {
    use d2d_sync::group::UserState;
    use d2d_sync::group::deprecated_notification_sound_policy_override::{NotificationSoundPolicy, Override as Sound};
    use d2d_sync::group::notification_trigger_policy_override::{Override, policy::NotificationTriggerPolicy};
    let default = || TreeValue::Text(Clean::literal("default"));
    let mut fields = Fields::default();
    fields.group("group identity", group.group_identity.as_ref());
    fields.private("name", group.name.as_ref());
    fields.time("created at", group.created_at);
    fields.word("user state", group.user_state, UserState::as_str_name);
    fields.identities("member identities", group.member_identities.as_ref());
    standing(&mut fields, group.conversation_category, group.conversation_visibility);
    delta_image(&mut fields, "profile picture", group.profile_picture.as_ref());
    match group.notification_trigger_policy_override.and_then(|value| value.r#override) {
        Some(Override::Default(_)) => fields.put(NOTIFICATIONS, default()),
        Some(Override::Policy(policy)) => {
            let word = TreeValue::word(policy.policy, NotificationTriggerPolicy::as_str_name);
            notifications(&mut fields, word, policy.expires_at);
        }
        None => {}
    }
    let sound = group.deprecated_notification_sound_policy_override.and_then(|value| value.r#override);
    fields.maybe(
        SOUND,
        sound.map(|value| match value {
            Sound::Default(_) => default(),
            Sound::Policy(policy) => TreeValue::word(policy, NotificationSoundPolicy::as_str_name),
        }),
    );
    fields
}

fn distribution_list(list: &d2d_sync::DistributionList) -> Fields {
    let mut fields = Fields::default();
    fields.put("distribution list id", TreeValue::Id(MessageId(list.distribution_list_id)));
    fields.private("name", list.name.as_ref());
    fields.time("created at", list.created_at);
    fields.identities("member identities", list.member_identities.as_ref());
    standing(&mut fields, list.conversation_category, list.conversation_visibility);
    fields
}

/// Where a conversation stands among the others.
fn standing(fields: &mut Fields, category: Option<i32>, visibility: Option<i32>) {
    fields.word("conversation category", category, d2d_sync::ConversationCategory::as_str_name);
    fields.word("conversation visibility", visibility, d2d_sync::ConversationVisibility::as_str_name);
}

pub(super) fn delta_image(fields: &mut Fields, name: &'static str, delta: Option<&common::DeltaImage>) {
    use common::delta_image::Image;
    let Some(delta) = delta else { return };
    let mut inner = Fields::default();
    match &delta.image {
        Some(Image::Removed(_)) => inner.put("removed", TreeValue::Present),
        Some(Image::Updated(image)) => {
            let mut updated = Fields::default();
            updated.word("type", Some(image.r#type), common::image::Type::as_str_name);
            if let Some(blob) = &image.blob {
                updated.put("blob id", TreeValue::bytes(&blob.id));
                updated.maybe("nonce", (!blob.nonce.is_empty()).then(|| TreeValue::bytes(&blob.nonce)));
                updated.put("key", TreeValue::secret(blob.key.len()));
                updated.time("uploaded at", Some(blob.uploaded_at));
            }
            inner.under("updated", updated);
        }
        None => {}
    }
    fields.under(name, inner);
}

pub(super) fn availability(fields: &mut Fields, status: Option<&d2d_sync::WorkAvailabilityStatus>) {
    let Some(status) = status else { return };
    let mut inner = Fields::default();
    inner.word("category", Some(status.category), d2d_sync::WorkAvailabilityStatusCategory::as_str_name);
    inner.put("description", TreeValue::private(&status.description));
    fields.under("work availability status", inner);
}
