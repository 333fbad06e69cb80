//! What just happened, in words, until the next key.

use std::borrow::Cow;
use std::time::Duration;

use crate::group::{ConnectionState, Group, LockState, NextStep, NoticeKind, Refusal};
use crate::output::figures;
use crate::protocol::Millis;
use crate::runtime::Reaction;
use crate::text::Clean;
use crate::tui::close_help;
use crate::tui::context::{FrameContext, scope_words};
use crate::tui::input::keymap::Keymap;
use crate::tui::state::Ui;

/// A notice of the dashboard itself; those of the group are in the group.
#[derive(Clone, Debug)]
pub struct LocalNotice {
    pub kind: NoticeKind,
    pub text: Clean,
    /// How many notices the group had when it was first drawn: what the group says later is newer.
    pub after: Option<u64>,
    /// Whether it is true only as long as there is no login.
    pub until_login: bool,
}

/// A device list that the user asked for and that has not come.
#[derive(Clone, Copy, Debug)]
pub struct PendingRefresh {
    pub at: Millis,
    /// The time of the list that there was then.
    pub before: Option<Millis>,
}

/// Who holds the lock was asked, and the answer has not come.
#[derive(Clone, Copy, Debug)]
pub struct PendingLook {
    /// When anything was told of it before.
    pub before: Option<Millis>,
}

/// When the connection that is waited for ended.
pub const fn disconnected_at(group: &Group) -> Option<Millis> {
    match group.connection() {
        ConnectionState::Waiting { since, .. } => Some(*since),
        _ => None,
    }
}

impl Ui {
    /// What just happened, until the next key.
    pub fn notice<'a>(&'a self, group: &'a Group) -> Option<(NoticeKind, Cow<'a, str>)> {
        let count = group.notices().count();
        let told = self.notice.as_ref().filter(|told| told.after.is_none_or(|after| count == after));
        let unread = group.notices().last().filter(|_| count > self.notices_read);
        let told = told.map(|told| (told.kind, Cow::Borrowed(told.text.as_str())));
        told.or_else(|| unread.map(|notice| (notice.kind, close_help::notice_words(notice, self.keys()))))
    }

    /// Whether that happened after the connection ended, so that it is not the reason that must be read first.
    pub fn is_after_the_end(&self, group: &Group) -> bool {
        /// What is lost with a connection is told just before its end.
        const AT_ONCE: Duration = Duration::from_secs(1);
        let is_tried_again =
            matches!(group.connection(), ConnectionState::Waiting { next: NextStep::RetryAt { .. }, .. });
        let before = if is_tried_again { AT_ONCE } else { Duration::ZERO };
        let last = group.notices().last().map(|notice| notice.at.after(before));
        self.notice.is_some() || last > disconnected_at(group)
    }

    /// Why the connection ended and what can be done, until the next key.
    pub fn explanation(&self, ctx: &FrameContext<'_>) -> Option<String> {
        close_help::explanation(ctx).filter(|_| self.explained != disconnected_at(ctx.group))
    }

    pub fn notify(&mut self, notice: Clean) {
        self.tell(NoticeKind::Ignored, notice);
    }

    pub fn say(&mut self, text: Clean) -> Reaction {
        self.tell(NoticeKind::Refused, text)
    }

    pub fn say_refused(&mut self, refusal: Refusal) -> Reaction {
        let said = self.say(Clean::new(&format!("{refusal}{}", close_help::advice(refusal, self.keys()))));
        if let Some(told) = &mut self.notice {
            told.until_login = refusal == Refusal::NotConnected;
        }
        said
    }

    /// Says words of our own, with keys in them as [`Keymap::fill`] takes them.
    pub fn explain(&mut self, words: &'static str) -> Reaction {
        self.say(Clean::new(&self.keys().fill(words)))
    }

    pub fn keys(&self) -> &Keymap {
        &self.settings.preferences.keymap
    }

    pub fn tell(&mut self, kind: NoticeKind, text: Clean) -> Reaction {
        /// More are hardly read.
        const KEPT: usize = 200;
        tracing::info!("told: {text}");
        if self.told.len() == KEPT {
            self.told.pop_front();
        }
        self.told.push_back((self.drawn_at, kind, text.clone()));
        self.notice = Some(LocalNotice { kind, text, after: None, until_login: false });
        Reaction::Redraw
    }

    /// What was said before the connection ended must not stand in the way of why it did. What is asked for gets its own
    /// end, and what went wrong here has nothing to do with the connection.
    pub fn forget_what_has_ended(&mut self, group: &Group) {
        let ended = disconnected_at(group);
        if ended.is_some() && ended != self.ended {
            self.notice.take_if(|told| !matches!(told.kind, NoticeKind::UnderWay | NoticeKind::Ignored));
        }
        self.ended = ended;
        if group.connection().is_logged_in() {
            self.notice.take_if(|told| told.until_login);
        }
    }

    /// Says what came of the list that the user asked for, unless there is something else to read.
    pub fn tell_of_the_list(&mut self, ctx: &FrameContext<'_>) {
        /// An answer takes no longer over any line that serves.
        const PATIENCE: Duration = Duration::from_secs(25);
        let (group, devices) = (ctx.group, ctx.group.devices());
        let Some(PendingRefresh { at, before }) = self.refreshed else { return };
        let (came, due) = (devices.as_of() != before, at.after(PATIENCE));
        let (is_connected, is_late) = (group.connection().is_logged_in(), ctx.clock.now() >= due);
        if !came && is_connected && !is_late {
            return ctx.clock.becomes_wrong(due);
        }
        self.refreshed = None;
        if self.notice.take_if(|told| told.kind == NoticeKind::UnderWay).is_none() {
            return;
        }
        if came {
            let count = u64::try_from(devices.len()).unwrap_or(u64::MAX);
            let plural = if count == 1 { "" } else { "s" };
            let elapsed = group.latency().devices_info.last().map(|elapsed| format!(", {}", figures::span(elapsed)));
            let words = format!("{} device{plural}{}", figures::count(count), elapsed.unwrap_or_default());
            self.tell(NoticeKind::Done, Clean::new(&words));
        } else if is_connected {
            self.explain("no device list came within 25 s; {refresh} asks again");
        } else if close_help::explanation(ctx).is_none() {
            self.explain("the device list did not come: the connection ended");
        }
    }
    /// Says what came of a look at the lock, unless there is something else to read. A mediator that does not answer loses
    /// the connection.
    pub fn tell_of_the_look(&mut self, ctx: &FrameContext<'_>) {
        let lock = ctx.group.lock();
        let Some(PendingLook { before }) = self.looked else { return };
        let came = lock.told_at() != before && !lock.is_ours_or_awaited();
        if !came && ctx.group.connection().is_logged_in() {
            return;
        }
        self.looked = None;
        if self.notice.take_if(|told| told.kind == NoticeKind::UnderWay).is_none() {
            return;
        }
        match (lock.state(), lock.told_at()) {
            (LockState::Held { holder, scope, .. }, _) if came => {
                let words = format!("{} holds the lock, for {}", ctx.label(*holder), scope_words(*scope));
                self.tell(NoticeKind::Done, Clean::new(&words));
            }
            (_, Some(at)) if came => {
                let words = format!("nobody held the lock at {}", ctx.clock.zone().second(at));
                self.tell(NoticeKind::Done, Clean::new(&words));
            }
            _ => {
                self.explain("who holds the lock was not told: the connection ended");
            }
        }
    }
}
