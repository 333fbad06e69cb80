//! The terminal: taken in raw mode on the alternate screen, and always given back, whether the program ends well, with an
//! error, or in a panic of any thread.

use std::cell::RefCell;
use std::io::{self, IsTerminal as _, Write};
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::text::Clean;

/// The exit code after a panic, as Rust's own.
const PANICKED: i32 = 101;

/// Whether the terminal is ours now. One process has one terminal, and a panic in any thread must be able to ask.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Clicks, drags and the wheel, in a form without limits; not every movement, as the terminal library's own switch asks
/// for.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1002l\x1b[?1000l";
static HOOK: Once = Once::new();

/// The terminal while it is ours.
#[derive(Debug)]
pub struct TerminalGuard {
    terminal: Terminal<CrosstermBackend<FrameBytes>>,
    /// What was drawn and not yet written.
    drawn: FrameBytes,
    /// Whether what is on the screen cannot be relied on.
    forgotten: bool,
    /// Whether the terminal tells when it gets the focus.
    watches_focus: bool,
    /// Whether the terminal tells what the mouse does.
    watches_mouse: bool,
}

impl TerminalGuard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If there is none, or it cannot be set up.
    pub fn take() -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("standard output is not a terminal"));
        }
        HOOK.call_once(restore_on_panic);
        // Where NO_COLOR is set, it would write a reset for every colour, which takes bold and reverse with it. The theme
        // has no colours then.
        crossterm::style::force_color_output(true);
        let drawn = FrameBytes::default();
        let terminal = Terminal::new(CrosstermBackend::new(drawn.clone()))?;
        let mut guard = Self { terminal, drawn, forgotten: true, watches_focus: false, watches_mouse: false };
        guard.take_again()?;
        Ok(guard)
    }

    /// Takes the terminal again after [`Self::give_back`]; the next frame is drawn whole.
    ///
    /// # Errors
    /// If it cannot be set up.
    pub fn take_again(&mut self) -> io::Result<()> {
        // Set first: an error half way is undone, too.
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if self.watches_focus {
            execute!(io::stdout(), EnableFocusChange)?;
        }
        if self.watches_mouse {
            io::stdout().write_all(MOUSE_ON)?;
            io::stdout().flush()?;
        }
        self.forgotten = true;
        Ok(())
    }

    /// Gives the terminal back as it was.
    ///
    /// # Errors
    /// If it cannot be written to.
    #[expect(clippy::unused_self, reason = "only who holds the terminal gives it back")]
    pub fn give_back(&mut self) -> io::Result<()> {
        if TAKEN.swap(false, Ordering::SeqCst) { restore(&mut io::stdout()) } else { Ok(()) }
    }

    /// The next frame is drawn whole, whatever is on the screen.
    pub const fn forget_what_is_shown(&mut self) {
        self.forgotten = true;
    }

    /// Where frames are drawn.
    ///
    /// # Errors
    /// If the size of the terminal cannot be told.
    pub fn area(&self) -> io::Result<Rect> {
        let size = self.terminal.backend().size()?;
        Ok(Rect::from((ratatui::layout::Position::ORIGIN, size)))
    }

    /// Draws one frame into memory: only what changed, so that the terminal shows it in one piece.
    ///
    /// # Errors
    /// If the size of the terminal cannot be told.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        queue!(self.drawn, BeginSynchronizedUpdate)?;
        let drawn = self.draw_changes(draw);
        // Also after an error, or the terminal would stand still.
        drawn.and(queue!(self.drawn, EndSynchronizedUpdate))
    }

    /// Asks with the next frame for the colour of the background (OSC 11); terminals that do not know it ignore it.
    pub fn ask_for_background(&mut self) {
        self.drawn.0.borrow_mut().extend_from_slice(b"\x1b]11;?\x1b\\");
    }

    /// Has the terminal tell from the next frame on when it gets the focus (mode 1004).
    pub fn watch_focus(&mut self) {
        self.watches_focus = true;
        // Writing into memory cannot fail.
        let _ = queue!(self.drawn, EnableFocusChange);
    }

    /// Has the terminal tell from the next frame on what the mouse does.
    pub fn watch_mouse(&mut self) {
        self.watches_mouse = true;
        self.drawn.0.borrow_mut().extend_from_slice(MOUSE_ON);
    }

    /// Rings the bell with the next frame.
    pub fn ring(&mut self) {
        self.drawn.0.borrow_mut().push(b'\x07');
    }

    /// Puts text into the clipboard with the next frame, if the terminal allows it.
    pub fn copy(&mut self, text: &str) {
        // Writing into memory cannot fail.
        let _ = queue!(self.drawn, CopyToClipboard::to_clipboard_from(text));
    }

    /// Asks the terminal to notify with the next frame (OSC 9); those that cannot ignore it.
    pub fn notify(&mut self, words: &Clean) {
        // Ours first: some terminals take what begins with a digit for another command.
        let escape = format!("\x1b]9;d2mtop: {words}\x1b\\");
        self.drawn.0.borrow_mut().extend_from_slice(escape.as_bytes());
    }

    /// Writes what was drawn.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn present(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut *self.drawn.0.borrow_mut());
        let mut stdout = io::stdout().lock();
        stdout.write_all(&bytes)?;
        stdout.flush()
    }

    fn draw_changes(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        if std::mem::take(&mut self.forgotten) {
            // Not `clear`: that asks the terminal where its cursor is, and waits two seconds where nobody answers.
            self.terminal.resize(self.area()?)?;
        } else {
            self.terminal.autoresize()?;
        }
        draw(self.terminal.current_buffer_mut());
        self.terminal.flush()?;
        self.terminal.swap_buffers();
        Ok(())
    }
}

/// The bytes of a frame, shared between the guard and the backend that draws.
#[derive(Clone, Debug, Default)]
struct FrameBytes(Rc<RefCell<Vec<u8>>>);

impl Write for FrameBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.give_back();
    }
}

fn restore(terminal: &mut impl Write) -> io::Result<()> {
    // Emptied first: tmux leaves rows of a screen behind that grew while it was shown.
    let mouse = terminal.write_all(MOUSE_OFF);
    let written = execute!(
        terminal,
        EndSynchronizedUpdate,
        DisableBracketedPaste,
        DisableFocusChange,
        Clear(ClearType::All),
        LeaveAlternateScreen,
        // Without an alternate screen the cursor is where the last frame left it.
        cursor::MoveToColumn(0),
        cursor::Show
    );
    // The mode matters more than the screen.
    disable_raw_mode().and(mouse).and(written)
}

/// A panic in any thread gives the terminal back, says what happened, and ends the process: a dashboard that lost one of
/// its threads would show what is no longer true.
fn restore_on_panic() {
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !TAKEN.swap(false, Ordering::SeqCst) {
            say(panic);
            return;
        }
        // Standard output may be locked by the thread that draws, so the terminal is opened anew.
        let restored = match std::fs::OpenOptions::new().write(true).open("/dev/tty") {
            Ok(mut terminal) => restore(&mut terminal),
            Err(_) => restore(&mut io::stdout()),
        };
        say(panic);
        let _ = restored;
        std::process::exit(PANICKED);
    }));
}
