//! The schema gates on record: told when one closes and when it opens again, in the trail and in the log, and not at every
//! look; and what a category relies on, noted when it is seen first.

use super::{JobError, Workshop, store};
use crate::audit::By;
use crate::erasure::{Open, open_as_remembered};
use crate::record::{CategoryName, SourceName};
use crate::source::Shape;
use crate::store::{RunId, SchemaGate, shapes};

/// What is to be written about the gates of one source.
#[derive(Default)]
struct News {
    noted: Vec<(CategoryName, String)>,
    closed: Vec<(CategoryName, String)>,
    opened: Vec<CategoryName>,
}

impl Workshop {
    /// Opens a source, and lays its categories over the schema as it is now and as it was when it was last accepted. What
    /// is new of that goes on record with the run; a dry run only looks.
    pub(super) async fn open(&self, name: &SourceName, run: Option<RunId>) -> Result<Open, JobError> {
        let gates = self.store.schema_gates().await.map_err(store)?;
        let remembered = shapes::<Shape>(&gates).map_err(store)?;
        let open = open_as_remembered(&self.settings, name, &remembered).await.map_err(JobError::Open)?;
        if let Some(run) = run {
            self.note(run, &news(&open, &gates)).await?;
        }
        Ok(open)
    }

    async fn note(&self, run: RunId, news: &News) -> Result<(), JobError> {
        if news.noted.is_empty() && news.closed.is_empty() && news.opened.is_empty() {
            return Ok(());
        }
        let by = By::run(run.0);
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.map_err(store)?;
        if !news.noted.is_empty() {
            change.note_shapes(&by, &news.noted).await.map_err(store)?;
        }
        for (category, reason) in &news.closed {
            change.close_gate(&by, category, reason).await.map_err(store)?;
        }
        for category in &news.opened {
            change.open_gate(&by, category).await.map_err(store)?;
        }
        change.commit().await.map_err(store)?;
        news.log();
        Ok(())
    }
}

impl News {
    fn log(&self) {
        for (category, reason) in &self.closed {
            tracing::warn!(%category, %reason, "the schema gate of a category is closed");
        }
        for category in &self.opened {
            tracing::info!(%category, "the schema gate of a category is open again");
        }
    }
}

/// What is not on record yet.
fn news(open: &Open, gates: &[SchemaGate]) -> News {
    let known = |category: &CategoryName| gates.iter().find(|gate| gate.category == *category);
    let mut news = News::default();
    for stopped in &open.stopped {
        let closed = known(&stopped.category).and_then(|gate| gate.closed.as_ref());
        if closed.is_none_or(|(_, reason)| *reason != stopped.reason) {
            news.closed.push((stopped.category.clone(), stopped.reason.clone()));
        }
    }
    for (category, shape) in &open.shapes {
        let gate = known(category);
        let shape = shape.to_string();
        if gate.and_then(|gate| gate.shape.as_ref()) != Some(&shape) {
            news.noted.push((category.clone(), shape));
        }
        if gate.is_some_and(|gate| gate.closed.is_some()) {
            news.opened.push(category.clone());
        }
    }
    news
}
