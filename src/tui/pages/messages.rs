//! The page about what was told in the last line: of the group, and of the dashboard itself.

use std::borrow::Cow;

use crate::group::NoticeKind;
use crate::protocol::Millis;
use crate::tui::close_help;
use crate::tui::context::FrameContext;
use crate::tui::pages::fact::Fact;
use crate::tui::theme::Role;

/// The newest first.
pub fn facts(ctx: &FrameContext<'_>) -> Vec<Fact> {
    let of_group = ctx.group.notices().kept();
    let of_group = of_group
        .map(|notice| (notice.at, notice.kind, close_help::notice_words(notice, &ctx.settings.preferences.keymap)));
    let own = ctx.told.iter().map(|(at, kind, text)| (*at, *kind, Cow::Borrowed(text.as_str())));
    let mut all: Vec<(Millis, NoticeKind, Cow<'_, str>)> = of_group.chain(own).collect();
    all.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    let now = close_help::explanation(ctx).map(|words| Fact::new("now", words).styled(Role::Notice));
    if all.is_empty() && now.is_none() {
        return vec![Fact::new("", "nothing was told so far").styled(Role::Muted)];
    }
    let line = |(at, kind, text): (Millis, NoticeKind, Cow<'_, str>)| {
        let role = match kind {
            NoticeKind::Done | NoticeKind::UnderWay => Role::Value,
            NoticeKind::Refused | NoticeKind::Lost | NoticeKind::Ignored | NoticeKind::Alarm => Role::Notice,
        };
        Fact::new(ctx.clock.zone().second(at), text).styled(role)
    };
    now.into_iter().chain(all.into_iter().map(line)).collect()
}
