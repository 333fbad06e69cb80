//! A line that is typed into, above it what can be completed or what is wrong with it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::output::text_width::width;
use crate::text::Clean;
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::input::actions::PromptKind;
use crate::tui::input::keymap::InputContext;
use crate::tui::input::prompt::Prompt;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::ATTENTION;

/// Draws the line, and above it what can be said about it.
pub fn draw(prompt: &Prompt, buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>) {
    let above = Rect { y: area.y.saturating_sub(1), ..area };
    for place in [above, area] {
        TextRun::new(buffer, place, ctx.theme).gap(usize::from(place.width));
        clear(buffer, place);
    }
    draw_offers(prompt, buffer, above, ctx);
    let mut run = TextRun::new(buffer, area, ctx.theme);
    run.gap(1).text(name(prompt), Role::Accent).text(": ", Role::Accent);
    draw_text(prompt, &mut run);
}

fn draw_offers(prompt: &Prompt, buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>) {
    let mut run = TextRun::new(buffer, area, ctx.theme);
    run.gap(1);
    if let Some(wrong) = &prompt.wrong {
        run.text(ATTENTION, Role::Notice).gap(1).text(wrong.as_str(), Role::Notice);
        return;
    }
    if prompt.offers.is_empty() {
        for (_, key, what) in ctx.settings.preferences.keymap.hints(InputContext::Line) {
            run.text(key, Role::Accent).gap(1).text(what, Role::Muted).gap(2);
        }
        return;
    }
    run.text("Tab", Role::Accent);
    let taken = prompt.taken.as_ref().map(|(index, _)| *index);
    let first = taken.unwrap_or(0).saturating_sub(2);
    for (index, offer) in prompt.offers.iter().enumerate().skip(first) {
        if run.room() < width(offer.shown.as_str()) + 2 {
            run.text(" …", Role::Muted);
            break;
        }
        let style = if taken == Some(index) { Role::Selection } else { Role::Text };
        run.gap(2).text(offer.shown.as_str(), style);
    }
}

/// The part around the cursor, the cursor reversed. The text is the user's own, and shown as clean as any other.
pub fn draw_text(prompt: &Prompt, run: &mut TextRun<'_>) {
    let (before, after) = prompt.text().split_at(prompt.cursor());
    let before = Clean::new(before);
    let (under, rest) = after.split_at(after.graphemes(true).next().map_or(0, str::len));
    let room = run.room().saturating_sub(2);
    run.text(tail(before.as_str(), room), Role::Text);
    let under = if under.is_empty() { Clean::literal(" ") } else { Clean::new(under) };
    run.text(under.as_str(), Role::Selection).text(Clean::new(rest).as_str(), Role::Text);
}

const fn name(prompt: &Prompt) -> &'static str {
    match prompt.question {
        PromptKind::Filter => "filter",
        PromptKind::Search | PromptKind::Lines | PromptKind::Choice => "find",
        PromptKind::Time => "go to",
        PromptKind::File => "write rows to",
    }
}

/// The end of the text, in so many columns.
fn tail(text: &str, columns: usize) -> &str {
    let mut start = text.len();
    let mut taken = 0;
    for (at, cluster) in text.grapheme_indices(true).rev() {
        taken += width(cluster);
        if taken > columns {
            break;
        }
        start = at;
    }
    text.get(start..).unwrap_or_default()
}

fn clear(buffer: &mut Buffer, area: Rect) {
    ratatui::widgets::Widget::render(ratatui::widgets::Clear, area.intersection(buffer.area), buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_line_stays_in_sight() {
        assert_eq!(tail("from:日本語", 4), "本語");
        assert_eq!(tail("from:日本語", 5), "本語");
        assert_eq!(tail("kind", 10), "kind");
        assert_eq!(tail("kind", 0), "");
    }
}
