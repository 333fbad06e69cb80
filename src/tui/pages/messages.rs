//! The page about what was told in the last line: of the group, and of the dashboard itself.

use crate::group::NoticeKind;
use crate::protocol::Millis;
use crate::text::Clean;
use crate::tui::context::FrameContext;
use crate::tui::pages::fact::Fact;
use crate::tui::theme::Role;

/// The newest first.
pub fn facts(ctx: &FrameContext<'_>) -> Vec<Fact> {
    let of_group = ctx.group.notices().kept().map(|notice| (notice.at, notice.kind, &notice.text));
    let own = ctx.told.iter().map(|(at, kind, text)| (*at, *kind, text));
    let mut all: Vec<(Millis, NoticeKind, &Clean)> = of_group.chain(own).collect();
    all.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    if all.is_empty() {
        return vec![Fact::new("", "nothing was told so far").styled(Role::Muted)];
    }
    let line = |(at, kind, text): (Millis, NoticeKind, &Clean)| {
        let role = match kind {
            NoticeKind::Done | NoticeKind::UnderWay => Role::Value,
            NoticeKind::Refused | NoticeKind::Lost | NoticeKind::Ignored | NoticeKind::Alarm => Role::Notice,
        };
        Fact::new(ctx.clock.zone().second(at), text).styled(role)
    };
    all.into_iter().map(line).collect()
}
