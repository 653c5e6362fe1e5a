//! Shells: anonymised records whose row nothing keeps any more. Where the category says so, the final job deletes them.

use super::batches::Batches;
use super::brake::Seen;
use super::{JobError, Workshop, store};
use crate::config::SourceSettings;
use crate::erasure::{Examined, Preview, examine, preview};
use crate::proposal::{Origin, Outcome};
use crate::record::{Fingerprint, RecordKey, RecordRef};
use crate::source::{Mapping, Reader, SourceError};
use crate::store::{BATCH_MAX_RECORDS, NewProposal, StoreError};

/// A shell.
pub(super) struct Shell {
    pub(super) key: RecordKey,
    pub(super) fingerprint: Fingerprint,
    pub(super) unit: Option<String>,
    pub(super) preview: Preview,
}

/// Why shells cannot be looked for.
pub(super) enum ShellError {
    Source(SourceError),
    Store(StoreError),
}

impl ShellError {
    /// The error, with the source that it is about.
    pub(super) fn named(self, described: &SourceSettings) -> JobError {
        match self {
            Self::Source(source) => JobError::Source { name: described.name.to_string(), source },
            Self::Store(error) => store(error),
        }
    }
}

/// A walk through what the ledger has as anonymised, a page at a time.
pub(super) struct Shells<'a> {
    workshop: &'a Workshop,
    mapping: &'a Mapping,
    after: Option<RecordKey>,
    is_over: bool,
    /// Those of the last page whose row is gone.
    gone: Vec<RecordKey>,
}

impl<'a> Shells<'a> {
    /// A walk that is over at once where the category does not want its shells removed.
    pub(super) fn of(workshop: &'a Workshop, mapping: &'a Mapping) -> Self {
        let is_wanted = workshop.settings.categories.get(&mapping.category).is_some_and(|c| c.remove_shells);
        Self { workshop, mapping, after: None, is_over: !is_wanted, gone: Vec::new() }
    }

    /// The shells of the next page; `None` at the end.
    pub(super) async fn next(&mut self, reader: &mut Reader) -> Result<Option<Vec<Shell>>, ShellError> {
        if self.is_over {
            return Ok(None);
        }
        let found =
            self.workshop.store.anonymised(&self.mapping.category, self.after.as_ref(), BATCH_MAX_RECORDS).await;
        let anonymised = found.map_err(ShellError::Store)?;
        let Some((last, _)) = anonymised.last() else {
            self.is_over = true;
            return Ok(None);
        };
        self.after = Some(last.clone());
        let (day, key) = (self.workshop.day(), &self.workshop.keys.fingerprint);
        let keys: Vec<RecordKey> = anonymised.iter().map(|(key, _)| key.clone()).collect();
        let now = examine(reader, self.mapping, &day, key, &keys).await;
        let now = reader.under_one_schema(now).await.map_err(ShellError::Source)?;
        let mut same = Vec::new();
        self.gone.clear();
        for ((key, after), now) in anonymised.into_iter().zip(now) {
            match now {
                // Whoever is there instead is nobody's shell.
                Examined::Found { fingerprint, unit, retained: None, .. } if fingerprint == after => {
                    same.push((key, fingerprint, unit));
                }
                Examined::Found { .. } => {}
                Examined::Gone => self.gone.push(key),
            }
        }
        let keys: Vec<RecordKey> = same.iter().map(|(key, ..)| key.clone()).collect();
        // A row without a name is like another without one: it must be empty in every personal column.
        let empty = reader.anonymised(self.mapping, &keys).await;
        let empty = reader.under_one_schema(empty).await.map_err(ShellError::Source)?;
        same.retain(|(key, ..)| empty.contains(key));
        let keys: Vec<RecordKey> = same.iter().map(|(key, ..)| key.clone()).collect();
        let previews = preview(reader, self.mapping, key, &keys).await;
        let previews = reader.under_one_schema(previews).await.map_err(ShellError::Source)?;
        let kept_by_nothing = previews.into_iter().filter(|preview| preview.planned.outcome == Outcome::Deleted);
        let shell = |preview: Preview| {
            let (key, fingerprint, unit) = same.iter().find(|(key, ..)| *key == preview.planned.key)?.clone();
            Some(Shell { key, fingerprint, unit, preview })
        };
        Ok(Some(kept_by_nothing.filter_map(shell).collect()))
    }
}

impl Shell {
    /// As the brake sees it.
    pub(super) fn seen(&self) -> Seen<'_> {
        let Self { key, fingerprint, unit, .. } = self;
        Seen { key, fingerprint, origin: &Origin::Shell, unit: unit.as_deref(), is_confirmed: true }
    }
}

impl Batches<'_, '_> {
    /// Proposes this run's shells, confirmed as the category's rule says; they are then erased like everything else.
    pub(super) async fn confirm_shells(&mut self) -> Result<(), JobError> {
        let (workshop, category) = (self.workshop, &self.mapping.category);
        let mut shells = Shells::of(workshop, self.mapping);
        while let Some(found) = shells.next(self.reader).await.map_err(|error| error.named(self.described))? {
            let proposal = |shell: Shell| NewProposal {
                record: RecordRef { category: category.clone(), key: shell.key },
                source: self.described.name.clone(),
                unit: shell.unit,
                origin: Origin::Shell,
                fingerprint: shell.fingerprint,
                is_confirmed: true,
            };
            let new: Vec<NewProposal> = found.into_iter().map(proposal).collect();
            if !new.is_empty() || !shells.gone.is_empty() {
                let mut turn = workshop.store.turn().await;
                let mut change = turn.begin().await.map_err(store)?;
                change.propose(self.run, &new).await.map_err(store)?;
                change.forget_keys(category, &shells.gone).await.map_err(store)?;
                change.commit().await.map_err(store)?;
            }
            if (self.stop)() {
                break;
            }
        }
        Ok(())
    }
}
