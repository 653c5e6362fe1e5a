//! Values of some of those whom a run erases, kept until it has been looked whether they are gone.

use std::collections::BTreeMap;

use crate::proof::{Sample, Spread};
use crate::record::{RecordKey, SourceName};
use crate::source::{Mapping, Reader};

/// The sample of one run, by source.
#[derive(Default)]
pub(super) struct Samples {
    spread: Option<Spread>,
    of: BTreeMap<SourceName, Sample>,
}

impl Samples {
    /// For a run that has so many records before it.
    pub(super) fn over(records: u64) -> Self {
        Self { spread: Some(Spread::over(records)), of: BTreeMap::new() }
    }

    /// Reads the values of those of the records that are to be in the sample. Called before the source's lock is taken: what
    /// the application changes between the two is not in it.
    pub(super) async fn take<'k>(
        &mut self,
        source: &SourceName,
        reader: &mut Reader,
        mapping: &Mapping,
        keys: impl Iterator<Item = &'k RecordKey>,
    ) {
        let Some(spread) = &mut self.spread else { return };
        let chosen: Vec<RecordKey> = keys.filter(|_| spread.takes_next()).cloned().collect();
        if chosen.is_empty() {
            return;
        }
        match reader.personal(mapping, &chosen).await {
            Ok(values) => self.of.entry(source.clone()).or_default().add_all(chosen.len() as u64, values),
            Err(error) => {
                // Erasing does not wait for the proof: it then says of how many records it knows values.
                tracing::warn!(error = %crate::config::causes(&error), "records are left out of the sample");
            }
        }
    }

    /// The sample of a source, which goes with whoever takes it; none where this run has taken none.
    pub(super) fn of(&mut self, source: &SourceName) -> Option<Sample> {
        self.of.remove(source)
    }
}
