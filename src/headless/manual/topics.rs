//! The pages of the manual, compiled in.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use clap::ValueEnum as _;

use super::print;
use crate::cli::{ManualArgs, TopicArg};
use crate::os::terminal;
use crate::output::{Failure, Outcome, markdown};

/// Columns of a line where there is no terminal.
const WIDTH: usize = 80;
/// The most columns of a line; longer ones are hard to read.
const WIDEST: usize = 100;
/// Below it tables would have a letter a line.
const NARROWEST: usize = 30;

/// Prints a page, or the list of pages.
///
/// # Errors
/// If standard output fails.
pub fn manual(options: ManualArgs) -> Result<Outcome, Failure> {
    let Some(topic) = options.topic else { return print(list().as_bytes()) };
    print(markdown::render(page(topic), width(), is_styled()).as_bytes())
}

/// The Markdown of a page.
#[must_use]
pub const fn page(topic: TopicArg) -> &'static str {
    match topic {
        TopicArg::Profiles => include_str!("../../../docs/profiles.md"),
        TopicArg::Joining => include_str!("../../../docs/joining.md"),
        TopicArg::Feed => include_str!("../../../docs/feed.md"),
        TopicArg::Config => include_str!("../../../docs/config.md"),
        TopicArg::Watch => include_str!("../../../docs/watch.md"),
        TopicArg::Commands => include_str!("../../../docs/commands.md"),
        TopicArg::Monitoring => include_str!("../../../docs/monitoring.md"),
        TopicArg::Service => include_str!("../../../docs/service.md"),
        TopicArg::Journal => include_str!("../../../docs/journal.md"),
        TopicArg::Mediator => include_str!("../../../docs/mediator.md"),
        TopicArg::Proxy => include_str!("../../../docs/proxy.md"),
        TopicArg::Recording => include_str!("../../../docs/recording.md"),
        TopicArg::Connect => include_str!("../../../docs/connect.md"),
        TopicArg::Security => include_str!("../../../docs/security.md"),
        TopicArg::Architecture => include_str!("../../../docs/architecture.md"),
    }
}

fn list() -> String {
    let mut list = "d2mtop manual TOPIC prints a page:\n\n".to_owned();
    for topic in TopicArg::value_variants().iter().filter_map(TopicArg::to_possible_value) {
        let says = topic.get_help().map(ToString::to_string).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(list, "  {:13} {says}", topic.get_name());
    }
    list.push_str("\nPage by page: d2mtop manual TOPIC | less. Options of a command: d2mtop COMMAND --help\n");
    list
}

/// As wide as the terminal, as far as lines can be read.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let columns = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    columns.unwrap_or(WIDTH).clamp(NARROWEST, WIDEST)
}

/// Only a terminal that shows colours gets escape codes, and only if its user has nothing against it.
fn is_styled() -> bool {
    io::stdout().is_terminal() && terminal::colours().is_some()
}
