//! The columns of the table of devices.

use crate::tui::draw::text_run::TextRun;
use crate::tui::draw::text_width::Align::{Left, Right};
use crate::tui::theme::Role;

/// The columns of the table, by their widths; 0 is left out. They leave in this order: details, id, policy, app.
pub struct DeviceColumns {
    label: usize,
    app: usize,
    seen: usize,
    keep: usize,
    details: usize,
    id: usize,
}

impl DeviceColumns {
    pub fn that_fit(width: usize) -> Self {
        let keep = if width >= 36 { 4 } else { 0 };
        let app = if width >= 44 { 18 } else { 0 };
        let id = if width >= 84 { 16 } else { 0 };
        let details = if width >= 104 { 26 } else { 0 };
        let (mark, seen) = (7, 6);
        let taken: usize =
            [app, seen, keep, details, id].iter().filter(|width| **width > 0).map(|width| width + 2).sum();
        Self { label: width.saturating_sub(mark + taken + 1), app, seen, keep, details, id }
    }

    pub fn put(
        &self,
        run: &mut TextRun<'_>,
        [label, app, seen, keep, details, id]: [&str; 6],
        [first, rest]: [Role; 2],
    ) {
        run.column(label, self.label, Left, first);
        let columns = [
            (app, self.app, Left),
            (details, self.details, Left),
            (seen, self.seen, Right),
            (keep, self.keep, Left),
            (id, self.id, Left),
        ];
        for (text, width, align) in columns.into_iter().filter(|(_, width, _)| *width > 0) {
            run.gap(2).column(text, width, align, rest);
        }
    }
}
