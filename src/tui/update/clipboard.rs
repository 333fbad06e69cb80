//! What goes into the clipboard: clean text only, and not without end. Never what people wrote.

use crate::group::Row;
use crate::tui::context::FrameContext;
use crate::tui::format;

/// The most that is copied; terminals refuse what is much longer, some without a word.
const MOST: usize = 8 * 1024;

/// A row in one line, its fields apart by tabs.
pub fn row(ctx: &FrameContext<'_>, row: &Row) -> String {
    let from = row.author().map(|author| ctx.label(author).to_string()).unwrap_or_default();
    let conversation = row.conversation().map(ToString::to_string).unwrap_or_default();
    let fields = [
        row.id.0.to_string(),
        ctx.clock.zone().exact(row.stored_at),
        from,
        ctx.sentence(row).to_string(),
        conversation,
        format::size(row.size),
    ];
    fields.join("\t")
}

/// The text up to the limit, cut between lines or else between characters, and said so.
pub fn capped(mut text: String) -> String {
    const CUT: &str = "\n[cut]";
    if text.len() <= MOST {
        return text;
    }
    let mut end = MOST - CUT.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text.get(..end).and_then(|head| head.rfind('\n')).unwrap_or(end);
    text.truncate(end);
    text.push_str(CUT);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_bounded_and_says_when_it_is_cut() {
        assert_eq!(capped("short".to_owned()), "short");
        for long in ["x".repeat(MOST + 1), "ü".repeat(MOST), "line\n".repeat(MOST)] {
            let cut = capped(long);
            assert!(cut.len() <= MOST && cut.ends_with("\n[cut]"), "{} bytes", cut.len());
        }
    }
}
