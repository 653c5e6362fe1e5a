//! The last step: looking for what was erased, in vain.

use super::super::proof::prove;
use super::super::run::Progress;
use super::super::{JobError, store};
use super::{Ends, Removal, outside_hours};
use crate::proof::{Layer, ProofReport, Verdict};
use crate::proposal::RemovalStep;
use crate::store::{Doing, Remaining, StepEnd};

impl Removal<'_> {
    /// Looks whether it is gone: by values in the run that has erased, whatever could not be done; later by structure alone,
    /// when all else is done.
    pub(super) async fn prove(&mut self, ends: &mut Ends, progress: &mut Progress<'_>) -> Result<StepEnd, JobError> {
        let sample = progress.samples.of(&self.described.name);
        let pending = ends.iter().filter_map(|(_, end)| match end {
            StepEnd::Pending(Remaining { next_at, .. }) => Some(*next_at),
            StepEnd::Done | StepEnd::NotWanted => None,
        });
        let next_at = pending.min();
        if sample.is_none() && next_at.is_some() {
            return Ok(self.later(RemovalStep::Proof, "the rest has to be done first".to_owned(), next_at));
        }
        let is_emptied = ends.contains(&(RemovalStep::Checkpoint, StepEnd::Done));
        progress.is_at(self.workshop, Some(self.run), Doing::Proving, &self.described.name).await?;
        let report =
            prove(self.workshop, self.run, self.described, sample, is_emptied, self.stop).await.map_err(store)?;
        let unknown = report.trouble().or_else(|| self.outside_sample(&report, progress));
        let unknown = unknown.map(|why| self.with_remedy(why, &report));
        let next_at = match outside_hours(self.workshop, self.described) {
            _ if (self.stop)() => Some(self.workshop.clock.now()),
            Some((_, begin)) => begin,
            None => next_at,
        };
        let end = unknown.map_or(StepEnd::Done, |why| self.later(RemovalStep::Proof, why, next_at));
        progress.is_stopped |= end != StepEnd::Done && (self.stop)();
        if let StepEnd::Pending(Remaining { next_at, .. }) = &end
            && self.is_for_vacuum(&report)
            && !ends.iter().any(|(step, _)| *step == RemovalStep::Vacuum)
        {
            // No sooner than the proof is tried again: an application that leaves its own behind would be locked out for nothing.
            self.owe(RemovalStep::Vacuum).await.map_err(store)?;
            let why = "the proof has found what nothing else removes".to_owned();
            ends.push((RemovalStep::Vacuum, self.later(RemovalStep::Vacuum, why, Some(*next_at))));
        }
        progress.report.proofs.insert(self.described.name.to_string(), report);
        Ok(end)
    }

    /// Whether something was found in the database itself that writing it anew removes, where that may be done.
    fn is_for_vacuum(&self, report: &ProofReport) -> bool {
        let is_found = matches!(report.verdict(Layer::Database), Some(Verdict::Found { .. }));
        (is_found || report.is_clean()) && report.nonzero_ours() > 0 && self.described.removal.vacuum.is_some()
    }

    /// What lies between the rows of a page stays there until the whole file is written anew.
    fn with_remedy(&self, why: String, report: &ProofReport) -> String {
        let name = &self.described.name;
        let is_of_structure = report.values.is_none() || report.is_clean();
        if is_of_structure && report.nonzero_ours() > 0 && self.described.removal.vacuum.is_none() {
            return format!("{why}; goes only with VACUUM ([source.{name}.removal] vacuum)");
        }
        why
    }

    /// The values that were looked for say nothing of whom earlier runs have erased: for these the structure has to be clean.
    fn outside_sample(&self, report: &ProofReport, progress: &Progress<'_>) -> Option<String> {
        let of_source = self.workshop.settings.categories.values();
        let of_source = of_source.filter(|category| category.source.value == self.described.name);
        let counts = of_source.filter_map(|category| progress.report.categories.get(category.name.as_str()));
        let erased: u64 = counts.map(|counts| counts.deleted + counts.anonymised).sum();
        let earlier = self.owed(RemovalStep::Proof).map_or(0, |owed| owed.records).saturating_sub(erased);
        let nonzero = report.nonzero_ours();
        (report.values.is_some() && earlier > 0 && nonzero > 0).then(|| {
            format!("values of {earlier} records that earlier runs have erased are not known any more, and {nonzero} bytes are not zero")
        })
    }
}
