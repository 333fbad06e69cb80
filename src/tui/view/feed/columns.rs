//! The columns of the feed: which of them there is room for, and a row as text in them.

use crate::output::text_width;
use crate::output::text_width::Align::{Left, Right};
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::preferences::{Columns, FeedColumn, Preferences};
use crate::tui::theme::Role;

/// One row, as text.
pub struct RowText {
    pub mark: (&'static str, Role),
    pub id: String,
    pub stored: String,
    pub from: (String, Role),
    pub what: Vec<(String, Role)>,
    pub conversation: String,
    pub size: String,
    pub age: (String, Role),
    pub ack: (String, Role),
    pub selected: bool,
}

/// The columns, by their widths; 0 is left out. As the width shrinks they leave in this order: conversation, id, age, size,
/// the fraction of the time, the author down to a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedColumns {
    pub id: usize,
    pub stored: usize,
    pub from: usize,
    pub what: usize,
    pub conversation: usize,
    pub size: usize,
    pub age: usize,
    pub ack: usize,
}

impl FeedColumns {
    /// What the sentence should have before other columns may stay.
    const WHAT: usize = 30;

    const ID: usize = 10;

    /// What the sentence should have before the id may stand beside it.
    const WITH_ID: usize = 48;

    /// As the user wants them, without the author where the dialect never tells it; a time in a format of its own keeps its
    /// width.
    pub fn for_user(width: usize, ctx: &FrameContext<'_>) -> Self {
        let Preferences { columns, time_format, .. } = &*ctx.settings.preferences;
        let time = time_format.as_ref().map(|format| ctx.clock.zone().show(ctx.clock.now(), format));
        let tells_author = ctx.settings.dialect.tells_author();
        Self::that_fit(width, tells_author, columns, time.map(|time| text_width::width(&time)))
    }

    fn that_fit(width: usize, tells_author: bool, wanted: &Columns, time: Option<usize>) -> Self {
        let from = if tells_author { 14 } else { 0 };
        let mut columns = Self { id: 0, stored: 11, from, what: 0, conversation: 25, size: 8, age: 6, ack: 7 };
        columns.keep(wanted, time);
        let steps: [fn(&mut Self); 6] = [
            |columns| columns.conversation = 0,
            |columns| columns.from = columns.from.min(11),
            |columns| columns.age = 0,
            |columns| columns.size = 0,
            |columns| columns.stored = 8,
            |columns| columns.from = columns.from.min(2),
        ];
        for step in steps {
            if width >= columns.taken() + Self::WHAT {
                break;
            }
            step(&mut columns);
            columns.keep(wanted, time);
        }
        // An id is for machines: the sentence comes first.
        if wanted.has(FeedColumn::Id) && width >= columns.taken() + Self::ID + 1 + Self::WITH_ID {
            columns.id = Self::ID;
        }
        columns.what = width.saturating_sub(columns.taken());
        columns
    }

    /// Leaves out what is not wanted.
    fn keep(&mut self, wanted: &Columns, time: Option<usize>) {
        self.stored = time.unwrap_or(self.stored);
        let places = [
            (FeedColumn::Stored, &mut self.stored),
            (FeedColumn::From, &mut self.from),
            (FeedColumn::Conversation, &mut self.conversation),
            (FeedColumn::Size, &mut self.size),
            (FeedColumn::Waited, &mut self.age),
            (FeedColumn::Ack, &mut self.ack),
        ];
        for (_, place) in places.into_iter().filter(|(column, _)| !wanted.has(*column)) {
            *place = 0;
        }
    }

    /// All but the sentence, with a column between each two and one for the mark.
    fn taken(&self) -> usize {
        let others = [self.id, self.stored, self.from, self.conversation, self.size, self.age, self.ack];
        1 + others.into_iter().filter(|width| *width > 0).map(|width| width + 1).sum::<usize>()
    }

    pub fn put(&self, run: &mut TextRun<'_>, cells: &RowText) {
        run.text(cells.mark.0, cells.mark.1);
        let before = [
            (&cells.id, self.id, Right, Role::Muted),
            (&cells.stored, self.stored, Left, Role::Muted),
            (&cells.from.0, self.from, Left, cells.from.1),
        ];
        for (text, width, align, role) in before.into_iter().filter(|(_, width, ..)| *width > 0) {
            run.column(text, width, align, role).gap(1);
        }
        run.spans(&cells.what, self.what);
        let after = [
            (&cells.conversation, self.conversation, Left, Role::Muted),
            (&cells.size, self.size, Right, Role::Muted),
            (&cells.age.0, self.age, Right, cells.age.1),
            (&cells.ack.0, self.ack, Right, cells.ack.1),
        ];
        for (text, width, align, style) in after.into_iter().filter(|(_, width, ..)| *width > 0) {
            run.gap(1).column(text, width, align, style);
        }
        if cells.selected {
            run.bar(1);
        }
        run.next_line();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_leave_in_a_fixed_order() {
        let at = |width| FeedColumns::that_fit(width, true, &Columns::default(), None);
        let shown = |width| {
            let columns = at(width);
            [columns.conversation, columns.id, columns.age, columns.size, columns.stored, columns.from, columns.what]
        };
        assert_eq!(shown(150), [25, 10, 6, 8, 11, 14, 61]);
        assert_eq!(shown(120), [25, 0, 6, 8, 11, 14, 42]);
        assert_eq!(shown(106), [0, 0, 6, 8, 11, 14, 54]);
        assert_eq!(shown(80), [0, 0, 6, 8, 11, 11, 31]);
        assert_eq!(shown(73), [0, 0, 0, 8, 11, 11, 31]);
        assert_eq!(shown(70), [0, 0, 0, 0, 11, 11, 37]);
        assert_eq!(shown(60), [0, 0, 0, 0, 8, 11, 30]);
        assert_eq!(shown(54), [0, 0, 0, 0, 8, 2, 33]);
        assert_eq!(shown(40), [0, 0, 0, 0, 8, 2, 19]);
        let unsaid = FeedColumns::that_fit(80, false, &Columns::default(), None);
        assert_eq!((unsaid.from, unsaid.what), (0, 43), "where no row has an author, the sentence gets its room");
        for width in 0..200 {
            let columns = at(width);
            assert!(columns.what == 0 || columns.taken() + columns.what == width);
        }
    }

    #[test]
    fn only_the_columns_that_are_wanted_are_there_whatever_the_width() {
        let wanted = Columns::of(vec![FeedColumn::Stored, FeedColumn::Ack]);
        for width in 0..200 {
            let columns = FeedColumns::that_fit(width, true, &wanted, Some(5));
            let absent = [columns.id, columns.from, columns.conversation, columns.size, columns.age];
            assert_eq!((absent, columns.stored, columns.ack), ([0; 5], 5, 7), "{width}");
        }
    }
}
