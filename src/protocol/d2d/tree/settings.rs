//! What is there once: the profile, the settings and the MDM parameters.

use std::collections::BTreeMap;

use super::sync::{availability, delta_image};
use super::{Fields, TreeBranch, TreeValue};
use crate::protocol::proto::d2d_sync::mdm_parameters::{Parameter, ParameterPrecedence, parameter};
use crate::protocol::proto::{d2d, d2d_sync};
use crate::text::Clean;

/// Parts of the names of parameters that hold passwords, backups of keys, or credentials.
const SECRET_PARAMETERS: [&str; 8] =
    ["password", "passphrase", "secret", "token", "credential", "license", "id_backup", "key"];

pub(super) fn user_profile_sync(sync: &d2d::UserProfileSync) -> Fields {
    use d2d::user_profile_sync::Action;
    let mut fields = Fields::default();
    if let Some(Action::Update(update)) = &sync.action {
        fields.under("update", update.user_profile.as_ref().map(user_profile).unwrap_or_default());
    }
    fields
}

pub(super) fn settings_sync(sync: &d2d::SettingsSync) -> Fields {
    use d2d::settings_sync::Action;
    let mut fields = Fields::default();
    if let Some(Action::Update(update)) = &sync.action {
        fields.under("update", update.settings.as_ref().map(settings).unwrap_or_default());
    }
    fields
}

pub(super) fn mdm_parameter_sync(sync: &d2d::MdmParameterSync) -> Fields {
    use d2d::mdm_parameter_sync::Action;
    let mut fields = Fields::default();
    if let Some(Action::Update(update)) = &sync.action {
        fields.under("update", update.parameters.as_ref().map(mdm_parameters).unwrap_or_default());
    }
    fields
}

fn user_profile(profile: &d2d_sync::UserProfile) -> Fields {
    use d2d_sync::user_profile::profile_picture_share_with::Policy;
    let mut fields = Fields::default();
    fields.private("nickname", profile.nickname.as_ref());
    delta_image(&mut fields, "profile picture", profile.profile_picture.as_ref());
    match profile.profile_picture_share_with.as_ref().and_then(|with| with.policy.as_ref()) {
        Some(Policy::Nobody(_)) => fields.put("profile picture share with", TreeValue::Text(Clean::literal("nobody"))),
        Some(Policy::Everyone(_)) => {
            fields.put("profile picture share with", TreeValue::Text(Clean::literal("everyone")));
        }
        Some(Policy::AllowList(list)) => fields.identities("profile picture share with", Some(list)),
        None => {}
    }
    if let Some(links) = &profile.identity_links {
        fields.list("identity links", links.links.iter().map(identity_link));
    }
    availability(&mut fields, profile.work_availability_status.as_ref());
    fields
}

fn identity_link(link: &d2d_sync::user_profile::identity_links::IdentityLink) -> TreeBranch {
    use d2d_sync::user_profile::identity_links::identity_link::Type;
    let mut fields = Fields::default();
    match &link.r#type {
        Some(Type::PhoneNumber(number)) => fields.put("phone number", TreeValue::private(number)),
        Some(Type::Email(address)) => fields.put("email", TreeValue::private(address)),
        None => {}
    }
    fields.put("description", TreeValue::private(&link.description));
    TreeBranch::new("identity link", TreeValue::Present, fields.0)
}

fn settings(settings: &d2d_sync::Settings) -> Fields {
    use d2d_sync::settings as of;
    let mut fields = Fields::default();
    fields.word("contact sync policy", settings.contact_sync_policy, of::ContactSyncPolicy::as_str_name);
    fields.word("unknown contact policy", settings.unknown_contact_policy, of::UnknownContactPolicy::as_str_name);
    fields.word("read receipt policy", settings.read_receipt_policy, d2d_sync::ReadReceiptPolicy::as_str_name);
    fields.word(
        "typing indicator policy",
        settings.typing_indicator_policy,
        d2d_sync::TypingIndicatorPolicy::as_str_name,
    );
    fields.word("o2o call policy", settings.o2o_call_policy, of::O2oCallPolicy::as_str_name);
    fields.word(
        "o2o call connection policy",
        settings.o2o_call_connection_policy,
        of::O2oCallConnectionPolicy::as_str_name,
    );
    fields.word("o2o call video policy", settings.o2o_call_video_policy, of::O2oCallVideoPolicy::as_str_name);
    fields.word("group call policy", settings.group_call_policy, of::GroupCallPolicy::as_str_name);
    fields.word("screenshot policy", settings.screenshot_policy, of::ScreenshotPolicy::as_str_name);
    fields.word(
        "keyboard data collection policy",
        settings.keyboard_data_collection_policy,
        of::KeyboardDataCollectionPolicy::as_str_name,
    );
    fields.identities("blocked identities", settings.blocked_identities.as_ref());
    fields.identities("exclude from sync identities", settings.exclude_from_sync_identities.as_ref());
    fields
}

fn mdm_parameters(parameters: &d2d_sync::MdmParameters) -> Fields {
    let mut fields = Fields::default();
    let list =
        |parameters: &BTreeMap<String, Parameter>| -> Vec<TreeBranch> { parameters.iter().map(parameter).collect() };
    fields.list("external parameters", list(&parameters.external_parameters).into_iter());
    fields.list("threema parameters", list(&parameters.threema_parameters).into_iter());
    fields.word("parameter precedence", Some(parameters.parameter_precedence), ParameterPrecedence::as_str_name);
    fields
}

fn parameter((name, parameter): (&String, &Parameter)) -> TreeBranch {
    let lower = name.to_lowercase();
    let secret = SECRET_PARAMETERS.iter().any(|part| lower.contains(part));
    let value = match &parameter.value {
        Some(parameter::Value::StringValue(text)) if secret => TreeValue::secret(text.len()),
        // Names, numbers and whatever else an administrator has written of a person.
        Some(parameter::Value::StringValue(text)) => TreeValue::private(text),
        Some(parameter::Value::BooleanValue(flag)) => TreeValue::Flag(*flag),
        Some(parameter::Value::IntegerValue(_)) if secret => TreeValue::secret(size_of::<u64>()),
        Some(parameter::Value::IntegerValue(number)) => TreeValue::Number(*number),
        None => TreeValue::Present,
    };
    TreeBranch { name: Clean::new(name), value, children: Vec::new() }
}
