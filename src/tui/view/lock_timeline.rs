//! The last hour of the lock: when it was held, by whom, as bars that are as high as the share of their time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::LockState;
use crate::protocol::{DeviceId, Millis};
use crate::tui::context::FrameContext;
use crate::tui::draw::chart::{Bar, Scale, bars};
use crate::tui::theme::Role;
use crate::tui::view::hour_axis;

const HOUR: u64 = 3_600;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// The lines that it takes.
pub const LINES: u16 = 2;

/// A line of bars, and below it the times.
pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>) {
    let lock = ctx.group.lock();
    let newest = lock.ended().next().map_or(Millis(0), |ended| ended.at);
    let now = ctx.clock.this_minute(newest);
    let seconds = HOUR.div_ceil(u64::from(area.width.max(1)));
    let (shown, step) = (HOUR.div_ceil(seconds), seconds * SECOND);
    let end = (now.0 / MINUTE + 1) * MINUTE;
    let held = holds(ctx, now);
    let bar = |index: u64| {
        let from = end.saturating_sub((shown - index) * step);
        let within = |(start, stop, _): &&(Millis, Millis, Option<DeviceId>)| {
            start.0 < from + step && (stop.0 > from || (start == stop && start.0 >= from))
        };
        let here: Vec<_> = held.iter().filter(within).collect();
        // What took no time that could be measured shows all the same.
        let time = |(start, stop, _): &(Millis, Millis, Option<DeviceId>)| {
            stop.0.min(from + step).saturating_sub(start.0.max(from)).max(1)
        };
        let longest = here.iter().copied().max_by_key(|hold| time(hold));
        let role = longest.map_or(Role::Muted, |(.., holder)| holder.map_or(Role::Accent, |of| ctx.device_role(of)));
        Bar { value: here.iter().map(|hold| time(hold)).sum::<u64>().min(step), band: 0, role }
    };
    let course: Vec<Bar> = (0..shown).map(bar).collect();
    let place = Rect { width: u16::try_from(shown).unwrap_or(area.width).min(area.width), ..area };
    let scale = Scale::of(course.iter().map(|bar| bar.value));
    bars(buffer, Rect { height: 1, ..place }, &course, scale, ctx.theme);
    hour_axis(buffer, Rect { y: area.y + 1, height: 1, ..place }, ctx, now, &format!("{seconds} s a bar"));
}

/// From when to when it was held, and by whom; none is this device.
fn holds(ctx: &FrameContext<'_>, now: Millis) -> Vec<(Millis, Millis, Option<DeviceId>)> {
    let lock = ctx.group.lock();
    let still = match lock.state() {
        LockState::Held { holder, since, .. } => Some((*since, now.max(*since), Some(*holder))),
        LockState::Ours { since, .. } => Some((*since, now.max(*since), None)),
        LockState::Free | LockState::Requested { .. } => None,
    };
    let ended = lock.ended().map(|ended| {
        let held = u64::try_from(ended.held.unwrap_or_default().as_millis()).unwrap_or(0);
        (Millis(ended.at.0.saturating_sub(held)), ended.at, ended.holder)
    });
    still.into_iter().chain(ended).collect()
}
