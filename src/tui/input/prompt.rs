//! A line to type into, above the hints: what is asked, what can be completed, and what is wrong with it so far.

use crossterm::event::{Event as TerminalEvent, KeyEvent};
use tui_input::backend::crossterm::EventHandler as _;
use tui_input::{Input, InputRequest};

use crate::text::Clean;
use crate::tui::input::actions::PromptKind;

/// The most characters of a line: what is longer was pasted by mistake.
const LONGEST: usize = 512;

/// A line that is being typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    pub question: PromptKind,
    pub input: Input,
    /// What is wrong with the line.
    pub wrong: Option<Clean>,
    /// What could be meant, best first; the line with it, and how it is shown.
    pub offers: Vec<Completion>,
    /// The offer that was taken, and the line as it was typed.
    pub taken: Option<(usize, Input)>,
}

/// A way to go on with what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The whole line with it.
    pub line: String,
    /// Where the cursor stands in it then, in characters.
    pub cursor: usize,
    pub shown: Clean,
}

impl Prompt {
    pub fn new(question: PromptKind, text: &str) -> Self {
        Self { question, input: Input::new(text.to_owned()), wrong: None, offers: Vec::new(), taken: None }
    }

    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Where the cursor stands, in bytes.
    pub fn cursor(&self) -> usize {
        self.text().char_indices().nth(self.input.cursor()).map_or(self.text().len(), |(at, _)| at)
    }

    /// Takes a key that is not a command; true if the text or the cursor changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let before = (self.text().to_owned(), self.input.cursor());
        // What would never be shown is never typed.
        let is_full = self.text().chars().count() >= LONGEST && key.modifiers.is_empty();
        if let crossterm::event::KeyCode::Char(character) = key.code
            && (is_full || character.is_control())
        {
            return false;
        }
        self.input.handle_event(&TerminalEvent::Key(key));
        self.changed_from(&before)
    }

    /// Inserts pasted text as text, whatever is in it.
    pub fn paste(&mut self, text: &str) -> bool {
        let before = (self.text().to_owned(), self.input.cursor());
        let room = LONGEST.saturating_sub(self.text().chars().count());
        for character in text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(room) {
            self.input.handle(InputRequest::InsertChar(character));
        }
        self.changed_from(&before)
    }

    fn changed_from(&mut self, before: &(String, usize)) -> bool {
        let changed = before.0 != self.text() || before.1 != self.input.cursor();
        if changed {
            self.taken = None;
        }
        changed
    }

    /// What is known of the line since it changed. The offers stay while one of them is in the line.
    pub fn tell(&mut self, wrong: Option<Clean>, offers: impl FnOnce() -> Vec<Completion>) {
        self.wrong = wrong;
        if self.taken.is_none() {
            self.offers = offers();
        }
    }

    /// Puts the next offer into the line; false if there is none.
    pub fn complete(&mut self, step: isize) -> bool {
        if self.offers.is_empty() {
            return false;
        }
        let count = isize::try_from(self.offers.len()).unwrap_or(isize::MAX);
        let last = self.taken.as_ref().and_then(|(index, _)| isize::try_from(*index).ok());
        let next = match (last, step) {
            (Some(index), step) => (index + step).rem_euclid(count),
            (None, step) if step < 0 => count - 1,
            (None, _) => 0,
        };
        let index = usize::try_from(next).unwrap_or(0);
        let Some(offer) = self.offers.get(index) else { return false };
        let typed = self.taken.take().map_or_else(|| self.input.clone(), |(_, typed)| typed);
        self.input = Input::new(offer.line.clone()).with_cursor(offer.cursor);
        // Only one thing can be meant: the next key starts anew.
        self.taken = (count > 1).then_some((index, typed));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyModifiers};

    fn typed(prompt: &mut Prompt, keys: &str) {
        for key in keys.chars() {
            prompt.key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
        }
    }

    fn offer(line: &str) -> Completion {
        Completion { line: line.to_owned(), cursor: line.chars().count(), shown: Clean::new(line) }
    }

    #[test]
    fn a_line_is_edited_where_the_cursor_stands() {
        let mut prompt = Prompt::new(PromptKind::Filter, "kind:");
        typed(&mut prompt, "tüxt");
        assert_eq!((prompt.text(), prompt.cursor()), ("kind:tüxt", 10));
        for (code, modifiers, text) in [
            (KeyCode::Left, KeyModifiers::NONE, "kind:tüxt"),
            (KeyCode::Left, KeyModifiers::NONE, "kind:tüxt"),
            (KeyCode::Backspace, KeyModifiers::NONE, "kind:txt"),
            (KeyCode::Char('w'), KeyModifiers::CONTROL, "xt"),
            (KeyCode::Char('u'), KeyModifiers::CONTROL, ""),
        ] {
            prompt.key(KeyEvent::new(code, modifiers));
            assert_eq!(prompt.text(), text, "{code:?}");
        }
    }

    #[test]
    fn pasted_text_is_text() {
        let mut prompt = Prompt::new(PromptKind::Search, "");
        assert!(prompt.paste("ECHO\r\n\u{1b}[31m"));
        assert_eq!(prompt.text(), "ECHO   [31m");
        prompt.paste(&"x".repeat(10_000));
        assert_eq!(prompt.text().chars().count(), LONGEST);
        assert!(!prompt.key(KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE)), "the line is full");
    }

    #[test]
    fn completions_go_round_and_typing_starts_anew() {
        let mut prompt = Prompt::new(PromptKind::Filter, "ki");
        prompt.tell(None, || vec![offer("kind:"), offer("kilo")]);
        for (step, text) in [(1, "kind:"), (1, "kilo"), (1, "kind:"), (-1, "kilo")] {
            assert!(prompt.complete(step));
            prompt.tell(None, Vec::new);
            assert_eq!(prompt.text(), text);
        }
        typed(&mut prompt, "x");
        prompt.tell(None, Vec::new);
        assert!(!prompt.complete(1), "nothing is offered for what was typed since");
        assert_eq!(prompt.text(), "kilox");
    }
}
