//! A dialog: its text, and the answers as buttons or, where there are many, as a list.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::output::text_width::{cut, width, wrap};
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::draw::window::window;
use crate::tui::state::click::ClickTarget;
use crate::tui::state::dialog::Dialog;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::SELECTED;

pub fn draw(dialog: &Dialog, buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>) {
    let width = area.width.min(64);
    let as_list = dialog.answers.len() > 3;
    let answer_lines = if as_list { dialog.answers.len() } else { 1 };
    let columns = usize::from(width).saturating_sub(4);
    let lines_of = |consequence| lines(dialog, consequence, columns, usize::from(area.height), answer_lines);
    let lines = lines_of(dialog.consequence());
    // As high for any answer, so that the answers stay where they are.
    let most = dialog.consequences().map(|consequence| lines_of(consequence).len()).max().unwrap_or_default();
    let wanted = most + answer_lines + 3;
    let height = u16::try_from(wanted).unwrap_or(u16::MAX).min(area.height);
    let inner = window(buffer, area, (width, height), dialog.title, ctx.theme);
    ctx.mark_window(inner);
    let room_for_text = usize::from(inner.height).saturating_sub(answer_lines.min(usize::from(inner.height) / 2));
    let mut run = TextRun::new(buffer, inner, ctx.theme);
    for (index, (line, style)) in lines.iter().take(room_for_text).enumerate() {
        let is_cut = index + 1 == room_for_text && lines.len() > room_for_text;
        let line =
            if is_cut { cut(&format!("{line} …"), run.room().saturating_sub(2)).into_owned() } else { line.clone() };
        run.gap(1).text(&line, *style).next_line();
    }
    let answers_top = u16::try_from(most.min(room_for_text)).unwrap_or(0);
    let spare = inner.height.saturating_sub(answers_top + u16::try_from(answer_lines).unwrap_or(0)).min(1);
    let top = inner.y + answers_top + spare;
    let place = Rect { y: top, height: inner.bottom().saturating_sub(top), ..inner };
    if as_list { list(dialog, buffer, place, ctx) } else { buttons(dialog, buffer, place, ctx) }
}

/// The text: the object, warnings, the consequence; with air between where there is room.
fn lines(
    dialog: &Dialog,
    consequence: &'static str,
    columns: usize,
    height: usize,
    answer_lines: usize,
) -> Vec<(String, Role)> {
    let styled = |text: &str, style| wrap(text, columns).into_iter().map(move |line| (line, style));
    // One red line, so that it is read: the first of what is worse than usual or, in its absence, what is lost.
    let mut red = std::iter::once(Role::Alarm);
    let warnings: Vec<_> = dialog
        .warnings
        .iter()
        .flat_map(|warning| styled(&format!("! {warning}"), red.next().unwrap_or(Role::Notice)))
        .collect();
    let destroys = dialog.destroys();
    let mut lines: Vec<_> = styled(&dialog.object, Role::Heading).chain(warnings).collect();
    let consequence: Vec<_> = match consequence.split_once(". ") {
        Some((lost, rest)) if destroys && dialog.warnings.is_empty() => {
            styled(&format!("{lost}."), Role::Alarm).chain(styled(rest, Role::Text)).collect()
        }
        _ => styled(consequence, Role::Text).collect(),
    };
    if lines.len() + consequence.len() + answer_lines + 4 <= height {
        lines.push((String::new(), Role::Text));
    }
    lines.extend(consequence);
    lines
}

/// How high it would like to be in so many columns.
pub fn wanted_height(dialog: &Dialog, columns: u16) -> usize {
    let columns = usize::from(columns.min(64)).saturating_sub(4);
    let lines_of = |consequence| lines(dialog, consequence, columns, 0, dialog.answers.len()).len();
    dialog.consequences().map(lines_of).max().unwrap_or_default()
        + if dialog.answers.len() > 3 { dialog.answers.len() } else { 1 }
        + 2
}

fn buttons(dialog: &Dialog, buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>) {
    let taken: usize = dialog.answers.iter().map(|answer| width(&answer.label) + 6).sum();
    let mut run = TextRun::new(buffer, area, ctx.theme);
    let before = run.room().saturating_sub(taken) / 2;
    run.gap(before);
    for (index, answer) in dialog.answers.iter().enumerate() {
        // The brackets say in any terminal which answer Enter gives.
        let (text, style) = if index == dialog.chosen {
            (format!("[ {} ]", answer.label), if answer.destroys() { Role::AlarmBanner } else { Role::Selection })
        } else {
            (format!("  {}  ", answer.label), if answer.destroys() { Role::Alarm } else { Role::Text })
        };
        run.gap(1);
        ctx.mark(run.ahead(width(&text)), ClickTarget::Answer(index));
        run.text(&text, style).gap(1);
    }
}

fn list(dialog: &Dialog, buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>) {
    let rows = usize::from(area.height);
    let first = (dialog.chosen + 1).saturating_sub(rows);
    let mut run = TextRun::new(buffer, area, ctx.theme);
    for (index, answer) in dialog.answers.iter().enumerate().skip(first).take(rows) {
        let chosen = index == dialog.chosen;
        ctx.mark(run.line(), ClickTarget::Answer(index));
        run.gap(2).text(if chosen { SELECTED } else { " " }, Role::Accent).gap(1);
        run.text(&answer.label, if chosen { Role::Selection } else { Role::Text }).next_line();
    }
}
