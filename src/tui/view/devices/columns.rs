//! The columns of the table of devices.

use ratatui::layout::Rect;

use crate::output::device_order::DeviceSort;
use crate::output::text_width::Align::{Left, Right};
use crate::tui::draw::text_run::TextRun;
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
        let keep = if width >= 64 { 10 } else { 0 };
        let app = if width >= 44 { 18 } else { 0 };
        let id = if width >= 84 { 16 } else { 0 };
        let details = if width >= 104 { 26 } else { 0 };
        let (mark, seen) = (7, 6);
        let taken: usize =
            [app, seen, keep, details, id].iter().filter(|width| **width > 0).map(|width| width + 2).sum();
        Self { label: width.saturating_sub(mark + taken + 1), app, seen, keep, details, id }
    }

    /// Where the heads are that a click sorts by; the first stands behind the state.
    pub fn heads(&self, line: Rect) -> impl Iterator<Item = (Rect, DeviceSort)> {
        let widths = [
            (7, Some(DeviceSort::Seen)),
            (self.label, Some(DeviceSort::Name)),
            (self.app, Some(DeviceSort::Platform)),
            (self.details, None),
            (self.seen, Some(DeviceSort::Seen)),
            (self.keep, None),
            (self.id, Some(DeviceSort::Id)),
        ];
        let mut x = line.x;
        let places =
            widths.into_iter().enumerate().filter(|(_, (width, _))| *width > 0).map(move |(index, (width, sort))| {
                // There are two columns between each two from the name on.
                x = x.saturating_add(if index > 1 { 2 } else { 0 });
                let width = u16::try_from(width).unwrap_or(u16::MAX);
                let place = Rect { x, width, ..line }.intersection(line);
                x = x.saturating_add(width);
                (place, sort)
            });
        places.filter_map(|(place, sort)| sort.map(|sort| (place, sort)))
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
