//! Where everything stands. Panes leave in a fixed order as the terminal shrinks: latency to its title, lock and role to
//! the header, devices to a count; whichever has the focus can always be seen.

use ratatui::layout::Rect;

use crate::tui::input::pane::Pane;
use crate::tui::panes::PaneSizes;

/// The least that the screen fits into.
pub const LEAST: (u16, u16) = (40, 10);

/// The least height at which the devices are a list and not a count.
const DEVICES_FROM: u16 = 14;

/// Where the focus is before the user has chosen: in sight, if anything is.
pub const fn first_focus(area: Rect) -> Pane {
    if area.height < DEVICES_FROM { Pane::Feed } else { Pane::Devices }
}

/// Where everything stands. A pane's first row is its title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub header: Rect,
    panes: [Option<Rect>; 5],
    /// Columns between panes that stand side by side.
    pub separators: Vec<Rect>,
    pub hints: Rect,
}

impl Layout {
    /// The place of a pane, if it has one.
    pub fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes.get(pane.index()).copied().flatten()
    }

    /// Takes a part of the feed's place away, if it is at least so wide.
    pub fn split_feed(&mut self, least: u16) -> Option<Rect> {
        let place = self.pane(Pane::Feed).filter(|place| place.width >= least)?;
        let width = place.width * 3 / 5;
        self.set(Pane::Feed, Rect { width, ..place });
        Some(Rect { x: place.x + width, width: place.width - width, ..place })
    }

    fn set(&mut self, pane: Pane, area: impl Into<Option<Rect>>) {
        if let Some(place) = self.panes.get_mut(pane.index()) {
            *place = area.into();
        }
    }
}

/// Lays the screen out; [`None`] if it is too small.
pub fn arrange(area: Rect, focus: Pane, zoomed: bool, devices: usize, sizes: PaneSizes) -> Option<Layout> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return None;
    }
    let header_height = if area.width < 72 && area.height >= 12 { 2 } else { 1 };
    let (header, rest) = split_top(area, header_height);
    let (body, hints) = split_bottom(rest, 1);
    let mut layout = Layout { header, hints, ..Layout::default() };
    if zoomed {
        layout.set(focus, body);
    } else if is_wide(area) {
        wide(&mut layout, body, devices, sizes);
    } else {
        stacked(&mut layout, area, body, devices, sizes);
    }
    if layout.pane(focus).is_none() {
        // The focus stands in for the feed.
        let place = layout.pane(Pane::Feed).unwrap_or(body);
        layout.set(Pane::Feed, None);
        layout.set(focus, place);
    }
    Some(layout)
}

/// Whether panes stand side by side.
pub const fn is_wide(area: Rect) -> bool {
    area.width >= 120 && area.height >= 30
}

/// On the left the devices, the lock with its history, and the role; on the right the feed and the latency.
fn wide(layout: &mut Layout, body: Rect, devices: usize, sizes: PaneSizes) {
    /// The least columns that say something.
    const COLUMNS: u16 = 30;
    /// The lines of a device with all that there is to say and its activity, and the least that are worth it.
    const DEVICE: u16 = 6;
    const DEVICES: u16 = 17;
    /// The lines of the role, with its title.
    const ROLE: u16 = 7;
    let (left, separator, right) =
        split_left(body, PaneSizes::apply(sizes.left, body.width / 3, COLUMNS, body.width - COLUMNS));
    layout.separators.push(separator);
    let wanted = u16::try_from(devices).unwrap_or(u16::MAX).saturating_mul(DEVICE).saturating_add(1);
    let (devices, rest) = split_top(left, wanted.clamp(DEVICES, (left.height * 3 / 5).max(DEVICES)));
    layout.set(Pane::Devices, devices);
    let (lock, role) = split_bottom(rest, ROLE.min(rest.height / 2));
    layout.set(Pane::Lock, lock);
    layout.set(Pane::Role, role);
    let (feed, latency) = split_bottom(right, (body.height / 5).max(6) | 1);
    layout.set(Pane::Feed, feed);
    layout.set(Pane::Latency, latency);
}

/// One below the other, lock and role at the side of the devices.
fn stacked(layout: &mut Layout, area: Rect, body: Rect, devices: usize, sizes: PaneSizes) {
    /// The least lines of the feed, with its title.
    const FEED: u16 = 4;
    let (body, latency) = split_bottom(body, if area.height >= 20 { 2 } else { 1 });
    layout.set(Pane::Latency, latency);
    if area.height < DEVICES_FROM {
        layout.set(Pane::Feed, body);
        return;
    }
    let side = area.width >= 72 && area.height >= 16;
    let wanted = u16::try_from(devices.max(1)).unwrap_or(u16::MAX).saturating_add(2);
    let least = if side { 6 } else { 3 };
    let wanted = wanted.clamp(least, (body.height * 2 / 5).max(least));
    let most = body.height.saturating_sub(FEED).max(least);
    let (top, feed) = split_top(body, PaneSizes::apply(sizes.top, wanted, least, most));
    layout.set(Pane::Feed, feed);
    if !side {
        layout.set(Pane::Devices, top);
        return;
    }
    let (devices, separator, side) = split_left(top, top.width - (top.width / 3).clamp(26, 40));
    layout.set(Pane::Devices, devices);
    layout.separators.push(separator);
    let (lock, role) = split_top(side, side.height.div_ceil(2));
    layout.set(Pane::Lock, lock);
    layout.set(Pane::Role, role);
}

/// An upper part, and the rest.
pub fn split_top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let top = Rect { height, ..area };
    (top, Rect { y: area.y + height, height: area.height - height, ..area })
}

fn split_bottom(area: Rect, height: u16) -> (Rect, Rect) {
    split_top(area, area.height.saturating_sub(height))
}

/// A left part, one column between, and the rest.
fn split_left(area: Rect, width: u16) -> (Rect, Rect, Rect) {
    let width = width.min(area.width.saturating_sub(1));
    let left = Rect { width, ..area };
    let between = Rect { x: area.x + width, width: 1, ..area };
    (left, between, Rect { x: area.x + width + 1, width: area.width.saturating_sub(width + 1), ..area })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn panes_leave_in_a_fixed_order() {
        let shown = |width, height| {
            arrange(Rect::new(0, 0, width, height), Pane::Feed, false, 4, PaneSizes::default())
                .map(|layout| Pane::ALL.map(|pane| layout.pane(pane).map_or(0, |area| area.height)))
        };
        assert_eq!(shown(160, 50), Some([25, 16, 7, 39, 9]));
        assert_eq!(shown(80, 24), Some([6, 3, 3, 14, 2]));
        assert_eq!(shown(80, 18), Some([6, 3, 3, 9, 1]), "latency to its title");
        assert_eq!(shown(80, 15), Some([4, 0, 0, 8, 1]), "lock and role to the header");
        assert_eq!(shown(60, 24), Some([6, 0, 0, 13, 2]), "lock and role to the header");
        assert_eq!(shown(40, 12), Some([0, 0, 0, 8, 1]), "devices to a count");
        assert_eq!(shown(40, 10), Some([0, 0, 0, 7, 1]));
        assert_eq!(shown(39, 24), None);
        assert_eq!(shown(80, 9), None);
    }

    proptest! {
        #[test]
        fn the_focus_is_always_in_sight_and_nothing_overlaps(
            width in 0_u16..300, height in 0_u16..100, focus in 0_usize..5, zoomed: bool, devices in 0_usize..40,
            left in -200_i16..200, top in -200_i16..200,
        ) {
            let area = Rect::new(0, 0, width, height);
            let focus = Pane::ALL[focus];
            if let Some(layout) = arrange(area, focus, zoomed, devices, PaneSizes { left, top }) {
                prop_assert!(layout.pane(focus).is_some());
                let mut places: Vec<Rect> = Pane::ALL.into_iter().filter_map(|pane| layout.pane(pane)).collect();
                places.extend(&layout.separators);
                places.extend([layout.header, layout.hints]);
                for (index, place) in places.iter().enumerate() {
                    prop_assert!(place.width > 0 && place.height > 0, "{:?}", place);
                    prop_assert_eq!(place.intersection(area), *place);
                    for other in &places[index + 1..] {
                        prop_assert!(!place.intersects(*other), "{:?} over {:?}", place, other);
                    }
                }
                let cells: u32 = places.iter().map(|place| place.area()).sum();
                prop_assert_eq!(cells, area.area(), "nothing is left empty");
            }
        }
    }
}
