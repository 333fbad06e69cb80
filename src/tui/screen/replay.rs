//! Shows a recording: the dashboard as it was, at the size that it has now.

use std::sync::Arc;

use crate::alerts::Attention;
use crate::os::event_loop::event_loop;
use crate::output::{Failure, Outcome};
use crate::protocol::Millis;
use crate::record::SessionPlayer;
use crate::replay::{PlayedRecording, Replay, ReplaySpeed};
use crate::runtime::{RunningSessions, dashboard};
use crate::text::Clean;
use crate::tui::options::DisplayOptions;
use crate::tui::screen::alarm::Alarm;
use crate::tui::screen::dashboard::Dashboard;
use crate::tui::screen::input::{BackgroundQuestion, inputs};
use crate::tui::screen::open::{ENVELOPE_BYTES, require_terminal};
use crate::tui::screen::terminal_events;
use crate::tui::settings::{Keeping, Settings};

/// Plays a recording on the terminal until the user quits; a tab for each of its sessions.
///
/// # Errors
/// If there is no terminal, or it fails.
pub fn replay(
    replay: Replay,
    speed: ReplaySpeed,
    until: Option<Millis>,
    display: &DisplayOptions,
) -> Result<Outcome, Failure> {
    require_terminal()?;
    let settings = replay.players().iter().map(|player| settings(player, display)).collect();
    let (tabs, group) = replay.groups(display.feed_rows, ENVELOPE_BYTES);
    let attention = Arc::new(Attention::new(Arc::default()));
    let alarm = Alarm { attention, bell: false, notify: false, quiet: None, zone: display.zone };
    let event_loop = event_loop().map_err(Failure::Start)?;
    let mut screen = Dashboard::start(settings, alarm).map_err(Failure::Terminal)?;
    let played = PlayedRecording::new(replay, speed, until, display.zone);
    let sessions = RunningSessions::play(Box::new(played), tabs, group);
    let question = BackgroundQuestion::default();
    event_loop
        .block_on(async { dashboard::run(sessions, &mut screen, inputs(terminal_events::events()?, question)).await })
        .map_err(Failure::Terminal)?;
    Ok(Outcome::Normal)
}

fn settings(player: &SessionPlayer, display: &DisplayOptions) -> Settings {
    let title = Clean::new(&format!("{} (recording)", player.title()));
    Settings {
        is_recording: true,
        accepts_any_certificate: player.start().accepts_any_certificate,
        keeping: if player.start().keeps { Keeping::Journal } else { Keeping::Never },
        ..display.settings(title, player.session().config())
    }
}
