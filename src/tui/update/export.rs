//! Writing rows of the feed to a file: asked about first, then done in slices between frames.

use std::path::{Path, PathBuf};

use crate::group::{Group, NoticeKind};
use crate::os::private_files::NewFile;
use crate::output::export::ExportFormat;
use crate::output::figures;
use crate::runtime::Reaction;
use crate::text::Clean;
use crate::tui::state::Ui;
use crate::tui::state::dialog::{Dialog, ExportScope};
use crate::tui::state::exporting::{Exporting, PlannedExport};

impl Ui {
    /// Asks which rows are to be written to this file.
    ///
    /// # Errors
    /// If the name tells no format; in words.
    pub fn plan_export(&mut self, name: &str, group: &Group) -> Result<Reaction, Clean> {
        let name = name.trim();
        let format = ExportFormat::of(name);
        let format = format.ok_or_else(|| Clean::literal("the name has to end in .ndjson, .csv or .md"))?;
        let path = in_home(name);
        let lines = self.feed_state.lines(group);
        if lines.len() == 0 {
            return Ok(self.explain("nothing to write: the feed is empty"));
        }
        if !self.feed_state.is_complete(group) {
            return Err(Clean::literal("the filter is still looking through the rows; try again in a moment"));
        }
        let (all, in_sight) = (lines.len(), self.in_sight(group).1);
        let exists = path.symlink_metadata().is_ok();
        let dialog = Dialog::export(&path, &figures::count(all as u64), &figures::count(in_sight as u64), exists);
        self.planned_export = Some(PlannedExport { path, format, overwrites: exists });
        Ok(self.ask(dialog))
    }

    /// The first row in sight, and how many there are.
    fn in_sight(&self, group: &Group) -> (usize, usize) {
        let (lines, scroll) = (self.feed_state.lines(group), self.feed_state.scroll);
        let top = scroll.top(lines);
        (top, lines.len().saturating_sub(top).min(scroll.page().max(1)))
    }

    /// Begins to write what was asked about.
    pub fn start_export(&mut self, scope: ExportScope, group: &Group) -> Reaction {
        let Some(PlannedExport { path, format, overwrites }) = self.planned_export.take() else {
            return Reaction::Redraw;
        };
        let lines = self.feed_state.lines(group);
        let (top, count) = match scope {
            ExportScope::All => (0, lines.len()),
            ExportScope::InSight => self.in_sight(group),
        };
        let ends = lines.nth(top).zip(lines.nth((top + count).saturating_sub(1)));
        let Some((next, last)) = ends else { return Reaction::Redraw };
        let begun = NewFile::beside(&path).and_then(|mut file| {
            file.write(format.head().as_bytes())?;
            Ok(file)
        });
        match begun {
            Ok(file) => {
                let count = 0;
                self.exporting = Some(Exporting { file, path, format, overwrites, next: Some(next), last, count });
                Reaction::Redraw
            }
            Err(cause) => self.say_unwritten(&path, &cause),
        }
    }

    /// Writes some of the rows; true if there are still others.
    pub fn go_on_exporting(&mut self, group: &Group, rows: usize) -> bool {
        let Some(mut job) = self.exporting.take() else { return false };
        let text = self.with_context(group, self.drawn_at, |ctx| {
            let lines = self.feed_state.lines(group);
            let from = job.next.map_or(usize::MAX, |next| lines.rank(next));
            let batch: Vec<_> = lines.from(from, rows + 1).take_while(|(key, _)| *key <= job.last).collect();
            job.next = batch.get(rows).map(|(key, _)| *key);
            job.count += batch.len().min(rows);
            batch.iter().take(rows).map(|(_, row)| job.format.row(group, ctx.clock.zone(), row)).collect::<String>()
        });
        let written = job.file.write(text.as_bytes());
        if let Err(cause) = written {
            self.say_unwritten(&job.path, &cause);
            return false;
        }
        if job.next.is_some() {
            self.exporting = Some(job);
            return true;
        }
        let Exporting { file, path, overwrites, count, .. } = job;
        match file.finish(&path, overwrites) {
            Ok(()) => {
                let plural = if count == 1 { "" } else { "s" };
                let words = format!("{} row{plural} written to {}", figures::count(count as u64), path.display());
                self.tell(NoticeKind::Done, Clean::new(&words));
            }
            Err(cause) => {
                self.say_unwritten(&path, &cause);
            }
        }
        false
    }

    pub fn say_unwritten(&mut self, path: &Path, cause: &std::io::Error) -> Reaction {
        self.say(Clean::new(&format!("cannot write {}: {cause}", path.display())))
    }
}

/// As a shell reads it.
fn in_home(name: &str) -> PathBuf {
    let home = || std::env::var_os("HOME").filter(|home| !home.is_empty());
    match name.strip_prefix("~/").and_then(|rest| home().map(|home| Path::new(&home).join(rest))) {
        Some(path) => path,
        None => PathBuf::from(name),
    }
}
