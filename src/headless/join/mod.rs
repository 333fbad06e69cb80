//! `d2mtop join`: this computer becomes a device of a group, by a code that a phone of the group scans.

mod ending;
mod keys;
mod left_over;
mod offer;
mod page;
mod preparation;
mod teller;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rand::Rng as _;
use zeroize::Zeroizing;

use crate::cli::JoinArgs;
use crate::os::event_loop::event_loop;
use crate::output::{Failure, Outcome};
use crate::profile::{self, NewProfile};
use crate::rendezvous::wire::{AuthenticationKey, JoinLink, RelayPath};
use crate::rendezvous::{JoinCause, JoinEnd, JoinStep, JoinTiming, RendezvousFailure};
use crate::runtime::{JoinPlaces, join_group};
use keys::{JoinKeys, KeyAnswer};
pub use left_over::finish_left_over;
use offer::Offer;
use preparation::{PreparedJoin, Servers};
use teller::Teller;

/// How many codes are shown, one after the other, before somebody is asked whether anybody is there.
const CODES: usize = 5;

/// Joins a group.
///
/// # Errors
/// If something that a join needs does not work, before anything is shown.
pub fn run(options: &JoinArgs) -> Result<Outcome, Failure> {
    let PreparedJoin { new, servers, timing, why_file } = preparation::prepare(options)?;
    let new = Arc::new(new);
    let joined = event_loop().map_err(Failure::Start)?.block_on(async {
        let mut keys = JoinKeys::take(!options.json)?;
        let teller = RefCell::new(Teller::start(options)?);
        teller.borrow_mut().consent(&new, options.slot, why_file.as_ref())?;
        if !options.json && keys.answer(&teller).await == KeyAnswer::Leave {
            return Ok((
                JoinEnd::Failed { cause: JoinCause::Cancelled(JoinStep::Peer), slot_left: false },
                keys.signal(),
            ));
        }
        let end = join(options, &new, &servers, timing, &mut keys, &teller).await?;
        Ok::<_, Failure>((end, keys.signal()))
    });
    let (end, signal) = joined?;
    ending::tell(options, new.name(), &end)?;
    Ok(ending::outcome(&end, signal))
}

/// Code after code, until a phone came, or nobody wants to wait any more.
async fn join(
    options: &JoinArgs,
    new: &Arc<NewProfile>,
    servers: &Servers,
    timing: JoinTiming,
    keys: &mut JoinKeys,
    teller: &RefCell<Teller>,
) -> Result<JoinEnd, Failure> {
    let mut codes = 0;
    loop {
        codes += 1;
        let link = new_link(&servers.rendezvous);
        let places = JoinPlaces {
            relay: servers.relay(&link)?,
            tls: servers.tls.clone(),
            mediator: servers.mediator.clone(),
            label: servers.label.clone(),
        };
        let failed = Cell::new(None);
        let end = {
            let tell = |news| {
                if let Err(failure) = teller.borrow_mut().tell(news, || Offer::new(link.text())) {
                    failed.set(Some(failure));
                }
            };
            join_group(new, &link, &places, timing, keys.leave(teller), tell).await
        };
        if let Some(failure) = failed.take() {
            return Err(failure);
        }
        let nobody_came = matches!(
            &end,
            JoinEnd::Failed {
                cause: JoinCause::Rendezvous { failure: RendezvousFailure::WaitOver, step: JoinStep::Peer },
                ..
            }
        );
        if !nobody_came {
            return Ok(end);
        }
        if codes % CODES == 0 {
            if options.json {
                return Ok(end);
            }
            teller.borrow_mut().nobody_came()?;
            if keys.answer(teller).await == KeyAnswer::Leave {
                return Ok(JoinEnd::Failed { cause: JoinCause::Cancelled(JoinStep::Peer), slot_left: false });
            }
        }
    }
}

/// A link with a key and a path that nobody has seen.
fn new_link(rendezvous: &str) -> JoinLink {
    let mut random = profile::fresh_random();
    let mut key = Zeroizing::new(random.r#gen::<[u8; 32]>());
    JoinLink::request(AuthenticationKey::new(&mut key), &RelayPath::new(random.r#gen()), rendezvous)
}
