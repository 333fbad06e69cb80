//! Which fields of a synchronised value are present, in words: an absent field is unchanged.

use crate::protocol::proto::{d2d, d2d_sync};

/// The words of the fields that are present, joined; [`None`] if none is.
fn present<const N: usize>(fields: [(bool, &str); N]) -> Option<String> {
    let words: Vec<&str> = fields.into_iter().filter_map(|(is_present, word)| is_present.then_some(word)).collect();
    joined(&words)
}

fn joined<S: AsRef<str>>(words: &[S]) -> Option<String> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A number and its noun, or nothing for zero.
fn counted(count: usize, word: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {word}"))
}

pub(super) fn contact(contact: &d2d_sync::Contact) -> Option<String> {
    present([
        (contact.nickname.is_some(), "nickname"),
        (contact.first_name.is_some(), "first name"),
        (contact.last_name.is_some(), "last name"),
        (contact.public_key.is_some(), "public key"),
        (contact.created_at.is_some(), "creation time"),
        (contact.verification_level.is_some(), "verification level"),
        (contact.work_verification_level.is_some(), "work verification level"),
        (contact.identity_type.is_some(), "identity type"),
        (contact.acquaintance_level.is_some(), "acquaintance level"),
        (contact.activity_state.is_some(), "activity state"),
        (contact.feature_mask.is_some(), "features"),
        (contact.sync_state.is_some(), "sync state"),
        (contact.conversation_category.is_some(), "category"),
        (contact.conversation_visibility.is_some(), "visibility"),
        (contact.contact_defined_profile_picture.is_some(), "contact's picture"),
        (contact.user_defined_profile_picture.is_some(), "own picture"),
        (contact.read_receipt_policy_override.is_some(), "read receipts"),
        (contact.typing_indicator_policy_override.is_some(), "typing indicators"),
        (contact.notification_trigger_policy_override.is_some(), "notifications"),
        (contact.deprecated_notification_sound_policy_override.is_some(), "notification sound"),
        (contact.work_last_full_sync_at.is_some(), "last work sync"),
        (contact.work_availability_status.is_some(), "availability"),
    ])
}

pub(super) fn group(group: &d2d_sync::Group) -> Option<String> {
    present([
        (group.name.is_some(), "name"),
        (group.member_identities.is_some(), "members"),
        (group.user_state.is_some(), "membership"),
        (group.created_at.is_some(), "creation time"),
        (group.profile_picture.is_some(), "picture"),
        (group.conversation_category.is_some(), "category"),
        (group.conversation_visibility.is_some(), "visibility"),
        (group.notification_trigger_policy_override.is_some(), "notifications"),
        (group.deprecated_notification_sound_policy_override.is_some(), "notification sound"),
    ])
}

pub(super) fn group_update(update: &d2d::group_sync::Update) -> Option<String> {
    let changes = |number| update.member_state_changes.values().filter(|change| **change == number).count();
    let words = [
        update.group.as_ref().and_then(group),
        counted(changes(0), "added"),
        counted(changes(1), "kicked"),
        counted(changes(2), "left"),
    ];
    joined(&words.into_iter().flatten().collect::<Vec<_>>())
}

pub(super) fn distribution_list(list: &d2d_sync::DistributionList) -> Option<String> {
    present([
        (list.name.is_some(), "name"),
        (list.member_identities.is_some(), "members"),
        (list.created_at.is_some(), "creation time"),
        (list.conversation_category.is_some(), "category"),
        (list.conversation_visibility.is_some(), "visibility"),
    ])
}

pub(super) fn settings(settings: &d2d_sync::Settings) -> Option<String> {
    present([
        (settings.contact_sync_policy.is_some(), "contact sync"),
        (settings.unknown_contact_policy.is_some(), "unknown contacts"),
        (settings.read_receipt_policy.is_some(), "read receipts"),
        (settings.typing_indicator_policy.is_some(), "typing indicators"),
        (settings.o2o_call_policy.is_some(), "calls"),
        (settings.o2o_call_connection_policy.is_some(), "call connection"),
        (settings.o2o_call_video_policy.is_some(), "call video"),
        (settings.group_call_policy.is_some(), "group calls"),
        (settings.screenshot_policy.is_some(), "screenshots"),
        (settings.keyboard_data_collection_policy.is_some(), "keyboard data"),
        (settings.blocked_identities.is_some(), "blocked identities"),
        (settings.exclude_from_sync_identities.is_some(), "identities not synced"),
    ])
}

pub(super) fn user_profile(profile: &d2d_sync::UserProfile) -> Option<String> {
    present([
        (profile.nickname.is_some(), "nickname"),
        (profile.profile_picture.is_some(), "picture"),
        (profile.profile_picture_share_with.is_some(), "who sees the picture"),
        (profile.identity_links.is_some(), "identity links"),
        (profile.work_availability_status.is_some(), "availability"),
    ])
}

pub(super) fn mdm_parameters(parameters: &d2d_sync::MdmParameters) -> Option<String> {
    let words = [
        counted(parameters.external_parameters.len(), "external"),
        counted(parameters.threema_parameters.len(), "from the provider"),
    ];
    joined(&words.into_iter().flatten().collect::<Vec<_>>())
}
