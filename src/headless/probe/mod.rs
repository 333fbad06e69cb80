//! `d2mtop probe`: the way to the mediator and back, as ping measures it.

mod kind;
mod run;
mod statistics;

use super::connection::OneShotDevice;
use crate::cli::ProbeArgs;
use crate::group::Refusal;
use crate::os::signals::ShutdownSignals;
use crate::output::words::require_agreement;
use crate::output::{Failure, Outcome};
use crate::protocol::Dialect;
use crate::runtime::one_shot::SIGNAL_PATIENCE;
use crate::session::LeaderPolicy;
use kind::ProbeKind;
use run::ProbeRun;

const REFLECT_QUESTION: &str = "Reflect probes? They change nothing anywhere, but the mediator stores each one for every \
                                device that is not connected.";

/// Probes until enough were answered, or somebody interrupts it.
///
/// # Errors
/// If there is no login, the connection is lost, or nobody agrees to reflecting.
pub fn run(options: &ProbeArgs) -> Result<Outcome, Failure> {
    let mut device = OneShotDevice::new(options.profile.name(), &options.connection)?;
    let kind = ProbeKind::of(options);
    if kind == ProbeKind::Reflect {
        device.require_writable("not reflected")?;
        if device.profile().session.keys.dialect() == Dialect::Mk {
            return Err(Failure::Usage(Refusal::NoProbe.to_string()));
        }
        require_agreement(options.means.yes, REFLECT_QUESTION)?;
    }
    let stays = device.profile().session.leader_policy == LeaderPolicy::Stay;
    device.run_one_shot(async |session| {
        let mut signals = ShutdownSignals::take();
        let mut run = ProbeRun::new(options, kind, session, stays)?;
        let (ended, interrupted) = tokio::select! {
            biased;
            _ = signals.next() => (Ok(true), true),
            ended = run.run() => (ended, false),
        };
        let ProbeRun { statistics, printer, .. } = run;
        let summary = if ended.is_err() && statistics.sent() == 0 {
            // Nothing was measured, and why comes next.
            Vec::new()
        } else if options.json {
            vec![statistics.to_json(kind.word()).to_string()]
        } else {
            statistics.lines()
        };
        let summary = summary.into_iter().map(|line| line + "\n").collect::<String>();
        printer.end_unless_interrupted(summary.into_bytes(), &mut signals, interrupted, SIGNAL_PATIENCE).await?;
        let is_read = ended?;
        Ok(if is_read && statistics.answered() == 0 { Outcome::Lost } else { Outcome::Normal })
    })
}
