//! What choosing in the palette does.

use crate::group::Group;
use crate::protocol::Millis;
use crate::runtime::Reaction;
use crate::text::Clean;
use crate::tui::input::actions::Action;
use crate::tui::input::keymap::{InputContext, TABLE};
use crate::tui::input::pane::Pane;
use crate::tui::state::chooser::{ChoiceTarget, Chooser};
use crate::tui::state::page::PageSubject;
use crate::tui::state::{Overlay, Ui};

impl Ui {
    pub fn open_chooser(&mut self, group: &Group) -> Reaction {
        let under = match std::mem::take(&mut self.overlay) {
            Overlay::Page(page) => Some(page),
            Overlay::None | Overlay::Dialog(_) | Overlay::Prompt(_) | Overlay::Chooser(_) => None,
        };
        self.overlay = Overlay::Chooser(Box::new(Chooser::new(group, &self.settings, under)));
        Reaction::Redraw
    }

    /// Closes the palette; what was open is again.
    pub fn close_chooser(&mut self, chooser: Chooser) {
        self.overlay = chooser.under.map_or(Overlay::None, Overlay::Page);
    }

    /// Does what was chosen.
    pub fn take_choice(&mut self, chooser: Chooser, group: &Group, now: Millis) -> Reaction {
        let target = chooser.chosen().map(|choice| choice.target.clone());
        self.close_chooser(chooser);
        match target {
            None => Reaction::Redraw,
            Some(ChoiceTarget::Act(action)) => self.act_wherever(action, group, now),
            Some(ChoiceTarget::Device(device)) => {
                self.look_at(Pane::Devices);
                self.selection.set(Some(device));
                self.open(PageSubject::Device(device))
            }
            Some(ChoiceTarget::Filter(words)) => {
                self.overlay = Overlay::None;
                self.look_at(Pane::Feed);
                let moment = self.moment(now);
                match self.feed_state.set_filter(&words, group, moment) {
                    Ok(()) => Reaction::Redraw,
                    Err(wrong) => self.say(wrong),
                }
            }
            Some(ChoiceTarget::Theme(theme)) => {
                self.theme_chosen = Some(theme);
                Reaction::Redraw
            }
            Some(ChoiceTarget::Profile(name)) => self.turn_to(&name),
        }
    }

    /// Does an action where the user is or, if it means nothing there, in the pane that it belongs to.
    fn act_wherever(&mut self, action: Action, group: &Group, now: Millis) -> Reaction {
        let uses = || TABLE.iter().filter(|entry| entry.action == action).flat_map(|entry| entry.uses);
        if !uses().any(|one| one.place.covers(self.place())) {
            let pane = uses().find_map(|one| match one.place {
                InputContext::On(pane) => Some(Some(pane)),
                InputContext::Panes => Some(None),
                _ => None,
            });
            let Some(pane) = pane else {
                return self.explain("this is for the detail of a row; {detail} on the row opens it");
            };
            self.overlay = Overlay::None;
            if let Some(pane) = pane {
                self.look_at(pane);
            }
        }
        let reaction = self.act(action, group, now);
        // The palette went from the screen, whatever the action did.
        if reaction == Reaction::Nothing { Reaction::Redraw } else { reaction }
    }

    fn turn_to(&mut self, name: &Clean) -> Reaction {
        let tabs = &self.settings.neighbours.tabs;
        let place =
            |wanted: &Clean| tabs.iter().position(|title| title == wanted).and_then(|at| isize::try_from(at).ok());
        match (place(name), place(&self.settings.title)) {
            (Some(there), Some(here)) if there != here => Reaction::Tab(there - here),
            (Some(_), _) => Reaction::Redraw,
            (None, _) => Reaction::Open(name.clone()),
        }
    }
}
