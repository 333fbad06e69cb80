//! What the terminal sends: keys and the like, and its answer about its background, told apart behind the event stream.
//!
//! The answer to OSC 11 comes through the event stream as key presses: Alt and `]`, `11;rgb:…`, then Alt and `\` or Ctrl-G;
//! where it is split after an ESC, as Esc and the bare character. None of them may act as a key, and no key that is typed
//! around them may be lost.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

/// For how long what may be the beginning of an answer is held back.
const HELD: Duration = Duration::from_millis(50);

/// For how long the rest of what can only be an answer is waited for.
const REST: Duration = Duration::from_secs(2);

/// How long after the question its answer decides; later ones are read and ignored.
const DECIDES: Duration = Duration::from_millis(200);

/// How long after the question an answer may still come.
const MAY_COME: Duration = Duration::from_secs(30);

/// One input of the dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Terminal(Event),
    /// The terminal's background, by its red, green and blue; told in time.
    Background([u8; 3]),
}

/// When the background was asked for last: set by who asks, read by who reads the answer.
#[derive(Clone, Debug, Default)]
pub struct BackgroundQuestion {
    asked: Rc<Cell<Option<Instant>>>,
    answered: Rc<Cell<bool>>,
}

impl BackgroundQuestion {
    pub fn asked(&self, now: Instant) {
        self.asked.set(Some(now));
        self.answered.set(false);
    }

    /// Whether it was asked within this time.
    pub fn is_within(&self, time: Duration, now: Instant) -> bool {
        self.asked.get().is_some_and(|asked| now.duration_since(asked) <= time)
    }

    /// Whether an answer may still come: until then an Esc may be the beginning of it, and has to wait.
    fn is_open(&self, now: Instant) -> bool {
        !self.answered.get() && self.is_within(MAY_COME, now)
    }
}

/// The inputs, without what belongs to an answer.
pub fn inputs(
    events: impl Stream<Item = io::Result<Event>> + Unpin,
    question: BackgroundQuestion,
) -> impl Stream<Item = io::Result<Input>> + Unpin {
    let start = (events, AnswerFilter::new(question), VecDeque::new());
    Box::pin(stream::unfold(start, |(mut events, mut filter, mut ready)| async move {
        loop {
            if let Some(input) = ready.pop_front() {
                return Some((Ok(input), (events, filter, ready)));
            }
            let next = match filter.due {
                Some(due) => timeout_at(due, events.next()).await.ok(),
                None => Some(events.next().await),
            };
            match next {
                None => filter.give_up(Instant::now(), &mut ready),
                Some(Some(Ok(event))) => filter.take(event, Instant::now(), &mut ready),
                Some(Some(Err(error))) => return Some((Err(error), (events, filter, ready))),
                Some(None) => return None,
            }
        }
    }))
}

/// Reads answers out of the events.
struct AnswerFilter {
    question: BackgroundQuestion,
    /// What may belong to an answer.
    held: Vec<Event>,
    /// What of an answer has come, from the `]` on.
    answer: String,
    /// Whether an Esc came after it, which may be half of its end.
    ends: bool,
    /// When what is held is no longer waited for.
    due: Option<Instant>,
}

impl AnswerFilter {
    const fn new(question: BackgroundQuestion) -> Self {
        Self { question, held: Vec::new(), answer: String::new(), ends: false, due: None }
    }

    fn take(&mut self, event: Event, now: Instant, ready: &mut VecDeque<Input>) {
        match Sign::of(&event) {
            Some(Sign::Escape) if self.held.is_empty() && self.question.is_open(now) => {
                self.hold(event, HELD, now);
            }
            Some(Sign::Escape) if is_whole(&self.answer) && !self.ends => {
                self.ends = true;
                self.hold(event, REST, now);
            }
            Some(Sign::Start) if self.held.is_empty() => self.begin(event, now),
            Some(Sign::Character(']')) if self.answer.is_empty() && self.held.len() == 1 => self.begin(event, now),
            Some(Sign::End) if is_whole(&self.answer) => self.decide(now, ready),
            Some(Sign::Character('\\')) if self.ends => self.decide(now, ready),
            Some(Sign::Character(character)) if !self.ends && self.continues_with(character) => {
                self.answer.push(character);
                self.hold(event, REST, now);
            }
            // Typed in the middle of what is an answer beyond doubt: it goes first.
            _ if self.is_beyond_doubt() && !self.ends => ready.push_back(Input::Terminal(event)),
            _ => {
                let was_holding = !self.held.is_empty();
                self.give_up(now, ready);
                if was_holding {
                    // It may be the beginning of an answer itself.
                    self.take(event, now, ready);
                } else {
                    ready.push_back(Input::Terminal(event));
                }
            }
        }
    }

    fn begin(&mut self, event: Event, now: Instant) {
        self.answer.push(']');
        self.hold(event, HELD, now);
    }

    fn hold(&mut self, event: Event, time: Duration, now: Instant) {
        self.held.push(event);
        self.due = Some(now + time);
    }

    fn continues_with(&self, character: char) -> bool {
        if self.answer.is_empty() {
            return false;
        }
        let longer = format!("{}{character}", self.answer);
        is_beginning(&longer)
    }

    /// Whether nobody could have typed it.
    fn is_beyond_doubt(&self) -> bool {
        self.answer.len() >= "]11;".len()
    }

    /// What was held is no answer, or one whose rest does not come.
    fn give_up(&mut self, now: Instant, ready: &mut VecDeque<Input>) {
        let typed = !(self.is_beyond_doubt() || self.answer.len() > 1 && self.question.is_open(now));
        let mut held = std::mem::take(&mut self.held);
        if !typed {
            // An Esc after a whole answer was a key, if nothing ended the answer with it.
            held.retain(|event| self.ends && Sign::of(event) == Some(Sign::Escape));
            held.drain(..held.len().saturating_sub(1));
        }
        ready.extend(held.into_iter().map(Input::Terminal));
        self.clear();
    }

    fn decide(&mut self, now: Instant, ready: &mut VecDeque<Input>) {
        if let (Some(background), true) = (colour(&self.answer), self.question.is_within(DECIDES, now)) {
            ready.push_back(Input::Background(background));
        }
        self.question.answered.set(true);
        self.clear();
    }

    fn clear(&mut self) {
        self.held.clear();
        self.answer.clear();
        self.ends = false;
        self.due = None;
    }
}

/// What a key press may be in an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Escape,
    /// ESC and `]` in one read.
    Start,
    Character(char),
    /// ESC and `\` in one read, or BEL.
    End,
}

impl Sign {
    const fn of(event: &Event) -> Option<Self> {
        let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else { return None };
        match (*code, *modifiers) {
            (KeyCode::Esc, KeyModifiers::NONE) => Some(Self::Escape),
            (KeyCode::Char(']'), KeyModifiers::ALT) => Some(Self::Start),
            (KeyCode::Char('\\'), KeyModifiers::ALT) | (KeyCode::Char('g'), KeyModifiers::CONTROL) => Some(Self::End),
            (KeyCode::Char(character), KeyModifiers::NONE | KeyModifiers::SHIFT) => Some(Self::Character(character)),
            _ => None,
        }
    }
}

const HEADS: [&str; 2] = ["]11;rgb:", "]11;rgba:"];

/// Whether an answer can begin so.
fn is_beginning(text: &str) -> bool {
    HEADS.into_iter().any(|head| {
        text.strip_prefix(head).map_or_else(
            || head.starts_with(text),
            |parts| {
                let parts: Vec<&str> = parts.split('/').collect();
                let (last, before) = parts.split_last().map_or(("", &[][..]), |(last, before)| (*last, before));
                let most = if head.contains("rgba") { 4 } else { 3 };
                parts.len() <= most && before.iter().all(|part| is_part(part)) && (last.is_empty() || is_part(last))
            },
        )
    })
}

fn is_part(part: &str) -> bool {
    (1..=4).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn is_whole(answer: &str) -> bool {
    colour(answer).is_some()
}

/// The colour of a whole answer (xterm's control sequences, OSC 10 and following; `XParseColor`).
fn colour(answer: &str) -> Option<[u8; 3]> {
    let parts = HEADS.into_iter().find_map(|head| answer.strip_prefix(head))?;
    let mut parts = parts.split('/').map(|part| {
        let most = 16_u32.checked_pow(u32::try_from(part.len()).ok()?)?.checked_sub(1).filter(|most| *most > 0)?;
        u8::try_from(u32::from_str_radix(part, 16).ok()? * 255 / most).ok()
    });
    let mut next = || parts.next().flatten();
    Some([next()?, next()?, next()?])
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
