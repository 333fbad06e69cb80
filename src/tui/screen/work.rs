//! What takes longer than a frame is done in slices between frames, so that keys are never delayed.

use std::time::{Duration, Instant};

use crate::group::Group;
use crate::runtime::Worked;
use crate::tui::state::Ui;

/// How long the work between frames may take at once.
const SLICE: Duration = Duration::from_millis(4);

/// How many rows are looked through between two looks at the clock.
const ROWS: usize = 1_000;

pub fn work(ui: &mut Ui, group: &Group) -> Worked {
    let until = Instant::now() + SLICE;
    let mut changed = false;
    loop {
        let worked = ui.work(group, ROWS);
        changed |= worked.changed;
        if !worked.more || Instant::now() >= until {
            return Worked { changed, ..worked };
        }
    }
}
