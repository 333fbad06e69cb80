//! A file with options by their names, as the arguments that say the same.

use std::ffi::OsString;

use toml_edit::{Document, Item, Value};

/// An option in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Counted from 1.
    pub line: usize,
    pub name: String,
    pub arguments: Vec<OsString>,
}

/// The place in the file that is wrong, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    pub line: usize,
    pub words: String,
}

/// The options that a file has; `is_flag` knows those that have no value.
///
/// # Errors
/// If it is no TOML, or an option has a value that none can have.
pub fn config_entries(text: &str, is_flag: impl Fn(&str) -> bool) -> Result<Vec<ConfigEntry>, ConfigFault> {
    let fault = |offset: usize, words: &str| ConfigFault {
        line: line_of(text, offset),
        words: words.trim().replace('\n', "; "),
    };
    let document =
        Document::parse(text).map_err(|error| fault(error.span().map_or(0, |span| span.start), error.message()))?;
    let mut entries = Vec::new();
    for (name, item) in document.as_table() {
        let key = document.as_table().key(name).and_then(toml_edit::Key::span);
        let start = key.or_else(|| item.span()).map_or(0, |span| span.start);
        let arguments = arguments(name, item, is_flag(name)).ok_or_else(|| {
            fault(start, &format!("{name} must be a text, a number, true or false, or a list of texts"))
        })?;
        entries.push(ConfigEntry { line: line_of(text, start), name: name.to_owned(), arguments });
    }
    Ok(entries)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or_default().matches('\n').count() + 1
}

fn arguments(name: &str, item: &Item, is_flag: bool) -> Option<Vec<OsString>> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(format!("--{name}={}", text.value()).into()),
        Value::Integer(number) => Some(format!("--{name}={}", number.value()).into()),
        _ => None,
    };
    match item.as_value()? {
        Value::Boolean(set) if is_flag => Some(set.value().then(|| format!("--{name}").into()).into_iter().collect()),
        Value::Array(values) => values.iter().map(one).collect(),
        _ if is_flag => None,
        value => Some(vec![one(value)?]),
    }
}
