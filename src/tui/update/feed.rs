//! What the keys do in the feed.

use crate::group::Group;
use crate::protocol::Millis;
use crate::runtime::{OlderRows, Reaction, Worked};
use crate::tui::input::actions::{Motion, SearchDirection};
use crate::tui::input::pane::Pane;
use crate::tui::state::{Overlay, Ui};

impl Ui {
    pub fn go_in_feed(&mut self, motion: Motion, group: &Group) -> Reaction {
        let reaction = self.feed_state.go(motion, group);
        self.say_why_no_more(motion, group);
        reaction
    }

    pub fn say_why_no_more(&mut self, motion: Motion, group: &Group) {
        let is_up = matches!(motion, Motion::Up | Motion::HalfPageUp | Motion::PageUp | Motion::First);
        if let Some(why) = self.feed_state.why_no_more(group).filter(|_| is_up).cloned() {
            self.say(why);
        }
    }

    pub fn go_to_time(&mut self, at: Millis, group: &Group) -> Reaction {
        let reaction = self.feed_state.go_to_time(at, group);
        self.say_why_no_more(Motion::First, group);
        reaction
    }

    pub fn take_older(&mut self, page: OlderRows, group: &Group) -> Reaction {
        let reaction = self.feed_state.take_older(page, group);
        self.say_why_no_more(Motion::First, group);
        reaction
    }

    /// The next hit; without a search, `n` takes note of devices as in any other pane.
    pub fn next_hit(&mut self, way: SearchDirection, group: &Group) -> Reaction {
        if self.feed_state.is_searching() {
            let sought = self.feed_state.seek(way, false, group);
            self.say_sought(sought);
            return Reaction::Redraw;
        }
        match way {
            SearchDirection::Older => self.take_note(group),
            SearchDirection::Newer => self.explain("nothing to go to: {find} finds rows first"),
        }
    }

    pub fn mark(&mut self, group: &Group) -> Reaction {
        if self.feed_state.mark(group) {
            return Reaction::Redraw;
        }
        self.explain("nothing to mark: the feed is empty")
    }

    pub fn pause(&mut self, group: &Group) -> Reaction {
        self.feed_state.pause(group);
        Reaction::Redraw
    }

    /// Does a part of what takes longer than a frame.
    pub fn work(&mut self, group: &Group, rows: usize) -> Worked {
        self.colours.keep();
        let lines_before = self.feed_state.progress(group);
        let (more, sought) = self.feed_state.work(group, rows);
        if let Some(sought) = sought {
            // While the words are still typed, nothing found so far is no news.
            if !matches!(self.overlay, Overlay::Prompt(_)) {
                self.say_sought(sought);
            }
        }
        let was_exporting = self.exporting.is_some();
        let exporting = self.go_on_exporting(group, rows);
        // The end is told.
        let exported = was_exporting && !exporting;
        Worked {
            changed: exported || sought.is_some() || self.feed_state.progress(group) != lines_before,
            more: more || exporting,
        }
    }

    pub fn feed_back(&mut self, group: &Group) -> bool {
        self.focus == Pane::Feed && self.feed_state.back(group)
    }
}
