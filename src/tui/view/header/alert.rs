//! What is wrong although the connection stands, and the key that helps.

use crate::group::{JournalState, RoleState};
use crate::tui::context::{View, clock_apart};
use crate::tui::format;

/// What is wrong although the connection stands, and the key that helps.
pub struct Alert {
    pub words: String,
    pub key: Option<(&'static str, &'static str)>,
}

pub fn alert(view: &View<'_>) -> Option<Alert> {
    // Whether connected or not: what is received is not acknowledged, and the mediator keeps it all.
    if let JournalState::Failed(why) = view.group.journal() {
        return Some(Alert { words: format!("nothing is acknowledged: {why}"), key: None });
    }
    if !view.group.connection().is_logged_in() {
        return None;
    }
    if let RoleState::Leader { .. } = view.group.role().state() {
        let words = if view.settings.stay_leader {
            "leads: the group gets no incoming messages"
        } else {
            "promoted to leader: leaving, phones must lead"
        };
        return Some(Alert { words: words.to_owned(), key: None });
    }
    let ahead = clock_apart(view.group).filter(|_| !view.clock_accepted)?;
    let side = if ahead > 0 { "behind" } else { "ahead" };
    let apart = format::offset(ahead);
    let (here, there) = view.clock.both(ahead);
    let words = format!("clock {} {side}: here {here}, server {there}", apart.get(1..).unwrap_or_default());
    Some(Alert { words, key: Some(("a", "accept")) })
}
