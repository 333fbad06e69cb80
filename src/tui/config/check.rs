//! What the values mean, checked one by one.

use std::collections::BTreeMap;

use chrono::format::{Item, StrftimeItems};

use super::file::{Config, OneOrMore, ThresholdsConfig};
use crate::group::filter::Filter;
use crate::output::device_order::DeviceOrder;
use crate::tui::input::keymap::Keymap;
use crate::tui::input::pane::Pane;
use crate::tui::preferences::{Columns, FeedColumn, Preferences, SavedFilters, Threshold, Thresholds};
use crate::tui::theme::Palette;

/// The keys that lead to a setting that cannot be used, and the words that tell the user.
type Wrong<'a> = (Vec<&'a str>, String);

/// Keys as the keymap takes them.
fn written(keys: &BTreeMap<String, OneOrMore>) -> BTreeMap<String, Vec<String>> {
    keys.iter().map(|(name, keys)| (name.clone(), keys.0.clone())).collect()
}

impl Config {
    /// What follows for the dashboard.
    pub fn preferences(&self) -> Result<Preferences, Wrong<'_>> {
        self.check_theme()?;
        self.check_rows()?;
        self.is_utc()?;
        let columns = self.columns.iter().map(|name| column(name)).collect::<Result<_, _>>();
        let keymap = Keymap::with(&written(&self.keys)).map_err(|error| {
            let name = self.keys.keys().map(String::as_str).find(|name| *name == error.action());
            (std::iter::once("keys").chain(name).collect(), error.to_string())
        });
        Ok(Preferences {
            keymap: keymap?,
            filters: self.saved_filters()?,
            columns: Columns::of(columns.map_err(|what| (vec!["columns"], what))?),
            thresholds: self.read_thresholds()?,
            time_format: self.time_format()?,
            order: DeviceOrder::named(&self.sort).ok_or_else(|| {
                let what = format!("{} is no order; there is name, seen, platform and id, with - reversed", self.sort);
                (vec!["sort"], what)
            })?,
            start_pane: self.pane()?,
        })
    }

    fn check_theme(&self) -> Result<(), Wrong<'_>> {
        if self.theme == "auto" || Palette::named(&self.theme).is_some() {
            return Ok(());
        }
        let names: Vec<&str> = std::iter::once("auto").chain(Palette::all().map(|palette| palette.name)).collect();
        Err((vec!["theme"], format!("{} is no theme; there is {}", self.theme, names.join(", "))))
    }

    fn check_rows(&self) -> Result<(), Wrong<'_>> {
        if (1..=10_000_000).contains(&self.feed_rows) {
            return Ok(());
        }
        Err((vec!["feed-rows"], format!("{} is not from 1 to 10000000", self.feed_rows)))
    }

    /// Whether times are shown in UTC.
    pub fn is_utc(&self) -> Result<bool, Wrong<'_>> {
        match self.time.zone.as_str() {
            "utc" => Ok(true),
            "local" => Ok(false),
            other => Err((vec!["time", "zone"], format!("{other} is neither local nor utc"))),
        }
    }

    fn time_format(&self) -> Result<Option<String>, Wrong<'_>> {
        /// What a row has room for.
        const LONGEST: usize = 40;
        let format = self.time.format.as_str();
        if format.is_empty() {
            return Ok(None);
        }
        let is_wrong = format.len() > LONGEST
            || format.chars().any(char::is_control)
            || StrftimeItems::new(format).any(|item| matches!(item, Item::Error));
        if is_wrong {
            let what = format!("{format} is no time format, such as %H:%M:%S or %d %b %H:%M");
            return Err((vec!["time", "format"], what));
        }
        Ok(Some(format.to_owned()))
    }

    fn pane(&self) -> Result<Option<Pane>, Wrong<'_>> {
        let named = Pane::ALL.into_iter().find(|pane| pane.name().eq_ignore_ascii_case(&self.start_pane));
        if named.is_none() && self.start_pane != "best" {
            let what = format!("{} is no pane; there is best, devices, lock, role, feed and latency", self.start_pane);
            return Err((vec!["start-pane"], what));
        }
        Ok(named)
    }

    fn saved_filters(&self) -> Result<SavedFilters, Wrong<'_>> {
        for (name, words) in &self.filters {
            let wrong = |what: String| (vec!["filters", name.as_str()], what);
            let is_name =
                !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter));
            if !is_name {
                return Err(wrong(format!("{name} is no name for a filter: letters, digits, - and _ make one")));
            }
            if words.split_whitespace().any(|word| word.starts_with('@')) {
                return Err(wrong(format!("{name} names another saved filter; write its words instead")));
            }
            let checked = Filter::parse(words).and_then(|_| Filter::finished(words));
            checked.map_err(|error| wrong(format!("{name}: {error}")))?;
        }
        Ok(SavedFilters::of(self.filters.clone()))
    }

    fn read_thresholds(&self) -> Result<Thresholds, Wrong<'_>> {
        let of = |name: &'static str, slow: &str, late: &str| {
            let time = |key: &'static str, text: &str| {
                humantime::parse_duration(text).map_err(|_| {
                    (vec!["thresholds", name, key], format!("{text} is no span of time, such as 100ms, 2s or 1m"))
                })
            };
            let threshold = Threshold { slow: time("slow", slow)?, late: time("late", late)? };
            if threshold.slow > threshold.late {
                return Err((vec!["thresholds", name], "slow has to come before late".to_owned()));
            }
            Ok(threshold)
        };
        let ThresholdsConfig { waited, ack } = &self.thresholds;
        Ok(Thresholds { waited: of("waited", &waited.slow, &waited.late)?, ack: of("ack", &ack.slow, &ack.late)? })
    }
}

fn column(name: &str) -> Result<FeedColumn, String> {
    let found = FeedColumn::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, column)| column);
    found.ok_or_else(|| format!("{name} is no column; there is {}", FeedColumn::names().join(", ")))
}
