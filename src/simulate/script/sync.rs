//! Scenes under the lock: contacts, groups, settings and the profile are synchronised.

use bytes::Bytes;
use rand::Rng as _;

use super::Script;
use crate::protocol::d2d::{ContentKind, SyncAction};
use crate::protocol::proto::{common, d2d_sync};
use crate::protocol::{Envelope, TransactionScope};
use crate::simulate::world;

impl Script {
    pub(super) fn sync_contacts(&mut self) {
        let changes: Vec<Option<Envelope>> = (0..self.rng.gen_range(1..4)).map(|_| self.contact_change()).collect();
        self.transaction(TransactionScope::ContactSync, changes);
    }

    fn contact_change(&mut self) -> Option<Envelope> {
        let contact = world::contact(&mut self.rng);
        let mut value = d2d_sync::Contact { identity: contact.identity.to_owned(), ..Default::default() };
        let action = match self.rng.gen_range(0..6) {
            0 => {
                value.public_key = Some(Bytes::copy_from_slice(&self.rng.r#gen::<[u8; 32]>()));
                value.created_at = Some(1_700_000_000_000);
                value.first_name = Some(contact.first_name.to_owned());
                value.last_name = Some(contact.last_name.to_owned());
                value.verification_level = Some(1);
                value.identity_type = Some(0);
                value.acquaintance_level = Some(0);
                value.activity_state = Some(0);
                value.feature_mask = Some(0x7ff);
                SyncAction::Create
            }
            1 => {
                value.first_name = Some(contact.first_name.to_owned());
                value.last_name = Some(contact.last_name.to_owned());
                SyncAction::Update
            }
            2 => {
                value.feature_mask = Some(0x7ff);
                value.activity_state = Some(self.rng.gen_range(0..2));
                SyncAction::Update
            }
            3 => {
                value.conversation_visibility = Some(self.rng.gen_range(0..3));
                SyncAction::Update
            }
            _ => {
                value.nickname = Some(world::nickname(&mut self.rng).to_owned());
                SyncAction::Update
            }
        };
        let composer = self.padded();
        composer.contact_sync(action, value).or_else(|| self.opaque(ContentKind::ContactSync, 60..300))
    }

    pub(super) fn sync_group(&mut self) {
        let group = self.group();
        let mut value = d2d_sync::Group { group_identity: Some(group.identity()), ..Default::default() };
        if self.rng.gen_bool(0.5) {
            let identities = group.members.iter().map(|member| member.identity.to_owned());
            value.member_identities = Some(common::Identities { identities: identities.collect() });
        } else {
            value.name = Some("Saturday, if the weather holds".to_owned());
        }
        let change = self.padded().group_sync(SyncAction::Update, value);
        let change = change.or_else(|| self.opaque(ContentKind::GroupSync, 80..400));
        self.transaction(TransactionScope::GroupSync, vec![change]);
    }

    pub(super) fn sync_settings(&mut self) {
        let mut settings = d2d_sync::Settings::default();
        match self.rng.gen_range(0..3) {
            0 => settings.read_receipt_policy = Some(self.rng.gen_range(0..2)),
            1 => settings.typing_indicator_policy = Some(self.rng.gen_range(0..2)),
            _ => settings.blocked_identities = Some(common::Identities::default()),
        }
        let change = self.padded().settings_sync(settings);
        let change = change.or_else(|| self.opaque(ContentKind::SettingsSync, 20..120));
        self.transaction(TransactionScope::SettingsSync, vec![change]);
    }

    pub(super) fn sync_profile(&mut self) {
        let profile = d2d_sync::UserProfile { nickname: Some("Nora".to_owned()), ..Default::default() };
        let change = self.padded().user_profile_sync(profile);
        let change = change.or_else(|| self.opaque(ContentKind::UserProfileSync, 20..120));
        self.transaction(TransactionScope::UserProfileSync, vec![change]);
    }

    /// A synchronised value of the seed. Its format is extinct, so these are bytes without a meaning, for the eyes of
    /// the demo only.
    fn opaque(&mut self, kind: ContentKind, length: std::ops::Range<usize>) -> Option<Envelope> {
        let body = vec![0; self.rng.gen_range(length)];
        self.padded().opaque_sync(kind, body.into())
    }
}
