//! Words for people: what a command says on standard output, what it says besides on standard error, and what it asks.

use std::io::{self, IsTerminal as _, Write as _};

use super::{Failure, Outcome};

/// Prints a line on standard output. It is no failure if nobody reads it.
pub fn say(line: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{line}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}

/// Prints a line on standard error, for what is no data.
pub fn remark(line: &str) {
    tracing::info!("{line}");
    // Who has closed standard error does not want to know.
    let _ = writeln!(io::stderr(), "d2mtop: {line}");
}

/// Whether there is a person to be asked.
#[must_use]
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on the terminal; everything but a yes is a no.
pub fn ask(question: &str) -> Result<bool, Failure> {
    let mut stderr = io::stderr();
    write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).map_err(Failure::Terminal)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Failure::Terminal)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Requires that a person agrees: by `--yes`, or when asked on the terminal.
pub fn require_agreement(yes: bool, question: &str) -> Result<(), Failure> {
    let refusal = |words: &str| Failure::Ended { outcome: Outcome::NotConfirmed, words: words.to_owned() };
    if yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(refusal("nothing done: there is no terminal to ask on; add --yes to do it without asking"));
    }
    if ask(question)? { Ok(()) } else { Err(refusal("nothing done")) }
}
