//! `config.toml`: how the dashboard looks and behaves, beside `profiles.toml`.

mod check;
mod file;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub use file::Config;
use file::OneOrMore;

use crate::os::private_files;
use crate::profile::config_directory;
use crate::text::Clean;
use crate::tui::input::keymap::{Key, Keymap, TABLE};
use crate::tui::preferences::Preferences;

const FILE: &str = "config.toml";

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Unreadable { path: PathBuf, cause: std::io::Error },
    /// Something in it is not as it has to be.
    #[error("{path}, line {line}: {what}")]
    NotUnderstood {
        path: PathBuf,
        /// Where, from 1 on.
        line: usize,
        what: Clean,
    },
}

/// The configuration of the user, checked.
#[derive(Debug, Default)]
pub struct UserConfig {
    /// As it was written, with defaults for what was not.
    pub config: Config,
    /// What follows from it for the dashboard.
    pub preferences: Preferences,
    /// The file, whether it is there or not; [`None`] without a home directory.
    pub path: Option<PathBuf>,
}

impl UserConfig {
    /// Reads it; the defaults if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn read() -> Result<Self, ConfigError> {
        match config_directory() {
            Some(directory) => Self::at(directory.join(FILE)),
            None => Ok(Self::default()),
        }
    }

    fn at(path: PathBuf) -> Result<Self, ConfigError> {
        let text = match private_files::read(&path) {
            Ok(text) => text.unwrap_or_default(),
            // Where there is no directory, there is no configuration.
            Err(cause) if cause.kind() == std::io::ErrorKind::NotADirectory => String::new(),
            Err(cause) => return Err(ConfigError::Unreadable { path, cause }),
        };
        let (config, preferences) = parse(&path, &text)?;
        Ok(Self { config, preferences, path: Some(path) })
    }

    /// What is in force, as a configuration of its own.
    #[must_use]
    pub fn show(&self) -> String {
        let of = self.path.as_ref().map_or_else(|| "no home directory".to_owned(), |path| path.display().to_string());
        let keys = TABLE.iter().filter(|entry| !entry.name.is_empty()).map(|entry| {
            let keys = self.preferences.keymap.all_keys_of(entry).iter().map(Key::to_string).collect();
            (entry.name.to_owned(), OneOrMore(keys))
        });
        let config = Config { keys: keys.collect(), ..self.config.clone() };
        let text = toml_edit::ser::to_string_pretty(&config).unwrap_or_default();
        format!("# {}\n{text}", Clean::new(&of))
    }
}

fn parse(path: &Path, text: &str) -> Result<(Config, Preferences), ConfigError> {
    let wrong = |offset: usize, what: &str| {
        let line = text.get(..offset).unwrap_or_default().matches('\n').count() + 1;
        let what = Clean::new(&what.trim().replace('\n', "; "));
        ConfigError::NotUnderstood { path: path.to_owned(), line, what }
    };
    let config: Config = toml_edit::de::from_str(text)
        .map_err(|error| wrong(error.span().map_or(0, |span| span.start), error.message()))?;
    let preferences = config.preferences().map_err(|(place, what)| wrong(offset_of(text, &place), &what))?;
    Ok((config, preferences))
}

/// Where the value of these keys, one inside the other, stands.
fn offset_of(text: &str, place: &[&str]) -> usize {
    let Ok(document) = toml_edit::Document::parse(text) else { return 0 };
    let mut item = document.as_item();
    let mut start = 0;
    for key in place {
        let Some(table) = item.as_table_like() else { break };
        let Some((name, inner)) = table.get_key_value(key) else { break };
        start = name.span().or_else(|| inner.span()).map_or(start, |span| span.start);
        item = inner;
    }
    start
}

/// A configuration to begin with: every setting with its default, as comments.
#[must_use]
pub fn config_sample() -> String {
    let mut sample = include_str!("sample.toml").to_owned();
    let keymap = Keymap::default();
    for entry in TABLE.iter().filter(|entry| !entry.name.is_empty()) {
        let keys: Vec<String> = keymap.all_keys_of(entry).iter().map(|key| format!("{:?}", key.to_string())).collect();
        let keys = if let [key] = keys.as_slice() { key.clone() } else { format!("[{}]", keys.join(", ")) };
        // Writing to a string cannot fail.
        let _ = writeln!(sample, "#{} = {keys} # {}", entry.name, entry.words);
    }
    sample
}

/// The JSON Schema of the configuration.
#[must_use]
pub fn config_schema() -> String {
    let mut schema = schemars::schema_for!(Config);
    let names: Vec<&str> = TABLE.iter().map(|entry| entry.name).filter(|name| !name.is_empty()).collect();
    schema.insert("title".to_owned(), "config.toml of d2mtop".into());
    if let Some(keys) = schema.pointer_mut("/properties/keys").and_then(|keys| keys.as_object_mut()) {
        keys.insert("propertyNames".to_owned(), serde_json::json!({ "enum": names }));
    }
    format!("{}\n", serde_json::to_string_pretty(&schema).unwrap_or_default())
}

#[cfg(test)]
mod tests;
