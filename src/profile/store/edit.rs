//! Edits `profiles.toml` in place: order, spaces and comments of everything else stay as they were written.

use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::profiles::Profiles;
use crate::profile::name::ProfileName;

/// The table of the profiles: `[profile.home]`.
const PROFILES: &str = "profile";
const DEFAULT: &str = "default";

/// The text with the difference between two states applied; [`None`] if it is written in a way that cannot be edited.
pub(super) fn edited(text: &str, before: &Profiles, after: &Profiles) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let (was, wanted) = (toml_edit::ser::to_document(before).ok()?, toml_edit::ser::to_document(after).ok()?);
    if before.default != after.default {
        set(document.as_table_mut(), DEFAULT, wanted.get(DEFAULT));
    }
    let profiles = document.entry(PROFILES).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let profiles = profiles.as_table_like_mut()?;
    let mut removed = take_out(profiles, before, after);
    for name in after.profiles.keys().filter(|name| before.profiles.get(*name) != after.profiles.get(*name)) {
        // One profile removed and one added is a rename: the comments around it stay with it.
        let renamed = if removed.len() == 1 { removed.pop() } else { None };
        let was = profile(&was, renamed.as_ref().map_or(name, |(old_name, _)| old_name));
        if let Some((_, item)) = renamed {
            profiles.insert(name.as_str(), item);
        }
        let item = profiles.entry(name.as_str()).or_insert_with(|| Item::Table(Table::new()));
        change(item.as_table_like_mut()?, &was, &profile(&wanted, name));
    }
    Some(document.to_string())
}

fn take_out<'a>(profiles: &mut dyn TableLike, before: &'a Profiles, after: &Profiles) -> Vec<(&'a ProfileName, Item)> {
    let gone = before.profiles.keys().filter(|name| !after.profiles.contains_key(*name));
    gone.filter_map(|name| Some((name, profiles.remove(name.as_str())?))).collect()
}

fn profile(document: &DocumentMut, name: &ProfileName) -> Item {
    document.get(PROFILES).and_then(|profiles| profiles.get(name.as_str())).cloned().unwrap_or_default()
}

/// Sets only the keys that changed: a default that was not written stays unwritten.
fn change(table: &mut dyn TableLike, was: &Item, wanted: &Item) {
    let gone = keys(was).into_iter().filter(|key| wanted.get(key).is_none());
    for key in gone.chain(keys(wanted)) {
        if text_of(was.get(&key)) != text_of(wanted.get(&key)) {
            set(table, &key, wanted.get(&key));
        }
    }
}

fn keys(item: &Item) -> Vec<String> {
    item.as_table_like().into_iter().flat_map(TableLike::iter).map(|(key, _)| key.to_owned()).collect()
}

fn text_of(item: Option<&Item>) -> Option<String> {
    item.map(|item| item.to_string().trim().to_owned())
}

/// Sets or removes a key. Comments above a key that exists stay.
fn set(table: &mut dyn TableLike, key: &str, value: Option<&Item>) {
    match (table.get_mut(key), value) {
        (Some(old), Some(value)) => *old = value.clone(),
        (None, Some(value)) => drop(table.insert(key, value.clone())),
        (_, None) => drop(table.remove(key)),
    }
}
