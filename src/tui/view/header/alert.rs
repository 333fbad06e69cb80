//! What is wrong although the connection stands, and the key that helps.

use crate::group::{JournalState, RoleState};
use crate::output::figures;
use crate::tui::context::{FrameContext, clock_apart};
use crate::tui::input::actions::Action;
use crate::tui::view::header::HeaderKey;

/// What is wrong although the connection stands, and the key that helps.
pub struct HeaderAlert {
    pub words: String,
    pub key: Option<HeaderKey>,
}

pub fn alert(ctx: &FrameContext<'_>) -> Option<HeaderAlert> {
    // Whether connected or not: what is received is not acknowledged, and the mediator keeps it all.
    if let JournalState::Failed(why) = ctx.group.journal() {
        return Some(HeaderAlert { words: format!("nothing is acknowledged: {why}"), key: None });
    }
    if !ctx.group.connection().is_logged_in() {
        return None;
    }
    if let RoleState::Leader { .. } = ctx.group.role().state() {
        let words = if ctx.settings.stay_leader {
            "leads: the group gets no incoming messages"
        } else {
            "promoted to leader: leaving, phones must lead"
        };
        return Some(HeaderAlert { words: words.to_owned(), key: None });
    }
    let ahead = clock_apart(ctx.group).filter(|_| !ctx.clock_accepted)?;
    let side = if ahead > 0 { "behind" } else { "ahead" };
    let apart = figures::offset(ahead);
    let (here, there) = ctx.clock.both(ahead);
    let by = if ctx.group.clock_was_moved() { " by the last login" } else { "" };
    let words = format!("clock {} {side}{by}: here {here}, mediator {there}", apart.get(1..).unwrap_or_default());
    Some(HeaderAlert { words, key: Some((Action::AcceptClock, "accept")) })
}
