//! Charts of bars: as high as their share of the scale, the newest at the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::theme::glyphs::{BARS, CAPPED, SHADE};
use crate::tui::theme::{Role, Theme};

/// A bar: how high, and up to where a lighter band goes on above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    pub value: u64,
    pub band: u64,
    pub role: Role,
}

/// The value that fills the height, and whether some values are above it: one that is far above all others would flatten
/// them, and is cut off instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    pub full: u64,
    pub is_capped: bool,
}

impl Scale {
    /// The scale on which these can be read.
    pub fn of(values: impl Iterator<Item = u64>) -> Self {
        /// How many times as high as almost all others is too high.
        const TOO_HIGH: u64 = 4;
        let mut values: Vec<u64> = values.filter(|value| *value > 0).collect();
        values.sort_unstable();
        let highest = values.last().copied().unwrap_or(0);
        // Of few values, none is an outlier.
        let usual = values.get(values.len() * 9 / 10).filter(|_| values.len() >= 10).map_or(highest, |usual| *usual);
        let full = if highest > usual.saturating_mul(TOO_HIGH) { usual.saturating_mul(2) } else { highest };
        Self { full, is_capped: full < highest }
    }
}

/// Draws bars from the right, as many as fit.
pub fn bars(buffer: &mut Buffer, area: Rect, bars: &[Bar], scale: Scale, theme: Theme) {
    let area = area.intersection(buffer.area);
    let bars = bars.get(bars.len().saturating_sub(usize::from(area.width))..).unwrap_or_default();
    let left = area.right().saturating_sub(u16::try_from(bars.len()).unwrap_or(0));
    for (x, bar) in (left..).zip(bars) {
        let [value, band] = [bar.value, bar.band].map(|value| eighths(value, scale.full, area.height));
        for row in 0..area.height {
            let is_top = row + 1 == area.height;
            let below = usize::from(row) * BARS.len();
            let here = value.saturating_sub(below).min(BARS.len());
            let (symbol, role) = match here.checked_sub(1).and_then(|index| BARS.get(index)) {
                _ if is_top && bar.value.max(bar.band) > scale.full => (CAPPED, Role::Notice),
                Some(bar_of_eighths) => (*bar_of_eighths, bar.role),
                // At least half a cell of it.
                None if band >= below + BARS.len() / 2 => (SHADE, bar.role),
                None => continue,
            };
            buffer.set_stringn(x, area.bottom() - 1 - row, symbol, 1, theme.style(role));
        }
    }
}

/// At least one eighth for whatever is there.
fn eighths(value: u64, full: u64, rows: u16) -> usize {
    let all = u128::from(rows) * BARS.len() as u128;
    let share = (u128::from(value) * all).div_ceil(u128::from(full.max(1)));
    usize::try_from(share.min(all)).unwrap_or(usize::MAX)
}

/// Sums so that at most so many are left: how many went into each, and the sums, the newest last and whole.
pub fn gather(values: &[u32], most: usize) -> (usize, Vec<u64>) {
    let each = values.len().div_ceil(most.max(1)).max(1);
    let mut sums: Vec<u64> =
        values.rchunks(each).map(|chunk| chunk.iter().map(|value| u64::from(*value)).sum()).collect();
    sums.reverse();
    (each, sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Colour, TERMINAL};

    fn drawn(values: &[(u64, u64)], scale: Scale) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 2));
        let bars_of: Vec<Bar> =
            values.iter().map(|(value, band)| Bar { value: *value, band: *band, role: Role::Text }).collect();
        bars(&mut buffer, Rect::new(0, 0, 6, 2), &bars_of, scale, Theme::new(&TERMINAL, Colour::None));
        buffer
    }

    #[test]
    fn bars_are_in_proportion_and_whatever_is_there_shows() {
        for (value, full, rows, expected) in [
            (0, 0, 1, 0),
            (1, 1, 1, 8),
            (1, 1_000, 1, 1),
            (500, 1_000, 1, 4),
            (500, 1_000, 4, 16),
            (2_000, 1_000, 4, 32),
            (u64::MAX, u64::MAX, 4, 32),
        ] {
            assert_eq!(eighths(value, full, rows), expected, "{value} of {full} in {rows}");
        }
        let scale = Scale::of([4, 1, 0, 2, 4].into_iter());
        assert_eq!(drawn(&[(4, 0), (1, 0), (0, 0), (2, 0), (4, 0)], scale), Buffer::with_lines([" █   █", " █▄ ██"]));
        assert_eq!(drawn(&[(1, 4), (2, 4), (4, 4)], scale), Buffer::with_lines(["   ░░█", "   ▄██"]), "bands");
    }

    #[test]
    fn one_outlier_does_not_flatten_the_others() {
        let scale = Scale::of((0..20).map(|second| if second == 7 { 5_000 } else { 10 }));
        assert_eq!(scale, Scale { full: 20, is_capped: true });
        let shown = drawn(&[(10, 0), (5_000, 0), (10, 0)], scale);
        let symbols =
            |y| (3..6).filter_map(|x| shown.cell((x, y)).map(ratatui::buffer::Cell::symbol)).collect::<String>();
        assert_eq!((symbols(0), symbols(1)), (" ▲ ".to_owned(), "███".to_owned()));
        assert_eq!(Scale::of([3, 90].into_iter()), Scale { full: 90, is_capped: false }, "of few, none is one");
    }

    #[test]
    fn what_has_no_room_is_gathered_from_the_newest_on() {
        assert_eq!(gather(&[1, 2, 3, 4, 5], 2), (3, vec![3, 12]));
        assert_eq!(gather(&[1, 2], 10), (1, vec![1, 2]));
        assert_eq!(gather(&[], 10), (1, vec![]));
    }
}
