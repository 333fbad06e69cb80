//! Tables as columns of text.

use super::wrap::{StyledSpan, WrappedLine, longest_word, natural_width, wrap};

/// Blanks between two columns.
const GAP: usize = 2;

/// Rows of cells, the heading first.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<Vec<StyledSpan>>>,
}

impl Table {
    pub(super) fn begin_row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(super) fn push_cell(&mut self, cell: Vec<StyledSpan>) {
        if let Some(row) = self.rows.last_mut() {
            row.push(cell);
        }
    }

    /// The table in so many columns, which cells are broken to fit in.
    pub(super) fn lines(&self, columns: usize, styled: bool) -> Vec<String> {
        let widths = self.widths(columns);
        let mut lines = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let cells: Vec<Vec<WrappedLine>> =
                row.iter().zip(&widths).map(|(cell, width)| wrap(cell, *width)).collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or(0);
            lines.extend((0..height).map(|line| side_by_side(&cells, &widths, line, styled)));
            if index == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                lines.push(rule.join(&" ".repeat(GAP)));
            }
        }
        lines
    }

    /// What each column takes: what it wants where there is room; else the wide ones give way first, but if possible not so
    /// far that a word is cut.
    fn widths(&self, columns: usize) -> Vec<usize> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |of: fn(&[StyledSpan]) -> usize| -> Vec<usize> {
            let of_column = |column| self.rows.iter().filter_map(move |row| row.get(column));
            (0..count).map(|column| of_column(column).map(|cell| of(cell)).max().unwrap_or(0).max(1)).collect()
        };
        let (wanted, words) = (widest(natural_width), widest(longest_word));
        let room = columns.saturating_sub(GAP * count.saturating_sub(1));
        let fitted = |cap: usize, least: &[usize]| -> Vec<usize> {
            wanted.iter().zip(least).map(|(wanted, least)| (*wanted).min(cap.max(*least))).collect()
        };
        let fits = |widths: &Vec<usize>| widths.iter().sum::<usize>() <= room;
        let no_least = vec![1; count];
        let caps = || (1..=columns).rev();
        let whole_words = caps().map(|cap| fitted(cap, &words)).find(fits);
        whole_words.or_else(|| caps().map(|cap| fitted(cap, &no_least)).find(fits)).unwrap_or(no_least)
    }
}

fn side_by_side(cells: &[Vec<WrappedLine>], widths: &[usize], line: usize, styled: bool) -> String {
    let mut text = String::new();
    let mut pending = 0;
    for (cell, width) in cells.iter().zip(widths) {
        let filled = cell.get(line).map_or(0, |part| {
            text.push_str(&" ".repeat(pending));
            text.push_str(&part.text(styled));
            pending = 0;
            part.width
        });
        pending += width.saturating_sub(filled) + GAP;
    }
    text
}
