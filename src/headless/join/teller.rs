//! [`Teller`]: tells what happens, on a terminal step by step, or as events.

use std::io::{self, Write as _};

use serde_json::json;

use super::offer::{Offer, OfferFiles};
use super::page::Terminal;
use crate::cli::{JoinArgs, SlotArg};
use crate::output::Failure;
use crate::output::ndjson;
use crate::output::words::say;
use crate::profile::NewProfile;
use crate::profile::secrets::KeyringError;
use crate::rendezvous::JoinEvent;
use crate::rendezvous::wire::Emoji;
use crate::runtime::{JoinNews, clock};
use crate::text::size;

/// What linking means, before anything is shown.
const MEANS: [&str; 4] = [
    "It takes one of the device slots of your group.",
    "The phone switches forward secrecy off for all of its chats.",
    "From then on this computer can read every message of the group.",
    "To undo it, remove this device on the phone, or: d2mtop profile remove NAME --leave-group",
];

/// Tells what happens.
pub(super) struct Teller {
    files: OfferFiles,
    /// [`None`]: events are printed.
    terminal: Option<Terminal>,
    /// What is shown, as long as it is.
    shown: Option<Offer>,
    /// Whether the last line is one that is written anew.
    is_counting: bool,
}

impl Teller {
    pub(super) fn start(options: &JoinArgs) -> Result<Self, Failure> {
        let files = OfferFiles::new(options)?;
        let terminal =
            if options.json { None } else { Some(Terminal::take(options.ascii).map_err(Failure::Terminal)?) };
        Ok(Self { files, terminal, shown: None, is_counting: false })
    }

    /// Says what linking means, and asks.
    pub(super) fn consent(
        &mut self,
        new: &NewProfile,
        slot: SlotArg,
        why_file: Option<&KeyringError>,
    ) -> Result<(), Failure> {
        if self.terminal.is_none() {
            return Ok(());
        }
        let name = new.name();
        self.line(&format!("This computer is to become a device of your group, as the profile {name}."))?;
        for line in MEANS {
            self.line(&format!("  {}", line.replace("NAME", name.as_str())))?;
        }
        let others = new.at_same_mediator().map_err(|error| Failure::Profile(error.into()))?;
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        if !others.is_empty() {
            self.line(&format!(
                "This computer has profiles at the same mediator ({}). If your group is the same, this makes one more device \
                 of it.",
                others.join(", ")
            ))?;
        }
        if let Some(why) = why_file {
            self.line(&format!("The key is going to be kept in a file, because {why}."))?;
        }
        if slot == SlotArg::Volatile {
            self.line(
                "The slot is volatile: it expires some minutes after d2mtop ends. If the phone is alone then, it destroys the \
                 group's key.",
            )?;
        }
        self.line("Enter shows the code, Esc leaves.")
    }

    /// Tells what happened.
    pub(super) fn tell(&mut self, news: JoinNews, offer: impl FnOnce() -> Offer) -> Result<(), Failure> {
        match news {
            JoinNews::RelayReached => {
                let offer = offer();
                self.files.show(&offer)?;
                if self.terminal.is_none() {
                    let file = self.files.link().map(|path| path.to_string_lossy().into_owned());
                    return event("join_offer", json!({ "file": file }));
                }
                self.shown = Some(offer);
                self.draw()
            }
            JoinNews::Happened(happened) if self.terminal.is_none() => as_event(&happened),
            JoinNews::Happened(happened) => self.step(&happened),
            JoinNews::SameGroup(other) if self.terminal.is_none() => {
                event("join_same_group", json!({ "profile": other }))
            }
            JoinNews::SameGroup(other) => self.line(&format!(
                "The profile {other} is of the same group already: this makes one more device of it. Esc leaves."
            )),
        }
    }

    fn step(&mut self, happened: &JoinEvent) -> Result<(), Failure> {
        match happened {
            JoinEvent::PeerThere => {
                self.leave_page()?;
                self.line("The phone is there.")
            }
            JoinEvent::Emoji(emoji) => {
                self.line("Compare these three pictures with those on the phone, and choose them there:")?;
                self.line("")?;
                // One a line, with its name: terminals disagree on how wide a picture is.
                for emoji in emoji {
                    self.line(&format!("    {}  {}", emoji.picture(), emoji.name()))?;
                }
                self.line("")?;
                self.line("If they differ, say so on the phone: somebody else has seen the code. Esc leaves.")
            }
            JoinEvent::Begun => self.line("The phone sends the group's data; keep it open."),
            JoinEvent::Progress { bytes } => self.count(&format!("{} so far", size(*bytes))),
            JoinEvent::Received { names } => self.line(&match names {
                0 => "All is here. Registering at the mediator …".to_owned(),
                names => format!("All is here, with {names} names. Registering at the mediator …"),
            }),
            JoinEvent::SlotTaken => self.line("This device has its slot."),
        }
    }

    /// Says that nobody came, and asks.
    pub(super) fn nobody_came(&mut self) -> Result<(), Failure> {
        self.leave_page()?;
        self.line("No phone has come. Enter shows another code, Esc leaves.")
    }

    pub(super) fn toggle_link(&mut self) {
        if let Some(terminal) = &mut self.terminal {
            terminal.toggle_link();
        }
        self.resized();
    }

    /// Draws again what is shown.
    pub(super) fn resized(&mut self) {
        // A terminal that is gone is told by its keys.
        let _ = self.draw();
    }

    fn draw(&mut self) -> Result<(), Failure> {
        match (&mut self.terminal, &self.shown) {
            (Some(terminal), Some(offer)) => terminal.draw(offer, self.files.picture()).map_err(Failure::Terminal),
            _ => Ok(()),
        }
    }

    fn leave_page(&mut self) -> Result<(), Failure> {
        self.shown = None;
        match &mut self.terminal {
            Some(terminal) => terminal.leave_page().map_err(Failure::Terminal),
            None => Ok(()),
        }
    }

    fn line(&mut self, text: &str) -> Result<(), Failure> {
        let before = if std::mem::take(&mut self.is_counting) { "\r\n" } else { "" };
        write(&format!("{before}{text}\r\n"))
    }

    fn count(&mut self, text: &str) -> Result<(), Failure> {
        self.is_counting = true;
        write(&format!("\r  {text}\x1b[K"))
    }
}

fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
}

fn as_event(happened: &JoinEvent) -> Result<(), Failure> {
    match happened {
        JoinEvent::PeerThere => event("join_peer", json!({})),
        JoinEvent::Emoji(emoji) => {
            let (indices, names) = (emoji.map(Emoji::index), emoji.map(Emoji::name));
            event("join_emoji", json!({ "indices": indices, "names": names }))
        }
        JoinEvent::Progress { bytes } => event("join_progress", json!({ "bytes": bytes })),
        JoinEvent::Begun | JoinEvent::Received { .. } | JoinEvent::SlotTaken => Ok(()),
    }
}

/// One event, as a line.
pub(super) fn event(name: &'static str, fields: serde_json::Value) -> Result<(), Failure> {
    say(&ndjson::line(clock::now(), name, fields).to_string())
}
