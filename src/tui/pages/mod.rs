//! Pages over the panes: the help, and the details of a device, a feed row or the latency.

pub mod detail;
mod device;
mod fact;
pub mod first_run;
pub mod help;
mod latency;
mod messages;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::output::text_width::{self, Align, wrap};
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::draw::window::window;
use crate::tui::pages::fact::Fact;
use crate::tui::state::feed::FeedState;
use crate::tui::state::page::{Page, PageSubject};
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::SELECTED;

/// The columns of most pages, where there is room.
const WIDTH: u16 = 80;

const fn title(subject: &PageSubject) -> &'static str {
    match subject {
        PageSubject::Help(_) => "Keys",
        PageSubject::Device(_) => "Device",
        PageSubject::Row(_) => "Reflected message",
        PageSubject::Latency => "Latency",
        PageSubject::Messages => "Messages",
    }
}

fn facts(
    ctx: &FrameContext<'_>,
    feed_state: &FeedState,
    subject: &PageSubject,
    revealed: bool,
    width: u16,
) -> Vec<Fact> {
    match subject {
        PageSubject::Help(pane) => help::facts(&ctx.settings.preferences.keymap, *pane),
        PageSubject::Device(device) => device::facts(ctx, *device),
        PageSubject::Row(opened) => detail::facts(ctx, feed_state, opened, revealed),
        PageSubject::Latency => latency::facts(ctx, width),
        PageSubject::Messages => messages::facts(ctx),
    }
}

/// The page as text, for the clipboard; without what people wrote.
pub fn plain(ctx: &FrameContext<'_>, feed_state: &FeedState, subject: &PageSubject) -> String {
    let line = |fact: Fact| match (fact.name.is_empty(), fact.value.is_empty()) {
        (true, _) => fact.value,
        (false, true) => fact.name,
        (false, false) => format!("{}: {}", fact.name, fact.value),
    };
    facts(ctx, feed_state, subject, false, WIDTH).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn continued(fact: Fact, width: usize) -> Vec<Fact> {
    // What fits stays as it is, columns and all.
    if text_width::width(&fact.value) <= width {
        return vec![fact];
    }
    let Fact { name, value, style, name_style, target } = fact;
    let (mut names, mut targets) = (std::iter::once(name), std::iter::once(target));
    let mut line = |value| {
        let (name, target) = (names.next().unwrap_or_default(), targets.next().flatten());
        Fact { name, value, style, name_style, target }
    };
    wrap(&value, width).into_iter().map(&mut line).collect()
}

/// The lines with these words, below their headings; all, if there are no words.
fn with_words(facts: Vec<Fact>, words: &str) -> Vec<Fact> {
    if words.is_empty() {
        return facts;
    }
    let has_words = |fact: &Fact| format!("{} {}", fact.name, fact.value).to_lowercase().contains(words);
    let (mut shown, mut heading) = (Vec::new(), None);
    for fact in facts {
        if fact.is_heading() {
            heading = Some(fact);
        } else if has_words(&fact) {
            shown.extend(heading.take());
            shown.push(fact);
        }
    }
    if shown.is_empty() {
        shown.push(Fact::new("", "no line has these words; Esc shows all again").styled(Role::Muted));
    }
    shown
}

/// In the middle of the area, as large as it needs to be.
pub fn draw(page: &mut Page, buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, feed_state: &FeedState) {
    let width = area.width.min(if matches!(page.subject, PageSubject::Row(_)) { 100 } else { WIDTH });
    draw_in(page, buffer, area, (width, 0), ctx, feed_state);
}

/// In all of the area.
pub fn draw_beside(page: &mut Page, buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, feed_state: &FeedState) {
    draw_in(page, buffer, area, (area.width, area.height), ctx, feed_state);
}

fn draw_in(
    page: &mut Page,
    buffer: &mut Buffer,
    area: Rect,
    (width, least_height): (u16, u16),
    ctx: &FrameContext<'_>,
    feed_state: &FeedState,
) {
    if let PageSubject::Row(opened) = &mut page.subject {
        opened.renew(feed_state, ctx.group);
    }
    let words = page.words().to_lowercase();
    let facts = with_words(facts(ctx, feed_state, &page.subject, page.revealed, width), &words);
    // Where it is narrow, what a fact says needs the room more than its name.
    let longest = usize::from(width) * if width < 60 { 5 } else { 6 } / 12;
    let name_width = facts.iter().map(|fact| text_width::width(&fact.name)).max().unwrap_or(0).min(longest);
    let value_width = usize::from(width).saturating_sub(name_width + 6).max(1);
    let lines: Vec<Fact> = facts.into_iter().flat_map(|fact| continued(fact, value_width)).collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2).max(least_height).min(area.height);
    let inner = window(buffer, area, (width, height), title(&page.subject), ctx.theme);
    ctx.mark_window(inner);
    page.extent = (lines.len(), usize::from(inner.height));
    page.top = page.top.min(lines.len().saturating_sub(usize::from(inner.height)));
    page.targets =
        lines.iter().enumerate().filter_map(|(index, line)| line.target.map(|number| (index, number))).collect();
    page.chosen = page.chosen.min(page.targets.len().saturating_sub(1));
    let chosen = page.targets.get(page.chosen).map(|(line, _)| *line);
    let mut run = TextRun::new(buffer, inner, ctx.theme);
    for (index, line) in lines.iter().enumerate().skip(page.top).take(usize::from(inner.height)) {
        let mark = if chosen == Some(index) { SELECTED } else { " " };
        run.text(mark, Role::Accent)
            .column(&line.name, name_width, Align::Left, line.name_style)
            .gap(2)
            .text(&line.value, line.style)
            .next_line();
    }
    let hidden = lines.len().saturating_sub(page.top + usize::from(inner.height));
    if hidden > 0 {
        let corner = Rect { x: inner.x, y: inner.bottom(), width: inner.width, height: 1 };
        TextRun::new(buffer, corner, ctx.theme).gap(1).text(&format!(" {hidden} more "), Role::Notice);
    }
}
