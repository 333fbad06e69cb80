//! The line that is typed into: what follows from it while it is typed, kept or given up.

use crossterm::event::KeyEvent;

use crate::group::Group;
use crate::group::filter::{self, Filter, FilterCompletions, FilterMoment};
use crate::protocol::Millis;
use crate::runtime::Reaction;
use crate::text::Clean;
use crate::tui::input::actions::{PromptKind, SearchDirection};
use crate::tui::input::pane::Pane;
use crate::tui::input::prompt::{Completion, Prompt};
use crate::tui::input::time_input;
use crate::tui::preferences::SavedFilters;
use crate::tui::state::feed::error_words;
use crate::tui::state::feed::search::SeekOutcome;
use crate::tui::state::open_prompt::OpenPrompt;
use crate::tui::state::{Overlay, Ui};

impl Ui {
    /// Opens a line; what is typed into it shows in the feed.
    pub fn open_line(&mut self, question: PromptKind, group: &Group, now: Millis) -> Reaction {
        if let Overlay::Page(page) = &mut self.overlay {
            page.search();
            return Reaction::Redraw;
        }
        self.look_at(Pane::Feed);
        let (filter, search) = (self.feed_state.filter_words().to_owned(), self.feed_state.search_words().to_owned());
        let text = match question {
            PromptKind::Filter => filter.as_str(),
            PromptKind::Search => search.as_str(),
            PromptKind::File => "d2mtop-feed.ndjson",
            PromptKind::Time | PromptKind::Lines | PromptKind::Choice => "",
        };
        let prompt = Prompt::new(question, text);
        self.overlay = Overlay::Prompt(Box::new(OpenPrompt { prompt, filter, search, scroll: self.feed_state.scroll }));
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
            Overlay::Prompt(line) => edit(&mut line.prompt),
            Overlay::Chooser(chooser) => {
                let changed = edit(&mut chooser.input);
                if changed {
                    chooser.find();
                }
                changed
            }
            Overlay::Page(page) => match &mut page.search {
                Some((prompt, true)) => {
                    page.top = 0;
                    edit(prompt)
                }
                _ => false,
            },
            Overlay::None | Overlay::Dialog(_) => false,
        }
    }

    /// Shows what follows from the line so far. While it is wrong or half a key, the feed stays as it was.
    pub fn line_changed(&mut self, edited: bool, group: &Group, now: Millis) -> Reaction {
        let moment = self.moment(now);
        let Overlay::Prompt(line) = &mut self.overlay else { return Reaction::Redraw };
        let text = line.prompt.text().to_owned();
        let (question, cursor) = (line.prompt.question, line.prompt.cursor());
        let understood = match question {
            // Whoever writes `kind:` does not look for `ki` on the way there.
            PromptKind::Filter | PromptKind::Search if edited && filter::may_become_key(&text, cursor) => {
                Filter::parse(&text).map(drop).map_err(|error| error_words(&error))
            }
            PromptKind::Filter if edited => self.feed_state.set_filter(&text, group, moment),
            PromptKind::Search if edited => self.feed_state.set_search(&text, group, moment).map(|()| {
                self.feed_state.scroll = line.scroll;
                self.feed_state.seek(SearchDirection::Older, true, group);
            }),
            // Half a time is no error yet.
            PromptKind::Filter
            | PromptKind::Search
            | PromptKind::Time
            | PromptKind::File
            | PromptKind::Lines
            | PromptKind::Choice => Ok(()),
        };
        line.prompt.tell(understood.err(), || match question {
            PromptKind::Filter | PromptKind::Search => offers(&text, cursor, group, &self.feed_state.saved),
            PromptKind::File => endings(&text),
            PromptKind::Time | PromptKind::Lines | PromptKind::Choice => Vec::new(),
        });
        Reaction::Redraw
    }

    /// Keeps what was typed; a line that is wrong stays open.
    pub fn keep_line(&mut self, mut line: Box<OpenPrompt>, group: &Group, now: Millis) -> Reaction {
        let text = line.prompt.text().to_owned();
        let (question, moment) = (line.prompt.question, self.moment(now));
        let finished = || Filter::finished(&text).map_err(|error| error_words(&error));
        let done = match question {
            PromptKind::Filter => finished().and_then(|()| self.feed_state.set_filter(&text, group, moment)),
            PromptKind::Search => finished().and_then(|()| self.feed_state.set_search(&text, group, moment)),
            PromptKind::File => match self.plan_export(&text, group) {
                Ok(reaction) => return reaction,
                Err(wrong) => Err(wrong),
            },
            PromptKind::Lines | PromptKind::Choice => Ok(()),
            PromptKind::Time if text.trim().is_empty() => Ok(()),
            PromptKind::Time => match time_input::parse(&text, now, self.settings.zone) {
                Ok(at) => return self.go_to_time(at, group),
                Err(wrong) => Err(wrong),
            },
        };
        if let Err(wrong) = done {
            line.prompt.tell(Some(wrong), Vec::new);
            self.overlay = Overlay::Prompt(line);
            return Reaction::Redraw;
        }
        if question == PromptKind::Search && self.feed_state.is_searching() {
            self.feed_state.scroll = line.scroll;
            let sought = self.feed_state.seek(SearchDirection::Older, true, group);
            self.say_sought(sought);
        }
        Reaction::Redraw
    }

    /// Everything is as before the line was opened.
    pub fn give_line_up(&mut self, line: &OpenPrompt, group: &Group, now: Millis) {
        let moment = self.moment(now);
        let restored = [
            self.feed_state.set_filter(&line.filter, group, moment),
            self.feed_state.set_search(&line.search, group, moment),
        ];
        // Both were in force before, so they are right.
        debug_assert!(restored.iter().all(Result::is_ok));
        self.feed_state.scroll = line.scroll;
    }

    pub fn moment(&self, now: Millis) -> FilterMoment {
        FilterMoment { now, zone: self.settings.zone.ahead_of_utc(now) }
    }

    pub fn say_sought(&mut self, sought: SeekOutcome) {
        let words = match sought {
            SeekOutcome::Found | SeekOutcome::NotYet => return,
            SeekOutcome::Nowhere(SearchDirection::Older) => "found nothing older",
            SeekOutcome::Nowhere(SearchDirection::Newer) => "found nothing newer",
        };
        self.explain(words);
    }
}

/// The name with each ending that tells a format.
fn endings(name: &str) -> Vec<Completion> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let offer = |ending: &str| {
        let line = format!("{stem}.{ending}");
        Completion { cursor: line.chars().count(), shown: Clean::new(&format!(".{ending}")), line }
    };
    ["ndjson", "csv", "md"].into_iter().map(offer).collect()
}

/// The whole line for each thing that can stand at the cursor.
fn offers(text: &str, cursor: usize, group: &Group, saved: &SavedFilters) -> Vec<Completion> {
    let word = text.get(..cursor).unwrap_or(text);
    let from = word.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
    let begun = word.get(from..).filter(|begun| begun.starts_with('@'));
    let FilterCompletions { from, to, candidates } = match begun {
        Some(begun) => {
            let names = saved.iter().map(|(name, _)| format!("@{name}"));
            let candidates = names.filter(|name| name.starts_with(begun)).collect();
            FilterCompletions { from, to: cursor, candidates }
        }
        None => filter::complete(text, cursor, group),
    };
    let (Some(before), Some(after)) = (text.get(..from), text.get(to..)) else { return Vec::new() };
    let offer = |candidate: String| {
        let line = format!("{before}{candidate}");
        Completion { cursor: line.chars().count(), line: format!("{line}{after}"), shown: Clean::new(&candidate) }
    };
    candidates.into_iter().map(offer).collect()
}
