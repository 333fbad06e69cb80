//! The palette: everything that can be done or gone to, found by a few letters.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};

use crate::group::Group;
use crate::protocol::{DeviceId, DeviceInfo};
use crate::text::Clean;
use crate::tui::input::actions::{Action, PromptKind};
use crate::tui::input::keymap::TABLE;
use crate::tui::input::prompt::Prompt;
use crate::tui::settings::Settings;
use crate::tui::state::page::Page;
use crate::tui::theme::Palette;

/// The palette while it is open.
#[derive(Clone, Debug)]
pub struct Chooser {
    pub input: Prompt,
    entries: Vec<Choice>,
    /// Which entries fit what was typed, best first.
    shown: Vec<usize>,
    pub chosen: usize,
    /// The page that was open, and is again.
    pub under: Option<Page>,
}

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub name: Clean,
    pub words: Clean,
    pub key: String,
    pub target: ChoiceTarget,
}

/// A theme that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeChoice {
    Named(&'static Palette),
    /// Dark or light as the terminal's background.
    AsBackground,
}

/// What choosing does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChoiceTarget {
    Act(Action),
    Device(DeviceId),
    /// Shows what a saved filter shows.
    Filter(String),
    Theme(ThemeChoice),
    Profile(Clean),
}

impl Chooser {
    pub fn new(group: &Group, settings: &Settings, under: Option<Page>) -> Self {
        let entries = entries(group, settings);
        let shown = (0..entries.len()).collect();
        Self { input: Prompt::new(PromptKind::Choice, ""), entries, shown, chosen: 0, under }
    }

    /// What fits, best first.
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &Choice> {
        // Places come from the entries, which stay as they are.
        let fits: Vec<&Choice> = self.shown.iter().filter_map(|index| self.entries.get(*index)).collect();
        fits.into_iter()
    }

    pub fn chosen(&self) -> Option<&Choice> {
        self.shown.get(self.chosen).and_then(|index| self.entries.get(*index))
    }

    /// The next one, or the one before, around the end.
    pub fn step(&mut self, step: isize) {
        let count = isize::try_from(self.shown.len()).unwrap_or(isize::MAX).max(1);
        let chosen = isize::try_from(self.chosen).unwrap_or(0);
        self.chosen = usize::try_from((chosen + step).rem_euclid(count)).unwrap_or(0);
    }

    /// Finds anew after the words have changed; without words all are shown in their order.
    pub fn find(&mut self) {
        self.chosen = 0;
        let words = self.input.text().trim();
        if words.is_empty() {
            self.shown = (0..self.entries.len()).collect();
            return;
        }
        let pattern = Pattern::parse(words, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut score = |text: &str| pattern.score(nucleo_matcher::Utf32Str::new(text, &mut buffer), &mut matcher);
        let scored = self.entries.iter().enumerate().filter_map(|(index, entry)| {
            // What is called so comes before what only says so.
            let by_name = score(entry.name.as_str()).map(|score| score * 2);
            let by_words = score(&format!("{} {}", entry.name, entry.words));
            by_name.max(by_words).map(|score| (std::cmp::Reverse(score), index))
        });
        let mut scored: Vec<_> = scored.collect();
        scored.sort_unstable();
        self.shown = scored.into_iter().map(|(_, index)| index).collect();
    }
}

/// Actions first, as the help has them; then what can be gone to.
fn entries(group: &Group, settings: &Settings) -> Vec<Choice> {
    let preferences = &settings.preferences;
    let plain = |name: &str, words: &str, target: ChoiceTarget| Choice {
        name: Clean::new(name),
        words: Clean::new(words),
        key: String::new(),
        target,
    };
    // The palette itself is open already.
    let actions = TABLE.iter().filter(|entry| !entry.name.is_empty() && entry.action != Action::Palette);
    let actions = actions.map(|entry| Choice {
        key: preferences.keymap.all_keys_of(entry).first().map(ToString::to_string).unwrap_or_default(),
        ..plain(entry.name, entry.words, ChoiceTarget::Act(entry.action))
    });
    let devices = group.devices().iter().map(|(id, device)| {
        let app = device.info.as_ref().map(DeviceInfo::app).unwrap_or_default();
        let label = group.devices().label(id);
        plain(label.as_str(), &format!("device {app} {id}"), ChoiceTarget::Device(id))
    });
    let filters = preferences.filters.iter().map(|(name, words)| {
        plain(&format!("@{name}"), &format!("filter {words}"), ChoiceTarget::Filter(format!("@{name}")))
    });
    let profiles = settings.neighbours.profiles.iter().map(|name| {
        let is_open = settings.neighbours.tabs.contains(name);
        let words = if is_open { "profile, open in a tab" } else { "profile, opens in a tab" };
        plain(name.as_str(), words, ChoiceTarget::Profile(name.clone()))
    });
    let themes = Palette::all().map(|palette| {
        let words = match palette.published().count() {
            0 => "theme".to_owned(),
            shifted => format!("theme, {shifted} of its colours shifted to be read"),
        };
        plain(palette.name, &words, ChoiceTarget::Theme(ThemeChoice::Named(palette)))
    });
    let auto = plain("auto", "theme as the terminal's background", ChoiceTarget::Theme(ThemeChoice::AsBackground));
    actions.chain(devices).chain(filters).chain(profiles).chain(std::iter::once(auto)).chain(themes).collect()
}
