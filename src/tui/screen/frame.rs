//! One frame: header, panes with their titles and the rules between them, hints, and what lies over it.

use std::cell::RefCell;

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};

use crate::group::Group;
use crate::output::clock::Clock;
use crate::protocol::Millis;
use crate::runtime::ANY_CERTIFICATE;
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::input::pane::Pane;
use crate::tui::pages;
use crate::tui::settings::Keeping;
use crate::tui::state::click::ClickTarget;
use crate::tui::state::page::{Page, PageSubject};
use crate::tui::state::{Overlay, ScreenSpace, Ui};
use crate::tui::theme::glyphs::{BAD, to_ascii};
use crate::tui::theme::{Glyphs, Role, Theme};
use crate::tui::view::feed::rows_in;
use crate::tui::view::layout::Layout;
use crate::tui::view::{PaneView, bottom_line, chooser, dialog, header, layout, prompt, rules, too_small};

impl Ui {
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, group: &Group, now: Millis) {
        if area.is_empty() {
            return;
        }
        self.drawn_at = now;
        self.forget_what_has_ended(group);
        self.feed_state.catch_up(group);
        if self.feed_state.keep_in_memory(group) {
            self.explain(match self.settings.keeping {
                Keeping::Journal => "the selected row has left memory: {up} reads on in the journal",
                Keeping::Never | Keeping::Declined => {
                    "the selected row has left memory: this is the oldest that is left"
                }
            });
        }
        if self.feed_state.close_gap(group) {
            self.explain("older rows have left memory: {up} reads them from the journal");
        }
        self.selection.follow(&self.order.of(group), group.own());
        let settings = self.settings.clone();
        self.colours.learn(group.devices());
        let colours = std::mem::take(&mut self.colours);
        let told = self.told.clone();
        let clock = Clock::new(now, settings.zone);
        let ctx = FrameContext {
            group,
            clock: &clock,
            settings: &settings,
            theme: Theme::new(settings.palette, settings.colour),
            colours: &colours,
            told: &told,
            clock_accepted: self.clock_accepted,
            clicks: RefCell::default(),
        };
        self.tell_of_the_list(&ctx);
        self.tell_of_the_look(&ctx);
        if let Some(told) = &mut self.notice {
            told.after.get_or_insert(group.notices().count());
        }
        if let Overlay::Dialog(dialog) = &mut self.overlay {
            dialog.renew(&ctx);
        }
        draw(buffer, area, self, &ctx);
        self.clicks = ctx.clicks.take();
        self.wrong_at = clock.wrong_at();
        self.colours = colours;
    }

    /// Remembers how many rows of a pane are in sight.
    pub fn show(&mut self, pane: Pane, height: u16) {
        match pane {
            Pane::Devices => self.device_page = usize::from(height).saturating_sub(1).max(1),
            Pane::Feed => self.feed_state.scroll.show(rows_in(height)),
            Pane::Lock | Pane::Role | Pane::Latency => {}
        }
    }
}

fn draw(buffer: &mut Buffer, area: Rect, ui: &mut Ui, ctx: &FrameContext<'_>) {
    let whole = area;
    let area = below_banner(buffer, area, ctx);
    ui.focus_first(layout::first_focus(area));
    ui.is_wide = layout::is_wide(area);
    match layout::arrange(area, ui.focus, ui.zoomed, ctx.group.devices().len(), ui.sizes) {
        None => {
            ui.room = ScreenSpace::TooLittle;
            too_small::draw(buffer, area, ctx);
        }
        Some(mut layout) => {
            let beside = room_beside_feed(&mut layout, ui);
            ui.room = ScreenSpace::Enough;
            ui.sizes_in_sight = layout.sizes;
            header::draw(buffer, &layout, ctx);
            for pane in Pane::ALL {
                if let Some(area) = layout.pane(pane) {
                    draw_pane(buffer, area, pane, layout.framed, ui, ctx);
                }
            }
            for separator in &layout.separators {
                rules::separate(buffer, *separator, ctx.theme);
            }
            ui.message_is_cut = match &ui.overlay {
                Overlay::Prompt(line) => {
                    prompt::draw(&line.prompt, buffer, layout.hints, ctx);
                    false
                }
                Overlay::Page(page) if let Some(typed) = page.typed() => {
                    prompt::draw(typed, buffer, layout.hints, ctx);
                    false
                }
                _ => bottom_line::draw(buffer, layout.hints, ui, ctx),
            };
            if let Overlay::Page(page) = &mut ui.overlay {
                page.is_beside = beside.is_some();
            }
            match (&mut ui.overlay, beside) {
                (Overlay::Page(page), Some(place)) => pages::draw_beside(page, buffer, place, ctx, &ui.feed_state),
                _ => overlay(buffer, area, &layout, ui, ctx),
            }
        }
    }
    ctx.theme.paint_background(buffer, whole);
    if ctx.settings.glyphs == Glyphs::Ascii {
        to_ascii(buffer);
    }
}

/// What nothing may ever cover, if there is anything; returns what is left.
fn below_banner(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>) -> Rect {
    if !ctx.settings.accepts_any_certificate {
        return area;
    }
    let (banner, rest) = layout::split_top(area, 1);
    let style = Role::AlarmBanner;
    buffer.set_style(banner, ctx.theme.style(style));
    TextRun::new(buffer, banner, ctx.theme).gap(1).text(BAD, style).gap(1).text(ANY_CERTIFICATE, style);
    rest
}

/// The place for an open row beside the feed, if both have room; the feed is narrowed for it.
fn room_beside_feed(layout: &mut Layout, ui: &Ui) -> Option<Rect> {
    /// The columns in which a feed and a row can be read.
    const BOTH: u16 = 100;
    let Overlay::Page(Page { subject: PageSubject::Row(_), .. }) = &ui.overlay else { return None };
    layout.split_feed(BOTH)
}

fn overlay(buffer: &mut Buffer, area: Rect, layout: &Layout, ui: &mut Ui, ctx: &FrameContext<'_>) {
    let above_hints = Rect { height: area.height.saturating_sub(layout.hints.height), ..area };
    // The header stays in sight: what is being decided may depend on it.
    let below_header = Rect {
        y: above_hints.y + layout.header.height,
        height: above_hints.height.saturating_sub(layout.header.height),
        ..above_hints
    };
    match &mut ui.overlay {
        Overlay::None | Overlay::Prompt(_) => {}
        Overlay::Page(page) => pages::draw(page, buffer, below_header, ctx, &ui.feed_state),
        Overlay::Chooser(chooser) => chooser::draw(chooser, buffer, below_header, ctx),
        // A dialog too high for that may cover the header, rather than lose a warning.
        Overlay::Dialog(dialog) if dialog::wanted_height(dialog, area.width) > usize::from(below_header.height) => {
            dialog::draw(dialog, buffer, above_hints, ctx);
        }
        Overlay::Dialog(dialog) => dialog::draw(dialog, buffer, below_header, ctx),
    }
}

fn draw_pane(buffer: &mut Buffer, area: Rect, pane: Pane, framed: bool, ui: &mut Ui, ctx: &FrameContext<'_>) {
    let body = if framed { area.inner(Margin::new(1, 1)) } else { layout::split_top(area, 1).1 };
    ui.show(pane, body.height);
    ctx.mark(area, ClickTarget::Pane(pane));
    (PaneView::of(pane).draw)(buffer, body, ctx, ui);
    if ctx.stale_since().is_some() {
        buffer.set_style(body, ctx.theme.style(Role::Muted));
    }
    rules::frame(buffer, area, pane, ui, framed, ctx);
}
