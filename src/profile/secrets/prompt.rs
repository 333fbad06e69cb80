//! Passphrases: typed without echo, or read from a file descriptor; never from arguments or the environment, which others
//! can read.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::os::signals::{EndingWatch, Readiness};

/// The most bytes of a passphrase.
const MOST_BYTES: usize = 1_024;

/// A passphrase. It is wiped when it is dropped, and never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Has room for the longest one: growing would leave copies in memory.
    fn empty() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(MOST_BYTES)))
    }

    /// The bytes as typed: nothing is normalised.
    pub(in crate::profile) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn push(&mut self, byte: u8) -> Result<(), PromptError> {
        if self.0.len() == MOST_BYTES {
            return Err(PromptError::TooLong);
        }
        self.0.push(byte);
        Ok(())
    }

    /// Removes the last character, all of its bytes.
    fn pop(&mut self) {
        while self.0.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase([REDACTED])")
    }
}

impl From<&str> for Passphrase {
    fn from(text: &str) -> Self {
        let mut passphrase = Self::empty();
        passphrase.0.extend_from_slice(text.as_bytes());
        passphrase
    }
}

/// There is no passphrase. Its message never contains what was typed.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// There is no terminal to ask on.
    #[error(
        "no terminal to ask for the passphrase on; hand it in by a file descriptor: --passphrase-fd N (--password-fd N for an import)"
    )]
    NoTerminal,
    /// The program runs already, and asks nobody.
    #[error("a passphrase is not asked for while d2mtop runs; end it and start it again")]
    NotNow,
    /// Ctrl-C, the end of input, or a signal that ends the program.
    #[error("no passphrase was given")]
    Cancelled,
    #[error("the new passphrase is empty; a key file keeps a key without one")]
    Empty,
    #[error("the passphrase is longer than {MOST_BYTES} bytes")]
    TooLong,
    /// The second input differs from the first.
    #[error("the two passphrases differ; nothing was stored")]
    Differ,
    /// The descriptor cannot be read.
    #[error("cannot read the passphrase from file descriptor {number}: {cause}")]
    Descriptor {
        /// The number that was found.
        number: u32,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// The terminal failed.
    #[error("cannot ask for the passphrase: {0}")]
    Terminal(io::Error),
}

/// A source of passphrases.
pub trait AskPassphrase {
    /// The passphrase of a file that exists.
    ///
    /// # Errors
    /// If there is none to be had.
    fn existing(&mut self, question: &str) -> Result<Passphrase, PromptError>;

    /// A passphrase for a new file.
    ///
    /// # Errors
    /// If there is none to be had, it is empty, or was not typed the same way twice.
    fn fresh(&mut self, question: &str) -> Result<Passphrase, PromptError>;

    /// Whether a person may be asked, and answers in a window or on the terminal.
    fn may_ask(&self) -> bool;
}

/// The sources of passphrases that the command line knows.
#[derive(Debug)]
pub enum PassphraseSource {
    /// Typed on the terminal, without echo.
    Terminal,
    /// The first line of a file descriptor.
    Descriptor {
        /// The number that was found.
        number: u32,
        /// What was read, because a pipe can be read only once.
        read: Option<Passphrase>,
    },
    /// One that was asked for before.
    Known(Passphrase),
    /// Nobody is asked.
    Nobody,
}

impl PassphraseSource {
    /// The descriptor if one is named, else the terminal.
    #[must_use]
    pub fn new(descriptor: Option<u32>) -> Self {
        descriptor.map_or(Self::Terminal, |number| Self::Descriptor { number, read: None })
    }

    fn ask(&mut self, question: &str) -> Result<Passphrase, PromptError> {
        match self {
            Self::Terminal => typed(question),
            Self::Nobody => Err(PromptError::NotNow),
            Self::Known(passphrase) | Self::Descriptor { read: Some(passphrase), .. } => Ok(passphrase.clone()),
            Self::Descriptor { number, read } => {
                let failed = |cause| PromptError::Descriptor { number: *number, cause };
                let passphrase = match number {
                    0 => first_line(io::stdin().lock()),
                    _ => first_line(File::open(format!("/dev/fd/{number}")).map_err(failed)?),
                };
                let passphrase = passphrase.map_err(failed)?.ok_or(PromptError::TooLong)?;
                Ok(read.insert(passphrase).clone())
            }
        }
    }
}

impl AskPassphrase for PassphraseSource {
    fn existing(&mut self, question: &str) -> Result<Passphrase, PromptError> {
        self.ask(question)
    }

    fn fresh(&mut self, question: &str) -> Result<Passphrase, PromptError> {
        let passphrase = self.ask(question)?;
        if passphrase.0.is_empty() {
            return Err(PromptError::Empty);
        }
        if self.ask("The same again")?.bytes() == passphrase.bytes() {
            Ok(passphrase)
        } else {
            Err(PromptError::Differ)
        }
    }

    fn may_ask(&self) -> bool {
        matches!(self, Self::Terminal)
    }
}

/// Closes a descriptor in every program that is started from now on, unless it is standard input, output or error.
pub fn keep_from_children(number: u32) {
    if let Some(number) = i32::try_from(number).ok().filter(|number| *number > 2) {
        // If it is not open, reading it will say so.
        let _ = fcntl(number, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}

/// The first line without its end; [`None`] if it is too long. It is read byte by byte: what follows belongs to somebody
/// else, and no buffer keeps a copy.
fn first_line(mut input: impl Read) -> io::Result<Option<Passphrase>> {
    let mut passphrase = Passphrase::empty();
    while let Some(byte) = next_byte(&mut input)? {
        if byte == b'\n' {
            break;
        }
        if passphrase.push(byte).is_err() {
            return Ok(None);
        }
    }
    Ok(Some(passphrase))
}

fn next_byte(input: &mut impl Read) -> io::Result<Option<u8>> {
    let mut byte = Zeroizing::new([0_u8; 1]);
    loop {
        match input.read(byte.as_mut_slice()) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(byte.first().copied()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Asks on the controlling terminal, wherever standard input and output go.
fn typed(question: &str) -> Result<Passphrase, PromptError> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| PromptError::NoTerminal)?;
    // Before anybody can see that it is asked.
    let endings = EndingWatch::start().map_err(PromptError::Terminal)?;
    let _silent = Silence::start(&terminal).map_err(PromptError::Terminal)?;
    (&terminal).write_all(format!("{question}: ").as_bytes()).map_err(PromptError::Terminal)?;
    let passphrase = edited_line(UntilSignal { terminal: &terminal, endings });
    (&terminal).write_all(b"\r\n").map_err(PromptError::Terminal)?;
    passphrase
}

/// Something that is as secret as a passphrase, typed or pasted on the terminal, without echo.
///
/// # Errors
/// If there is no terminal, or nothing is given.
pub fn type_secret(question: &str) -> Result<Zeroizing<String>, PromptError> {
    let typed = typed(question)?;
    // What is no text is not what was asked for.
    Ok(Zeroizing::new(std::str::from_utf8(typed.bytes()).unwrap_or_default().to_owned()))
}

/// What is typed; a signal that ends the program ends it, too.
struct UntilSignal<'a> {
    terminal: &'a File,
    endings: EndingWatch,
}

impl Read for UntilSignal<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.endings.wait_for(self.terminal, None)? {
            Readiness::Input => self.terminal.read(buffer),
            Readiness::Signal | Readiness::Nothing => Ok(0),
        }
    }
}

/// Reads one line, with the usual editing keys.
fn edited_line(mut input: impl Read) -> Result<Passphrase, PromptError> {
    let mut passphrase = Passphrase::empty();
    loop {
        match next_byte(&mut input).map_err(PromptError::Terminal)? {
            Some(b'\r' | b'\n') => return Ok(passphrase),
            // End of input, Ctrl-C, Ctrl-D.
            None | Some(0x03 | 0x04) => return Err(PromptError::Cancelled),
            // Backspace.
            Some(0x08 | 0x7F) => passphrase.pop(),
            // Ctrl-U.
            Some(0x15) => passphrase = Passphrase::empty(),
            Some(byte) => passphrase.push(byte)?,
        }
    }
}

/// A terminal without echo and signals, until this is dropped.
pub(super) struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    pub(super) fn start(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        // Without ISIG Ctrl-C is a key: a signal would end the process and leave the terminal without echo.
        silent.local_modes &= !(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        // Drops what was typed before the question.
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(keys: &str) -> Result<String, PromptError> {
        edited_line(keys.as_bytes()).map(|passphrase| String::from_utf8(passphrase.bytes().to_vec()).unwrap())
    }

    #[test]
    fn a_line_is_edited_with_the_usual_keys() {
        assert_eq!(line("correct horse\r").unwrap(), "correct horse");
        assert_eq!(line("aé\u{7f}\u{7f}\u{7f}b ü\u{8}c\n").unwrap(), "b c");
        assert_eq!(line("wrong\u{15}right\r").unwrap(), "right");
        for cancelled in ["abc", "abc\u{3}", "\u{4}"] {
            assert!(matches!(line(cancelled), Err(PromptError::Cancelled)));
        }
        assert!(matches!(line(&"x".repeat(MOST_BYTES + 1)), Err(PromptError::TooLong)));
    }

    #[test]
    fn a_descriptor_gives_its_first_line_as_often_as_it_is_asked() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all("pass wörd\nnot this".as_bytes()).unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&reader).unsigned_abs();
        let mut source = PassphraseSource::new(Some(number));
        assert_eq!(source.existing("?").unwrap().bytes(), "pass wörd".as_bytes());
        assert_eq!(source.fresh("?").unwrap().bytes(), "pass wörd".as_bytes());
        assert!(!format!("{source:?}").contains("pass"), "{source:?}");
    }

    #[test]
    fn a_descriptor_that_is_none_is_named() {
        let error = PassphraseSource::new(Some(987)).existing("?").unwrap_err().to_string();
        assert!(error.contains("987"), "{error}");
    }
}
