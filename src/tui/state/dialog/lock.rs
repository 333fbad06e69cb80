//! The group's lock.

use crate::group::LockState;
use crate::protocol::TransactionScope;
use crate::tui::context::{FrameContext, scope_words};
use crate::tui::state::dialog::{Dialog, DialogAnswer, DialogCommand, DialogSource};

impl Dialog {
    /// Take the lock, and for which scope?
    pub fn take_lock(ctx: &FrameContext<'_>) -> Self {
        let take = TransactionScope::ALL
            .map(|scope| DialogAnswer::to(&format!("Take for {scope}"), DialogCommand::Take(scope)));
        let look = DialogAnswer {
            consequence: Some(
                "Asks for it, and gives it back at once if it is granted. Others wait a moment; an iPhone that is linking \
                 fails.",
            ),
            ..DialogAnswer::to("Look who holds it", DialogCommand::LookAtLock)
        };
        Self {
            title: "The group's lock",
            object: "Take it, or look who holds it?".to_owned(),
            consequence: "No other device can sync or link meanwhile. d2mtop gives it back after 60 s; the mediator may take \
                          it back sooner.",
            warnings: match ctx.group.lock().state() {
                LockState::Held { holder, .. } => {
                    let told =
                        ctx.group.lock().told_at().map(|at| format!(", told at {}", ctx.clock.zone().second(at)));
                    vec![format!("held by {}{}: Take waits for its end.", ctx.label(*holder), told.unwrap_or_default())]
                }
                _ => Vec::new(),
            },
            answers: std::iter::once(DialogAnswer::nothing("Cancel")).chain(take).chain([look]).collect(),
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
            answers: vec![DialogAnswer::nothing("Cancel"), DialogAnswer::to(answer, DialogCommand::Release)],
            chosen: 0,
            renewed: None,
        }
    }
}
