//! Comments of documentation say something that the name does not: else there is none.

use std::collections::BTreeSet;

/// What is shorter says nothing that a name could not; but an example, which begins with a backtick, may.
const SHORTEST: usize = 15;
/// Words that say nothing of their own.
const FILLERS: [&str; 17] = [
    "a", "an", "and", "for", "how", "in", "is", "it", "its", "many", "of", "that", "the", "this", "to", "what", "which",
];
/// What a sentence may ask with.
const QUESTIONS: [&str; 8] = ["how", "what", "when", "where", "which", "who", "whose", "why"];

/// The words of a sentence or a name, in small letters.
fn words(text: &str) -> BTreeSet<String> {
    let mut words = String::new();
    for letter in text.chars() {
        if !letter.is_alphanumeric() || letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase().filter(|letter| letter.is_alphanumeric()));
    }
    words.split_whitespace().map(str::to_owned).collect()
}

/// Lines of comments of documentation, one line long, that say too little of what stands below them.
fn empty_comments(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let comment = |at: usize| lines.get(at).and_then(|line| line.strip_prefix("///")).map(str::trim);
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(words_of_it) = comment(at) else { continue };
        if comment(at + 1).is_some() || at > 0 && comment(at - 1).is_some() {
            continue;
        }
        let said: BTreeSet<String> =
            words(words_of_it).into_iter().filter(|word| !FILLERS.contains(&word.as_str())).collect();
        let below = lines[at + 1..].iter().find(|line| !line.starts_with('#'));
        let repeats = below.is_some_and(|below| said.is_subset(&words(declared(below))));
        if repeats || words_of_it.chars().count() < SHORTEST && !words_of_it.starts_with('`') {
            found.push((at + 1, *line));
        }
    }
    found
}

/// Lines of documentation that end in a bare question word: what it asks for is left to the reader.
fn open_questions(text: &str) -> Vec<(usize, &str)> {
    let asks = |line: &str| {
        let Some(words) = line.strip_prefix("//").and_then(|line| line.strip_suffix('.')) else { return false };
        let mut words = words.rsplit(' ').map(|word| word.trim_matches([',', ';']));
        let (last, before) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        QUESTIONS.contains(&last) && ["and", "or"].contains(&before)
    };
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| asks(line));
    lines.map(|(at, line)| (at + 1, line)).collect()
}

/// What a line declares: all before its type, its value or its contents.
fn declared(line: &str) -> &str {
    line.split([':', '(', '{', '=', '<', ',']).find(|part| !part.trim().is_empty() && *part != "pub").unwrap_or(line)
}

#[test]
fn comments_say_what_names_do_not() {
    let mut found = Vec::new();
    // What stands in cli is shown to users as it is.
    for source in super::sources("src").iter().filter(|source| source.room() != "cli") {
        let text =
            std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&source.path)).unwrap();
        let lines = empty_comments(&text).into_iter().chain(open_questions(&text));
        found.extend(lines.map(|(line, comment)| format!("{}:{line}: {comment}", source.path)));
    }
    assert!(found.is_empty(), "these say too little; leave them out, or say why:\n{}", found.join("\n"));
}

/// And such comments are found; else the test above would pass for the wrong reason.
#[test]
fn a_comment_that_says_nothing_is_found() {
    for (text, is_empty) in [
        ("/// Why.\ncause: io::Error,", true),
        ("    /// Which lock.\n    #[must_use]\n    pub fn kind(&self) {}", true),
        ("/// What the outgoing bytes are.\noutgoing_bytes: usize,", false),
        ("/// The outgoing bytes, and how many.\nfn outgoing_bytes() -> usize {", true),
        ("/// How many bytes are outgoing.\noutgoing_bytes: usize,", false),
        ("/// Which of the LogLines.\nenum LogLines {", true),
        ("/// `14:02`\nfn minute() {", false),
        ("/// Bytes.\n///\n/// They wait.\nbytes: u8,", false),
        ("// Why.\nlet cause = 1;", false),
    ] {
        assert_eq!(!empty_comments(text).is_empty(), is_empty, "{text}");
    }
}

/// And questions without an answer are; else the test above would pass for the wrong reason.
#[test]
fn a_comment_that_ends_in_a_question_word_is_found() {
    for (text, is_open) in [
        ("/// Which events are printed, and how.", true),
        ("    //! The end of a connection: who ended it, and when.", true),
        ("/// Where it stands, or why.", true),
        ("/// Nobody knows why.", false),
        ("/// The end, and when it came.", false),
        ("let text = \"and how.\";", false),
    ] {
        assert_eq!(!open_questions(text).is_empty(), is_open, "{text}");
    }
}
