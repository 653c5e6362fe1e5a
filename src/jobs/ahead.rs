//! Reads a category's table ahead of whoever writes what is found in it: two databases are at work, and neither waits for
//! the other.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::erasure::{Day, Selection, Stretch};
use crate::record::FingerprintKey;
use crate::source::{Mapping, Reader, SourceError};

/// Stretches that are read and not yet written.
const STRETCHES_AHEAD: usize = 1;

/// A walk through a table that goes on by itself.
pub(super) struct Ahead {
    stretches: mpsc::Receiver<Result<Stretch, SourceError>>,
    reading: JoinHandle<(Reader, bool)>,
}

impl Ahead {
    /// Begins to read, and leaves off before the first stretch for which it may not go on.
    pub(super) fn read(
        mut reader: Reader,
        mapping: Mapping,
        day: Day,
        key: FingerprintKey,
        max_lock: Duration,
        may_go_on: impl Fn() -> bool + Send + 'static,
    ) -> Self {
        let (sender, stretches) = mpsc::channel(STRETCHES_AHEAD);
        let reading = tokio::spawn(async move {
            let mut selection = Selection::new(&mapping, &day, &key, max_lock);
            while selection.is_over() || may_go_on() {
                let Some(stretch) = selection.next(&mut reader).await.transpose() else {
                    return (reader, false);
                };
                let is_last = stretch.is_err();
                if sender.send(stretch).await.is_err() || is_last {
                    return (reader, false);
                }
            }
            (reader, true)
        });
        Self { stretches, reading }
    }

    /// The next stretch; `None` at the table's end, and where it has left off.
    pub(super) async fn next(&mut self) -> Option<Result<Stretch, SourceError>> {
        self.stretches.recv().await
    }

    /// Stops reading, wherever it is. Gives the reader back, and whether it has left off because it might not go on.
    pub(super) async fn end(self) -> (Reader, bool) {
        drop(self.stretches);
        match self.reading.await {
            Ok(done) => done,
            // It is never cancelled; what has panicked there panics here.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
