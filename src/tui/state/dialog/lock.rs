//! The group's lock.

use crate::group::LockState;
use crate::protocol::TransactionScope;
use crate::tui::context::{FrameContext, scope_words};
use crate::tui::state::dialog::{Answer, Dialog, DialogCommand, DialogSource};

impl Dialog {
    /// Take the lock, and for which scope?
    pub fn take_lock(ctx: &FrameContext<'_>) -> Self {
        let scopes = TransactionScope::ALL.map(|scope| Answer::to(&scope.to_string(), DialogCommand::Take(scope)));
        Self {
            title: "Take the lock",
            object: "The group's lock, for the scope:".to_owned(),
            consequence: if ctx.settings.dialect.limits_transactions() {
                "No other device can sync or link meanwhile. After at most 60 s the server closes the connection (4011); \
                 d2mtop comes back by itself."
            } else {
                "No other device can sync or link meanwhile. d2mtop gives it back after 60 s; the server may take it back \
                 sooner."
            },
            warnings: match ctx.group.lock().state() {
                LockState::Held { holder, .. } => {
                    vec![format!("{} holds it: d2mtop waits for its end; L stops the waiting.", ctx.label(*holder))]
                }
                _ => Vec::new(),
            },
            answers: std::iter::once(Answer::nothing("Cancel")).chain(scopes).collect(),
            chosen: 0,
            renewed: Some(DialogSource::TakeLock),
        }
    }

    /// Release the lock, or stop waiting for it?
    pub fn release_lock(ctx: &FrameContext<'_>) -> Self {
        const RELEASE: &str = "Release the lock";
        let (title, object, consequence, answer) = match ctx.group.lock().state() {
            LockState::Ours { scope, .. } => {
                let consequence = "The transaction is committed, and other devices can take the lock.";
                (RELEASE, scope_words(*scope), consequence, "Release")
            }
            LockState::Requested { scope, .. } | LockState::Held { wanted: Some(scope), .. } => {
                let consequence = "d2mtop no longer waits for the lock.";
                ("Stop waiting for the lock", scope_words(*scope), consequence, "Stop waiting")
            }
            LockState::Held { wanted: None, .. } | LockState::Free => {
                let consequence = "This device does not hold it any more.";
                (RELEASE, "The lock of this group".to_owned(), consequence, "Release")
            }
        };
        Self {
            title,
            object,
            consequence,
            warnings: Vec::new(),
            answers: vec![Answer::nothing("Cancel"), Answer::to(answer, DialogCommand::Release)],
            chosen: 0,
            renewed: None,
        }
    }
}
