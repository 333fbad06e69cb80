//! `d2mtop probe`: the way to the mediator and back, as ping measures it.

mod means;
mod probing;

use super::one_shot_device::{OneShotDevice, Turn};
use crate::cli::ProbeArgs;
use crate::group::Refusal;
use crate::os::signals::ShutdownSignals;
use crate::output::words::require_agreement;
use crate::output::{Failure, Outcome};
use crate::protocol::Dialect;
use crate::session::LeaderPolicy;
use means::Means;
use probing::Probing;

/// So many probes are over in a moment.
const FEW: u64 = 10;

const REFLECT_QUESTION: &str = "Reflect probes? They change nothing anywhere, but the mediator stores each one for every \
                                device that is not connected.";

/// Probes until enough were answered, or somebody interrupts it.
///
/// # Errors
/// If there is no login, the connection is lost, or nobody agrees to reflecting.
pub fn run(options: &ProbeArgs) -> Result<Outcome, Failure> {
    let turn = Turn::long_if(options.count.is_none_or(|count| count > FEW));
    let mut visitor = OneShotDevice::new(options.profile.name(), &options.connection, turn)?;
    let means = Means::of(options);
    if means == Means::Reflect {
        visitor.require_writable("not reflected")?;
        if visitor.profile().session.keys.dialect() == Dialect::Mk {
            return Err(Failure::Usage(Refusal::NoProbe.to_string()));
        }
        require_agreement(options.means.yes, REFLECT_QUESTION)?;
    }
    let stays = visitor.profile().session.leader_policy == LeaderPolicy::Stay;
    visitor.run_one_shot(async |visit| {
        let mut signals = ShutdownSignals::take();
        let mut probing = Probing::new(options, means, visit, stays)?;
        let (ended, interrupted) = tokio::select! {
            biased;
            _ = signals.next() => (Ok(true), true),
            ended = probing.run() => (ended, false),
        };
        let Probing { round_trips, printer, .. } = probing;
        let summary = if ended.is_err() && round_trips.sent() == 0 {
            // Nothing was measured, and why comes next.
            Vec::new()
        } else if options.json {
            vec![round_trips.to_json(means.word()).to_string()]
        } else {
            round_trips.lines()
        };
        let summary = summary.into_iter().map(|line| line + "\n").collect::<String>();
        printer.finish(summary.into_bytes(), &mut signals, interrupted).await?;
        let is_read = ended?;
        Ok(if is_read && round_trips.answered() == 0 { Outcome::Lost } else { Outcome::Normal })
    })
}
