//! What goes into the clipboard: clean text only, and not without end. Never what people wrote.

use crate::group::FeedRow;
use crate::output::figures;
use crate::tui::context::FrameContext;

/// The most that is copied; terminals refuse what is much longer, some without a word.
const MOST: usize = 8 * 1024;

/// The longest escape sequence that GNU screen is given: longer ones it prints over what it shows.
const MOST_IN_SCREEN: usize = 572;

/// Whether GNU screen takes the text as it is: in an escape sequence, as base64.
pub const fn fits_gnu_screen(text: &str) -> bool {
    const AROUND: usize = "\x1b]52;c;\x1b\\".len();
    text.len().div_ceil(3) * 4 + AROUND <= MOST_IN_SCREEN
}

/// A row in one line, its fields apart by tabs.
pub fn row(ctx: &FrameContext<'_>, row: &FeedRow) -> String {
    let from = row.author().map(|author| ctx.label(author).to_string()).unwrap_or_default();
    let conversation = row.conversation().map(ToString::to_string).unwrap_or_default();
    let fields = [
        row.id.0.to_string(),
        ctx.clock.zone().exact(row.stored_at),
        from,
        ctx.sentence(row).to_string(),
        conversation,
        figures::precise_size(row.size),
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
    fn gnu_screen_gets_what_it_does_not_print() {
        for length in [1, 419, 420] {
            let text = "x".repeat(length);
            assert!(fits_gnu_screen(&text), "{length}");
        }
        assert!(!fits_gnu_screen(&"x".repeat(430)));
        assert!(!fits_gnu_screen(&"ü".repeat(300)));
    }

    #[test]
    fn what_is_copied_is_bounded_and_says_when_it_is_cut() {
        assert_eq!(capped("short".to_owned()), "short");
        for long in ["x".repeat(MOST + 1), "ü".repeat(MOST), "line\n".repeat(MOST)] {
            let cut = capped(long);
            assert!(cut.len() <= MOST && cut.ends_with("\n[cut]"), "{} bytes", cut.len());
        }
    }
}
