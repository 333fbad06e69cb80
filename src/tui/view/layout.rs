//! Where everything stands. Panes leave in a fixed order as the terminal shrinks: latency to its title, lock and role to
//! the header, devices to a count; whichever has the focus can always be seen.

use ratatui::layout::Rect;

use crate::tui::input::pane::Pane;
use crate::tui::panes::PaneSizes;

/// The least that the screen fits into.
pub const LEAST: (u16, u16) = (40, 10);

/// The least that has room for frames around the panes.
const FRAMES_FROM: (u16, u16) = (100, 30);

/// The least height at which the devices are a list and not a count.
const DEVICES_FROM: u16 = 14;

/// Where the focus is before the user has chosen: in sight, if anything is.
pub const fn first_focus(area: Rect) -> Pane {
    if area.height < DEVICES_FROM { Pane::Feed } else { Pane::Devices }
}

/// Where everything stands. A pane's first row is its title; where it has a frame, that is in the frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub header: Rect,
    panes: [Option<Rect>; 5],
    /// Columns between panes that stand side by side.
    pub separators: Vec<Rect>,
    pub hints: Rect,
    /// Whether panes have frames, and not only a rule above them.
    pub framed: bool,
    /// By how much panes are larger than usual, as far as there is room.
    pub sizes: PaneSizes,
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

    /// How many lines more than its title a pane needs.
    const fn edge(&self) -> u16 {
        if self.framed { 1 } else { 0 }
    }

    /// A left part and the rest; between them a column for a line, unless both have frames.
    fn split_left(&mut self, area: Rect, width: u16) -> (Rect, Rect) {
        let between = 1 - self.edge();
        let width = width.min(area.width.saturating_sub(1));
        let x = area.x + width;
        if between > 0 {
            self.separators.push(Rect { x, width: between, ..area });
        }
        (Rect { width, ..area }, Rect { x: x + between, width: area.width.saturating_sub(width + between), ..area })
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
    let framed = area.width >= FRAMES_FROM.0 && area.height >= FRAMES_FROM.1;
    let mut layout = Layout { header, hints, framed, sizes, ..Layout::default() };
    if zoomed {
        layout.set(focus, body);
    } else if is_wide(area) {
        wide(&mut layout, body, devices);
    } else {
        stacked(&mut layout, area, body, devices);
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
fn wide(layout: &mut Layout, body: Rect, devices: usize) {
    /// The least columns that say something.
    const COLUMNS: u16 = 30;
    /// The lines of a device with all that there is to say and its activity, and the least that are worth it.
    const DEVICE: u16 = 6;
    const DEVICES: u16 = 17;
    /// The lines of the role, with its title.
    const ROLE: u16 = 7;
    /// The least lines of a pane, with its title.
    const LEAST: u16 = 4;
    let edge = layout.edge();
    let sizes = &mut layout.sizes;
    let width = PaneSizes::apply(&mut sizes.left, body.width / 3, COLUMNS, body.width - COLUMNS);
    let wanted = u16::try_from(devices).unwrap_or(u16::MAX).saturating_mul(DEVICE).saturating_add(1 + edge);
    let most = (body.height * 3 / 5).max(DEVICES + edge);
    let side = body.height.saturating_sub(wanted.clamp(DEVICES + edge, most));
    let side = PaneSizes::apply(&mut sizes.lock, side, 2 * LEAST, body.height - LEAST);
    let role = PaneSizes::apply(&mut sizes.role, (ROLE + edge).min(side / 2), LEAST, side - LEAST);
    let (left, right) = layout.split_left(body, width);
    let (devices, rest) = split_bottom(left, side);
    layout.set(Pane::Devices, devices);
    let (lock, role) = split_bottom(rest, role);
    layout.set(Pane::Lock, lock);
    layout.set(Pane::Role, role);
    let (feed, latency) = split_bottom(right, (body.height / 5).max(6 + edge));
    layout.set(Pane::Feed, feed);
    layout.set(Pane::Latency, latency);
}

/// One below the other, lock and role at the side of the devices.
fn stacked(layout: &mut Layout, area: Rect, body: Rect, devices: usize) {
    /// The least lines of the feed, with its title.
    const FEED: u16 = 4;
    let edge = layout.edge();
    let (body, latency) = split_bottom(body, edge + if area.height >= 20 { 2 } else { 1 });
    layout.set(Pane::Latency, latency);
    if area.height < DEVICES_FROM {
        layout.set(Pane::Feed, body);
        return;
    }
    let side = area.width >= 72 && area.height >= 16;
    let wanted = u16::try_from(devices.max(1)).unwrap_or(u16::MAX).saturating_add(2 + edge);
    let least = if side { 6 + 2 * edge } else { 3 };
    let wanted = wanted.clamp(least, (body.height * 2 / 5).max(least));
    let most = body.height.saturating_sub(FEED + edge).max(least);
    let (top, feed) = split_top(body, PaneSizes::apply(&mut layout.sizes.top, wanted, least, most));
    layout.set(Pane::Feed, feed);
    if !side {
        layout.set(Pane::Devices, top);
        return;
    }
    let side = PaneSizes::apply(&mut layout.sizes.side, (top.width / 3).clamp(26, 40), 20, top.width - 36);
    let (devices, side) = layout.split_left(top, top.width - side);
    layout.set(Pane::Devices, devices);
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
        assert_eq!(shown(160, 50), Some([26, 14, 8, 39, 9]));
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
            left in -200_i16..200, top in -200_i16..200, side in -200_i16..200, lock in -200_i16..200, role in -200_i16..200,
        ) {
            let area = Rect::new(0, 0, width, height);
            let focus = Pane::ALL[focus];
            if let Some(layout) = arrange(area, focus, zoomed, devices, PaneSizes { left, top, side, lock, role }) {
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
