//! Writing the whole file anew, and at once what searches need after that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::super::run::hearing;
use super::super::{JobError, store};
use super::{Ends, Removal, next_start, outside_hours};
use crate::config::causes;
use crate::erasure::pass;
use crate::proposal::RemovalStep;
use crate::source::SourceError;
use crate::store::StepEnd;

/// So often an index that has to be made anew is tried at once, each time for as long as the lock is waited for.
const REBUILD_TRIES: u32 = 20;

impl Removal<'_> {
    /// Why the whole file may not be written anew at this time of day, and when it may.
    fn vacuum_hours(&self) -> Option<(String, Option<Timestamp>)> {
        let hours = self.described.removal.vacuum.as_ref()?.value;
        let (now, zone) = (self.workshop.clock.now(), &self.workshop.settings.time_zone);
        (!hours.hold_at(now, zone)).then(|| (format!("outside its hours, {hours}"), next_start(self.workshop, hours)))
    }

    /// Why the whole file may not, or cannot, be written anew; `None` where it can.
    async fn cannot_vacuum(&mut self) -> Result<Option<(String, Option<Timestamp>)>, SourceError> {
        if let Some(outside) = self.vacuum_hours() {
            return Ok(Some(outside));
        }
        if let Some(fault) = self.remover.vacuum_fault().await? {
            return Ok(Some((format!("it would fail: {fault}"), None)));
        }
        let (needed, free) = self.remover.room().await?;
        let why = format!("it needs {needed} bytes of room beside the file, and there are {free}");
        Ok((needed > free).then_some((why, None)))
    }

    /// Writes the whole file anew, and at once what goes by the numbers that its rows had.
    pub(super) async fn vacuum(&mut self, ends: &mut Ends) -> Result<(), JobError> {
        if ends.iter().any(|(step, end)| *step == RemovalStep::Rebuild && *end != StepEnd::Done) {
            // Rows have other numbers already: they are not given others once more before the indexes know.
            let why = "the rest has to be done first".to_owned();
            ends.push((RemovalStep::Vacuum, self.later(RemovalStep::Vacuum, why, None)));
            return Ok(());
        }
        let cannot = self.cannot_vacuum().await.unwrap_or_else(|error| Some((causes(&error), None)));
        if let Some((why, next_at)) = cannot {
            ends.push((RemovalStep::Vacuum, self.later(RemovalStep::Vacuum, why, next_at)));
            return Ok(());
        }
        let renumbers = !self.remover.rebuilt().is_empty();
        if renumbers {
            self.owe(RemovalStep::Rebuild).await.map_err(store)?;
        }
        let before = self.remover.schema_changes().await.ok();
        match self.write_anew().await {
            Ok(()) => {
                ends.push((RemovalStep::Vacuum, StepEnd::Done));
                pass("removal-vacuumed");
                if renumbers {
                    self.rebuild_once_more(ends).await;
                }
            }
            Err(error) => {
                let (why, next_at) = match self.vacuum_hours().or_else(|| outside_hours(self.workshop, self.described))
                {
                    _ if (self.stop)() => ("the daemon was stopped".to_owned(), Some(self.workshop.clock.now())),
                    Some(outside) => outside,
                    None => (causes(&error), None),
                };
                ends.push((RemovalStep::Vacuum, self.later(RemovalStep::Vacuum, why, next_at)));
                // It is done whole or not at all, and counts as a change of the schema. Even of what was done the answer may
                // have been lost.
                let is_undone = before.is_some() && before == self.remover.schema_changes().await.ok();
                if renumbers && is_undone {
                    self.owe_no_longer(RemovalStep::Rebuild).await.map_err(store)?;
                } else if renumbers {
                    self.rebuild_once_more(ends).await;
                }
            }
        }
        Ok(())
    }

    /// Whatever was made anew before the whole file was written anew has to be once more.
    async fn rebuild_once_more(&mut self, ends: &mut Ends) {
        ends.retain(|(step, _)| *step != RemovalStep::Rebuild);
        ends.push((RemovalStep::Rebuild, self.rebuild().await));
    }

    async fn write_anew(&mut self) -> Result<(), SourceError> {
        let hours = self.described.removal.vacuum.as_ref().map(|hours| hours.value);
        let of_source = self.workshop.hours_of(self.described);
        let (clock, zone) = (self.workshop.clock.clone(), self.workshop.settings.time_zone.clone());
        let is_stopped = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&is_stopped);
        let may = move || {
            hours.is_some_and(|hours| hours.hold_at(clock.now(), &zone))
                && of_source()
                && !heard.load(Ordering::Relaxed)
        };
        hearing(self.stop, &is_stopped, self.remover.vacuum(may)).await
    }

    /// Whoever has the lock is waited for: until it is done, searches find somebody else.
    pub(super) async fn rebuild(&mut self) -> StepEnd {
        let (mut tries, mut whys) = (0, Vec::new());
        for index in self.remover.rebuilt() {
            let done = loop {
                tries += 1;
                match self.remover.rebuild(&index).await {
                    Err(SourceError::Locked) if tries < REBUILD_TRIES => {}
                    done => break done,
                }
            };
            if let Err(error) = done {
                whys.push(format!("{}: {}", index.name, causes(&error)));
            }
        }
        if whys.is_empty() {
            return StepEnd::Done;
        }
        self.later(RemovalStep::Rebuild, whys.join("; "), None)
    }
}
