//! What the keys do with pages: opening, following, copying.

use crate::group::{Group, NoticeKind};
use crate::protocol::Millis;
use crate::runtime::Reaction;
use crate::text::Clean;
use crate::tui::input::actions::Motion;
use crate::tui::input::pane::Pane;
use crate::tui::pages;
use crate::tui::state::opened_row::OpenedRow;
use crate::tui::state::page::{Page, PageSubject};
use crate::tui::state::{Overlay, Ui};
use crate::tui::update::clipboard;

impl Ui {
    pub fn open(&mut self, subject: PageSubject) -> Reaction {
        self.overlay = Overlay::Page(Page::new(subject));
        Reaction::Redraw
    }

    pub fn detail(&mut self, group: &Group) -> Reaction {
        let subject = match self.focus {
            Pane::Devices => self.selected_of(&self.order.of(group)).map(PageSubject::Device),
            Pane::Feed => {
                let keys = self.settings.keys.as_deref();
                let opened =
                    self.feed_state.selected(group).and_then(|spot| OpenedRow::at(spot, &self.feed_state, group, keys));
                opened.map(|opened| PageSubject::Row(Box::new(opened)))
            }
            Pane::Latency => Some(PageSubject::Latency),
            Pane::Lock | Pane::Role => None,
        };
        subject.map_or(Reaction::Nothing, |subject| self.open(subject))
    }

    /// From an open row to the newer or the older one; the feed's selection goes with it.
    pub fn open_beside(&mut self, motion: Motion, group: &Group) -> Reaction {
        let Overlay::Page(Page { subject: PageSubject::Row(_), .. }) = &self.overlay else { return Reaction::Nothing };
        let reaction = self.go_in_feed(motion, group);
        let focus = std::mem::replace(&mut self.focus, Pane::Feed);
        self.detail(group);
        self.focus = focus;
        // What the feed wants of the journal must not be lost.
        if reaction == Reaction::Nothing { Reaction::Redraw } else { reaction }
    }

    /// Hides what was written; true if it was shown.
    pub const fn hide_text(&mut self) -> bool {
        match &mut self.overlay {
            Overlay::Page(page) => std::mem::replace(&mut page.revealed, false),
            _ => false,
        }
    }

    /// Shows what was written, or hides it again.
    pub fn reveal(&mut self) -> Reaction {
        let Overlay::Page(page) = &mut self.overlay else { return Reaction::Nothing };
        page.reveal();
        Reaction::Redraw
    }

    /// Where Enter leads from a page: to the row that it points at, or back.
    pub fn follow_page(&mut self, page: &Page, group: &Group) -> Reaction {
        if let Some(number) = page.target() {
            self.look_at(Pane::Feed);
            if !self.feed_state.go_to_row(number, group) {
                return self.explain("this row has fallen out of memory, or does not fit the filter");
            }
        }
        Reaction::Redraw
    }

    /// Puts the page, or the selected row, into the clipboard.
    pub fn copy(&mut self, group: &Group, now: Millis) -> Reaction {
        let text = self.with_context(group, now, |ctx| match &self.overlay {
            Overlay::Page(page) => Some(pages::plain(ctx, &self.feed_state, &page.subject)),
            _ => self.feed_state.selected_row(group).map(|(_, row)| clipboard::row(ctx, &row)),
        });
        let Some(text) = text else { return self.explain("nothing to copy: the feed is empty") };
        if self.settings.is_gnu_screen && !clipboard::fits_gnu_screen(&text) {
            let words = "not copied: GNU screen would print so long a text over the dashboard; a row is shorter";
            return self.explain(words);
        }
        let text = clipboard::capped(text);
        let what = Clean::new(&format!("copied, {} bytes, if the terminal allows it", text.len()));
        self.copied = Some(text);
        self.tell(NoticeKind::Done, what)
    }
}
