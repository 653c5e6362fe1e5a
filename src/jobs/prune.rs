//! Pruning, at the end of prepare: what is older than `[retention] keys` says goes from the trail and the ledger.

use jiff::{SignedDuration, Timestamp};

use super::run::{Progress, Stop};
use super::{JobError, Workshop, store};
use crate::audit::By;
use crate::erasure::pass;
use crate::store::RunId;

/// Since when the trail must show that it is as late as the clock says: a clock that is years ahead for a night prunes
/// nothing, and somebody has time to see it.
const CLOCK_PROVED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Cuts the trail where it is due, and sweeps away what lies before the cut.
pub(super) async fn prune(
    workshop: &Workshop,
    run: RunId,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    if let Some(before) = due_before(workshop).await? {
        let mut turn = workshop.store.turn().await;
        let mut change = turn.begin().await.map_err(store)?;
        let cut = change.cut_trail(&By::run(run.0), before, &workshop.keys.checkpoint).await.map_err(store)?;
        change.commit().await.map_err(store)?;
        pass("trail-cut");
        if let Some(cut) = cut {
            tracing::info!(first = cut.first, entries = cut.entries, counts = ?cut.counts, "the trail is pruned");
            tracing::info!(checkpoint = %cut.note, "the trail is signed");
        }
    }
    progress.is_stopped |= !workshop.store.sweep(stop).await.map_err(store)?;
    Ok(())
}

/// Before which instant what was written is too old; none where it cannot be told.
async fn due_before(workshop: &Workshop) -> Result<Option<Timestamp>, JobError> {
    let Ok(proved) = workshop.clock.now().checked_sub(CLOCK_PROVED) else { return Ok(None) };
    let signed = workshop.store.signed_by(proved).await.map_err(store)?;
    let zone = workshop.settings.time_zone.clone();
    Ok(signed.and_then(|signed| workshop.settings.retention.keys.before(&signed.to_zoned(zone))))
}
