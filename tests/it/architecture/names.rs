//! Names of types: one name means one thing in the whole house, so that it can be understood where its module is not seen.

use std::collections::BTreeMap;

use super::source::Source;

/// The type that a line of code declares at the top of a file.
fn declared(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().peekable();
    // What is within something else is indented.
    let indented = line.starts_with(char::is_whitespace);
    // In `pub(in a::b)`, the path is a word of its own.
    while words.next_if(|word| word.starts_with("pub") || word.ends_with(')') || *word == "unsafe").is_some() {}
    let declares = words.next().is_some_and(|word| ["struct", "enum", "trait", "type", "union"].contains(&word));
    let name = words.next().filter(|_| declares && !indented)?;
    name.split(|letter: char| !letter.is_alphanumeric()).next()
}

/// Names that several files give to types of their own, with these files.
fn twins(sources: &[Source]) -> Vec<(&str, Vec<&str>)> {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in sources {
        for name in source.shipped_lines().filter_map(declared) {
            files.entry(name).or_default().push(&source.path);
        }
    }
    files.into_iter().filter(|(_, files)| files.len() > 1).collect()
}

#[test]
fn no_two_types_share_a_name() {
    let sources = super::sources("src");
    let count = sources.iter().flat_map(Source::shipped_lines).filter_map(declared).count();
    assert!(count > 500, "the sources are read: {count} types");
    let found = twins(&sources);
    assert!(found.is_empty(), "a type's name says what it is where its module is not seen:\n{found:#?}");
}

/// And twins are found; else the test above would pass for the wrong reason.
#[test]
fn twins_are_found_and_tests_and_what_is_within_have_names_of_their_own() {
    let source = |path: &str, text: &str| Source::new(path.to_owned(), text);
    let sources = [
        source(
            "src/a.rs",
            "pub struct Line<'a>(&'a str);\nstruct Step;\n// struct Word;\ntrait Sum {\n    type Word;\n}",
        ),
        source(
            "src/b.rs",
            "pub(super) enum Line {\n    Step,\n}\nimpl Sum for Line {\n    type Word = u8;\n}\nuse Step;",
        ),
        source("src/c.rs", "type Word = u8;\n#[cfg(test)]\nmod tests {\n}\n#[cfg(test)]\nstruct Step;"),
        source("src/d.rs", "pub(in crate::a) unsafe trait Sum: Copy {}"),
    ];
    assert_eq!(twins(&sources), [("Line", vec!["src/a.rs", "src/b.rs"]), ("Sum", vec!["src/a.rs", "src/d.rs"])]);
}
