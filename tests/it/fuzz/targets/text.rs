//! Text that people typed, or others sent.

use d2mtop::group::filter::{Filter, FilterContext, FilterMoment, complete, may_become_key};
use d2mtop::group::{FeedRow, Group};
use d2mtop::text::Clean;

pub fn clean(data: &[u8]) {
    let clean = Clean::from_bytes(data);
    let is_shown = |character: char| {
        !character.is_control()
            && !matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert!(clean.as_str().chars().all(is_shown), "{:?} moves what is beside it", clean.as_str());
    assert_eq!(Clean::new(clean.as_str()), clean, "what is clean stays as it is");
}

pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let group = Group::default();
    let cursor = data.first().map_or(0, |byte| usize::from(*byte));
    let _offered = complete(&text, cursor, &group);
    let _is_open = may_become_key(&text, cursor);
    let Ok(filter) = Filter::parse(&text) else { return };
    let shown = filter.to_string();
    let again = Filter::parse(&shown).unwrap_or_else(|error| panic!("{shown:?} is shown and not read: {error}"));
    assert_eq!(again.to_string(), shown, "it is shown in another way each time");
    let context = FilterContext::of(&group, FilterMoment::default());
    for message in super::network::messages() {
        let row = FeedRow::new(&message);
        assert_eq!(filter.matches(&row, &context), again.matches(&row, &context), "{text:?} and {shown:?} differ");
    }
}
