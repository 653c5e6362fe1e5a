//! Runs: what has run, what runs, and asking for one.

use super::status::within;
use super::{Desk, DeskError};
use crate::actor::Authorised;
use crate::store::{JobKind, Page, Run, RunId, RunTrigger};

impl Desk {
    /// Puts a run into the one queue, behind what waits there.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn queue_run(
        &self,
        leave: &Authorised,
        request: &str,
        job: JobKind,
        dry_run: bool,
    ) -> Result<Run, DeskError> {
        let trigger = RunTrigger::Manual { actor: leave.actor().clone(), request: Some(request.to_owned()) };
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        let id = change.queue_run(job, &trigger, dry_run).await.map_err(DeskError::Store)?;
        change.commit().await.map_err(DeskError::Store)?;
        drop(turn);
        self.run(leave, id).await
    }

    /// One run as it is now, with the counts of the categories that the asker sees whole. Whoever may see runs may see all
    /// of them.
    ///
    /// # Errors
    /// When there is none of this number, or the state cannot be read.
    pub async fn run(&self, leave: &Authorised, id: RunId) -> Result<Run, DeskError> {
        let run = self.store.run(id).await.map_err(DeskError::Store)?;
        run.map(|run| within(run, leave.scope())).ok_or(DeskError::NoSuchRun(id))
    }

    /// Runs, the latest first, at most `limit` of those before `before`.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn runs(
        &self,
        leave: &Authorised,
        before: Option<RunId>,
        limit: u32,
    ) -> Result<Page<Run, RunId>, DeskError> {
        let page = self.store.runs(before, limit).await.map_err(DeskError::Store)?;
        let items = page.items.into_iter().map(|run| within(run, leave.scope())).collect();
        Ok(Page { items, ..page })
    }
}
