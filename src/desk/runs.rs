//! Runs: what has run, what runs, and asking for one.

use super::status::within;
use super::{Desk, DeskError, Reason};
use crate::actor::Authorised;
use crate::audit::By;
use crate::store::{JobKind, Page, Run, RunEntries, RunId, RunTrigger};

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

    /// The newest run of a job that has ended, where the brake has stopped something in it, and what stands for all that it
    /// has stopped.
    ///
    /// # Errors
    /// When it has stopped nothing, or something that the asker does not see whole, or the state cannot be read.
    pub async fn closed_brake(&self, leave: &Authorised, job: JobKind) -> Result<(Run, String), DeskError> {
        let run = self.store.newest_ended(job).await.map_err(DeskError::Store)?;
        let run = run.ok_or(DeskError::NothingBraked(job))?;
        let digest = run.report.brake_digest().ok_or(DeskError::NothingBraked(job))?;
        let is_seen = |name: &String| name.parse().is_ok_and(|name| leave.scope().sees_all_of(&name));
        if !run.report.brakes.keys().all(is_seen) {
            return Err(DeskError::BrakeUnseen(job));
        }
        Ok((within(run, leave.scope()), digest))
    }

    /// Queues a run that goes on over what the brake has stopped in the newest run of the job, if that is what this digest
    /// stands for. In that run each set is counted again: only over the same one it goes on.
    ///
    /// # Errors
    /// When it is not, or the brake has stopped nothing, or the state cannot be written.
    pub async fn override_brake(
        &self,
        leave: &Authorised,
        request: &str,
        job: JobKind,
        digest: &str,
        reason: &Reason,
    ) -> Result<Run, DeskError> {
        let (_, now) = self.closed_brake(leave, job).await?;
        if now != digest {
            return Err(DeskError::OtherBrake(job));
        }
        let by = By::request(leave.actor().clone(), request);
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        let queued = change.override_brake(&by, job, digest, reason).await.map_err(DeskError::Store)?;
        let id = queued.ok_or(DeskError::OtherBrake(job))?;
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

    /// The same with what the trail has of it. Whoever does not see every record gets no checkpoint's text: who may read the
    /// trail has it from there.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_report(&self, leave: &Authorised, id: RunId) -> Result<(Run, RunEntries), DeskError> {
        let run = self.run(leave, id).await?;
        let mut entries = self.store.run_entries(id).await.map_err(DeskError::Store)?;
        if !leave.scope().is_everything()
            && let Some(signed) = &mut entries.signed
        {
            signed.note.clear();
        }
        Ok((run, entries))
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
