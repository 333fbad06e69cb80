//! The line that is typed into: what follows from it while it is typed, kept or given up.

use crossterm::event::KeyEvent;

use crate::group::Group;
use crate::group::filter::{self, Completions, Filter, FilterError, Moment};
use crate::protocol::Millis;
use crate::runtime::Reaction;
use crate::text::Clean;
use crate::tui::input::actions::{Question, Way};
use crate::tui::input::pane::Pane;
use crate::tui::input::prompt::{Offer, Prompt};
use crate::tui::input::time_input;
use crate::tui::state::feed::search::Sought;
use crate::tui::state::open_prompt::Line;
use crate::tui::state::{Overlay, Ui};

impl Ui {
    /// Opens a line; what is typed into it shows in the feed.
    pub fn open_line(&mut self, question: Question, group: &Group, now: Millis) -> Reaction {
        self.look_at(Pane::Feed);
        let (filter, search) = (self.reading.filter_words().to_owned(), self.reading.search_words().to_owned());
        let text = match question {
            Question::Filter => filter.as_str(),
            Question::Search => search.as_str(),
            Question::Time => "",
        };
        let prompt = Prompt::new(question, text);
        self.overlay = Overlay::Line(Box::new(Line { prompt, filter, search, scroll: self.reading.scroll }));
        self.line_changed(false, group, now)
    }

    /// A key that is text, or moves within it.
    pub fn type_key(&mut self, key: KeyEvent, group: &Group, now: Millis) -> Reaction {
        let changed = self.edit(|prompt| prompt.key(key));
        if changed { self.line_changed(true, group, now) } else { Reaction::Nothing }
    }

    pub fn paste(&mut self, text: &str, group: &Group, now: Millis) -> Reaction {
        let changed = self.edit(|prompt| prompt.paste(text));
        if changed { self.line_changed(true, group, now) } else { Reaction::Nothing }
    }

    pub fn complete(&mut self, step: isize, group: &Group, now: Millis) -> Reaction {
        let changed = self.edit(|prompt| prompt.complete(step));
        if changed { self.line_changed(true, group, now) } else { Reaction::Nothing }
    }

    pub fn edit(&mut self, edit: impl FnOnce(&mut Prompt) -> bool) -> bool {
        match &mut self.overlay {
            Overlay::Line(line) => edit(&mut line.prompt),
            Overlay::None | Overlay::Page(_) | Overlay::Dialog(_) => false,
        }
    }

    /// Shows what follows from the line so far. While it is wrong or half a key, the feed stays as it was.
    pub fn line_changed(&mut self, edited: bool, group: &Group, now: Millis) -> Reaction {
        let moment = self.moment(now);
        let Overlay::Line(line) = &mut self.overlay else { return Reaction::Nothing };
        let text = line.prompt.text().to_owned();
        let (question, cursor) = (line.prompt.question, line.prompt.cursor());
        let understood = match question {
            // Whoever writes `kind:` does not look for `ki` on the way there.
            Question::Filter | Question::Search if edited && filter::may_become_key(&text, cursor) => {
                Filter::parse(&text).map(drop)
            }
            Question::Filter if edited => self.reading.set_filter(&text, group, moment),
            Question::Search if edited => self.reading.set_search(&text, group, moment).map(|()| {
                self.reading.scroll = line.scroll;
                self.reading.seek(Way::Older, true, group);
            }),
            // Half a time is no error yet.
            Question::Filter | Question::Search | Question::Time => Ok(()),
        };
        line.prompt.tell(understood.err().map(|error| words(&error)), || match question {
            Question::Filter | Question::Search => offers(&text, cursor, group),
            Question::Time => Vec::new(),
        });
        Reaction::Redraw
    }

    /// Keeps what was typed; a line that is wrong stays open.
    pub fn keep_line(&mut self, mut line: Box<Line>, group: &Group, now: Millis) -> Reaction {
        let text = line.prompt.text().to_owned();
        let (question, moment) = (line.prompt.question, self.moment(now));
        let finished = || Filter::finished(&text);
        let done = match question {
            Question::Filter => {
                finished().and_then(|()| self.reading.set_filter(&text, group, moment)).map_err(|error| words(&error))
            }
            Question::Search => {
                finished().and_then(|()| self.reading.set_search(&text, group, moment)).map_err(|error| words(&error))
            }
            Question::Time if text.trim().is_empty() => Ok(()),
            Question::Time => match time_input::parse(&text, now, self.settings.zone) {
                Ok(at) => return self.go_to_time(at, group),
                Err(wrong) => Err(wrong),
            },
        };
        if let Err(wrong) = done {
            line.prompt.tell(Some(wrong), Vec::new);
            self.overlay = Overlay::Line(line);
            return Reaction::Redraw;
        }
        if question == Question::Search && self.reading.is_searching() {
            self.reading.scroll = line.scroll;
            let sought = self.reading.seek(Way::Older, true, group);
            self.say_sought(sought);
        }
        Reaction::Redraw
    }

    /// Everything is as before the line was opened.
    pub fn give_line_up(&mut self, line: &Line, group: &Group, now: Millis) {
        let moment = self.moment(now);
        let restored = [
            self.reading.set_filter(&line.filter, group, moment),
            self.reading.set_search(&line.search, group, moment),
        ];
        // Both were in force before, so they are right.
        debug_assert!(restored.iter().all(Result::is_ok));
        self.reading.scroll = line.scroll;
    }

    pub fn moment(&self, now: Millis) -> Moment {
        Moment { now, zone: self.settings.zone.ahead_of_utc(now) }
    }

    pub fn say_sought(&mut self, sought: Sought) {
        let words = match sought {
            Sought::Found | Sought::NotYet => return,
            Sought::Nowhere(Way::Older) => "found nothing older",
            Sought::Nowhere(Way::Newer) => "found nothing newer",
        };
        self.say(Clean::literal(words));
    }
}

fn words(error: &FilterError) -> Clean {
    Clean::new(&error.to_string())
}

/// The whole line for each thing that can stand at the cursor.
fn offers(text: &str, cursor: usize, group: &Group) -> Vec<Offer> {
    let Completions { from, to, candidates } = filter::complete(text, cursor, group);
    let (Some(before), Some(after)) = (text.get(..from), text.get(to..)) else { return Vec::new() };
    let offer = |candidate: String| {
        let line = format!("{before}{candidate}");
        Offer { cursor: line.chars().count(), line: format!("{line}{after}"), shown: Clean::new(&candidate) }
    };
    candidates.into_iter().map(offer).collect()
}
