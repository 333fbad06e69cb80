//! The public interface of the library, listed, so that a change of it is seen.
//!
//! It is read off the sources, as tools that ask the compiler need one that is not released. What `tests/public-api.txt`
//! lacks is new; what is there and nowhere else is a break for whoever uses it, and needs a new version.

mod list;
mod sources;
mod words;

use std::fs;
use std::path::Path;

use sources::Crate;

const LISTED: &str = "tests/public-api.txt";
/// The rooms that are for users.
const ROOMS: [&str; 7] = ["text", "protocol", "rendezvous", "group", "session", "mediator", "net"];

#[test]
fn the_public_interface_is_as_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = list::public_items(&Crate::read(&root.join("src"), &ROOMS), &ROOMS);
    assert!(found.len() > 500, "the sources are read");
    let listed = fs::read_to_string(root.join(LISTED)).unwrap_or_default();
    let listed: Vec<&str> = listed.lines().collect();
    let new = found.iter().filter(|line| !listed.contains(&line.as_str())).map(|line| format!("+ {line}"));
    let gone = listed.iter().filter(|line| !found.iter().any(|found| found == *line)).map(|line| format!("- {line}"));
    let changes: Vec<String> = gone.chain(new).collect();
    if !changes.is_empty() {
        let new_list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("public-api.txt");
        fs::write(&new_list, found.join("\n") + "\n").unwrap();
        panic!(
            "the public interface is not as listed:\n{}\nif it should be so: cp {} {LISTED}",
            changes.join("\n"),
            new_list.display()
        );
    }
}

/// Each kind of item is listed as its users see it; else the test above would pass for the wrong reason.
#[test]
fn what_users_see_is_listed_and_nothing_else() {
    let sources = [
        (
            "a",
            "mod hidden; pub mod open; pub use hidden::{Shown, shown as renamed}; pub use crate::b::Other;
             #[doc(hidden)] pub mod secret { pub struct No; } #[cfg(test)] pub mod tests { pub struct No; }
             pub(crate) fn no() {} fn neither() {} pub const LENGTH: usize = 3;",
        ),
        (
            "a::hidden",
            "#[derive(Clone, Debug)] pub struct Shown<T> { pub field: Vec<T>, private: u8 } pub struct Unseen;
             impl<T> Shown<T> { pub const fn get(&self) -> Option<&'static T> { None } pub(super) fn no(&self) {} }
             impl Unseen { pub fn no() {} } pub fn shown(x: [u8; 3]) -> Result<(), u8> { Ok(()) }
             ids!(Shown, Unseen);",
        ),
        (
            "a::open",
            "use super::Shown; use crate::b; pub enum Choice { One, #[cfg(test)] No, Two(u8), Three { it: u8 } }
             impl From<Choice> for Shown<u8> { fn from(_: Choice) -> Self { todo!() } }
             impl b::Other { pub fn added(mut self) {} } pub struct Pair(pub u8, u8);
             pub trait Kind: Sized { const N: u8 = 1; fn kind(&self) -> u8 { 1 } }",
        ),
        ("b", "pub struct Other;"),
    ];
    let found = list::public_items(&Crate::parse(&sources), &["a"]);
    let expected = [
        "a::LENGTH: pub const LENGTH: usize",
        "a::Other: pub use crate::b::Other",
        "a::Shown: pub struct Shown<T>, and private fields",
        "a::Shown: #[derive(Clone, Debug)]",
        "a::Shown.field: Vec<T>",
        "a::Shown: ids!(Shown, Unseen)",
        "a::Shown::get: impl<T> Shown<T>: pub const fn get(&self) -> Option<&'static T>",
        "a::Shown: impl From<Choice> for Shown<u8>",
        "a::open: pub mod open",
        "a::open::Choice: pub enum Choice",
        "a::open::Choice::One",
        "a::open::Choice::Two(u8)",
        "a::open::Choice::Three { it: u8 }",
        "a::open::Kind: pub trait Kind: Sized",
        "a::open::Kind: const N: u8",
        "a::open::Kind: fn kind(&self) -> u8 (provided)",
        "a::open::Pair: pub struct Pair, and private fields",
        "a::open::Pair.0: u8",
        "a::renamed: pub fn shown(x: [u8; 3]) -> Result<(), u8>",
    ];
    for line in expected {
        assert!(found.iter().any(|found| found == line), "{line} is missing:\n{}", found.join("\n"));
    }
    let more: Vec<&String> = found.iter().filter(|found| !expected.contains(&found.as_str())).collect();
    assert!(more.is_empty(), "{more:?}");
}
