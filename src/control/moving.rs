//! How groups go from one mediator to another: step by step, so that at no time two have them, and at every time one has.

use std::path::PathBuf;

use super::message::OperationTally;
use crate::mediator::{GroupPrefixes, OperatorRequest, TransferDirection};
use crate::net::Inspector;
use crate::store::ExportedGroups;

/// Refuses the groups, durably; writes them into a file; forgets them once that is safe. A mediator that is killed between
/// refuses them still, and has them still: the export can be done again.
pub(super) async fn export(
    inside: &Inspector,
    prefixes: GroupPrefixes,
    file: PathBuf,
) -> Result<OperationTally, String> {
    let served = inside.operate(OperatorRequest::GiveUp(prefixes)).await.map_err(|refusal| refusal.to_string())?;
    match inside.transfer(prefixes, file, TransferDirection::Export).await {
        Ok(groups) => {
            let discarded = inside.operate(OperatorRequest::Discard(prefixes)).await;
            discarded.map(|_| OperationTally::of(&groups)).map_err(|refusal| refusal.to_string())
        }
        Err(words) => {
            // What failed is what has to be told.
            let _ = inside.operate(OperatorRequest::TakeBack { prefixes, served }).await;
            Err(format!("nothing was exported: {words}"))
        }
    }
}

/// Refuses the groups until they are there, stores them, and serves them.
pub(super) async fn import(inside: &Inspector, file: PathBuf) -> Result<OperationTally, String> {
    let looked_at = file.clone();
    let found = tokio::task::spawn_blocking(move || ExportedGroups::of_file(&looked_at)).await;
    let found = found.map_err(|error| error.to_string())?;
    let ExportedGroups { prefixes, groups, digest } = found.map_err(|error| error.to_string())?;
    let expected = inside.operate(OperatorRequest::Expect { prefixes, groups }).await;
    let moved = expected.map_err(|refusal| refusal.to_string())?;
    match inside.transfer(prefixes, file, TransferDirection::Import { digest, moved }).await {
        Ok(groups) => {
            let tally = OperationTally::of(&groups);
            let taken = inside.operate(OperatorRequest::Take { prefixes, groups }).await;
            taken.map(|_| tally).map_err(|refusal| refusal.to_string())
        }
        Err(words) => {
            // What failed is what has to be told.
            let _ = inside.operate(OperatorRequest::Decline(prefixes)).await;
            Err(words)
        }
    }
}
