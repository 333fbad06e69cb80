//! What a [filter](crate::group::filter) can say, in words: the manual's table and the help page are made of it.

/// One line about the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterHelp {
    /// How it is written.
    pub syntax: &'static str,
    /// What the term matches, in words.
    pub meaning: &'static str,
}

const fn help(syntax: &'static str, meaning: &'static str) -> FilterHelp {
    FilterHelp { syntax, meaning }
}

/// All that a filter can say. Each syntax is itself a filter.
pub const FILTER_HELP: [FilterHelp; 17] = [
    help("kind:text,file", "of one of these kinds: message types, contents (contact-sync), or parts of their names"),
    help("from:desktop", "reflected by a device of this label, platform or id; me is this device, unsaid is none"),
    help("in", "from contacts; out is to them, sync is between own devices"),
    help(
        "conversation:ECHOECHO",
        "with this contact, group or list, by identity, name or the beginning of an id; with:ECHOECHO is the same",
    ),
    help("id:101", "of this id; also id>100"),
    help("size>1k", "larger than this many bytes, sealed; also < >= <="),
    help("waited>2s", "that waited longer for us at the mediator"),
    help("ack", "whose acknowledgement has left; !ack is without one"),
    help("ack>10ms", "whose acknowledgement took longer"),
    help("since:14:05", "received since then: a time of day, 10m (ago), 2026-01-31 or 2026-01-31T14:05"),
    help("until:10m", "received before then"),
    help("is:replay", "that use the nonce of another message"),
    help("is:again,gap", "that came again after a reconnect (again), or that ids are missing before (gap)"),
    help("is:ephemeral,unreadable", "that nobody acknowledges, or that cannot be read"),
    help("word", "with this word in the sentence, the device or the conversation"),
    help("\"two words\"", "with these words, as they stand"),
    help("!kind:typing", "not so; - does the same. All that is written must hold"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Filter;

    #[test]
    fn all_that_the_help_says_can_be_said() {
        for FilterHelp { syntax, .. } in FILTER_HELP {
            let filter = Filter::parse(syntax).unwrap_or_else(|error| panic!("{syntax}: {error}"));
            assert!(!filter.is_empty(), "{syntax}");
        }
    }
}
