//! The schema gates: what stops a category, and accepting what has changed.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Desk, DeskError};
use crate::actor::Authorised;
use crate::audit::By;
use crate::config::{Finding, Settings, causes};
use crate::erasure::{Open, SchemaChange, Shapes, Stopped, open_as_remembered};
use crate::record::{CategoryName, SourceName};
use crate::source::Shape;
use crate::store::{SchemaGate, StoreError, shapes};

/// A closed gate.
#[derive(Debug, Clone)]
pub struct ClosedGate {
    /// Since when a run has known of it; `None` where none has met it yet.
    pub since: Option<Timestamp>,
    /// All that is wrong.
    pub findings: Vec<GateFinding>,
    /// Stands for what has changed, to accept it by; `None` where the settings do not fit.
    pub digest: Option<String>,
}

/// Something that closes a gate.
#[derive(Debug, Clone)]
pub struct GateFinding {
    /// What is wrong.
    pub message: String,
    /// The settings file to write in.
    pub file: Option<String>,
    /// What to write or do.
    pub hint: Option<String>,
}

/// How the gate of a category stands.
#[derive(Debug, Clone)]
pub struct GateStanding {
    /// The category.
    pub category: CategoryName,
    /// The source that it is in.
    pub source: SourceName,
    /// Why it is stopped, in a sentence; `None` where it is not.
    pub problem: Option<String>,
    /// What closes its gate; `None` where it is open, or cannot be looked at.
    pub gate: Option<ClosedGate>,
}

/// Why a change of a schema is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// There is no such category, or none that the asker may see.
    #[error("there is no category {0}")]
    NoSuchCategory(CategoryName),
    /// Its source cannot be read.
    #[error("its source cannot be read: {0}")]
    Unread(String),
    /// What stops it is for the settings to put right.
    #[error("{0}")]
    Unfit(String),
    /// It is open.
    #[error("its gate is open")]
    IsOpen,
    /// It is not the change that was looked at.
    #[error("it is not the change that was looked at")]
    OtherChange,
    /// Somebody else was quicker, or the settings have changed.
    #[error("the settings have changed in the meantime")]
    Overtaken,
    /// The state is in the way.
    #[error("cannot use the state")]
    Store(#[source] StoreError),
}

/// What is remembered of the schemas.
pub(super) struct Remembered {
    pub(super) gates: Vec<SchemaGate>,
    pub(super) shapes: Shapes,
}

impl Remembered {
    /// What closes the category's gate, where something does.
    pub(super) fn closed(&self, opened: &Open, category: &CategoryName) -> Option<ClosedGate> {
        let Stopped { findings, change, .. } = opened.stopped(category)?;
        let known = self.gates.iter().find(|gate| gate.category == *category);
        Some(ClosedGate {
            since: known.and_then(|gate| gate.closed.as_ref()).map(|(since, _)| *since),
            findings: findings.iter().map(GateFinding::of).collect(),
            digest: change.as_ref().map(|change| change.digest.clone()),
        })
    }
}

impl GateFinding {
    fn of(finding: &Finding) -> Self {
        Self {
            message: finding.message.clone(),
            file: finding.place.as_ref().map(|place| place.file.to_string()),
            hint: finding.hint.clone(),
        }
    }
}

impl Desk {
    pub(super) async fn remembered(&self) -> Result<Remembered, DeskError> {
        let gates = self.store.schema_gates().await.map_err(DeskError::Store)?;
        let shapes = shapes::<Shape>(&gates).map_err(DeskError::Store)?;
        Ok(Remembered { gates, shapes })
    }

    /// How the gates stand of the categories that the asker may see.
    ///
    /// # Errors
    /// When the state cannot be read. A source that cannot be read is no error: it is told with its categories.
    pub async fn gates(&self, leave: &Authorised) -> Result<Vec<GateStanding>, DeskError> {
        let (settings, remembered) = (self.settings(), self.remembered().await?);
        let mut standings = Vec::new();
        for source in settings.sources.keys() {
            let of_source = settings.categories.values().filter(|category| category.source.value == *source);
            let visible = of_source.map(|category| &category.name).filter(|name| leave.scope().sees(name));
            let visible: Vec<&CategoryName> = visible.collect();
            // What does not exist for the asker takes no time either.
            if visible.is_empty() {
                continue;
            }
            let opened = open_as_remembered(&settings, source, &remembered.shapes).await;
            standings.extend(visible.into_iter().map(|category| {
                let (problem, gate) = match &opened {
                    Err(error) => (Some(causes(error)), None),
                    Ok(opened) => {
                        let why = opened.why_stopped(category).map(str::to_owned);
                        (why, remembered.closed(opened, category))
                    }
                };
                GateStanding { category: category.clone(), source: source.clone(), problem, gate }
            }));
            if let Ok(opened) = opened {
                opened.reader.close().await;
            }
        }
        standings.sort_by(|one, other| one.category.cmp(&other.category));
        Ok(standings)
    }

    /// Accepts what has changed in a category's schema, if it is the change that `digest` stands for and the settings fit.
    ///
    /// # Errors
    /// [`GateError`]; nothing has been changed then.
    pub async fn accept_schema(
        &self,
        leave: &Authorised,
        request: &str,
        category: &CategoryName,
        digest: &str,
    ) -> Result<GateStanding, GateError> {
        let settings = self.settings();
        let unknown = || GateError::NoSuchCategory(category.clone());
        let of = settings.categories.get(category).filter(|_| leave.scope().sees(category)).ok_or_else(unknown)?;
        let gates = self.store.schema_gates().await.map_err(GateError::Store)?;
        let change = change_of(&settings, &of.source.value, category, &gates).await?;
        if change.digest != digest {
            return Err(GateError::OtherChange);
        }
        let mut turn = self.store.turn().await;
        let mut written = turn.begin().await.map_err(GateError::Store)?;
        let shape = |gates: &[SchemaGate]| {
            gates.iter().find(|gate| gate.category == *category).and_then(|gate| gate.shape.clone())
        };
        // Nobody reads a source while holding the store: that came first, and holds if nothing has changed since.
        let is_as_seen = shape(&written.schema_gates().await.map_err(GateError::Store)?) == shape(&gates)
            && Arc::ptr_eq(&self.settings(), &settings);
        if !is_as_seen {
            return Err(GateError::Overtaken);
        }
        self.still_may(&mut written, leave).await.map_err(|error| match error {
            DeskError::Store(error) => GateError::Store(error),
            _ => GateError::Overtaken,
        })?;
        let by = By { actor: leave.actor().clone(), run: None, request: Some(request.to_owned()) };
        let SchemaChange { differences, now, .. } = change;
        written.accept_shape(&by, category, &now.to_string(), differences).await.map_err(GateError::Store)?;
        written.commit().await.map_err(GateError::Store)?;
        tracing::info!(%category, by = %leave.actor(), "a changed schema is accepted");
        Ok(GateStanding { category: category.clone(), source: of.source.value.clone(), problem: None, gate: None })
    }
}

/// The change of the schema that stops the category now.
async fn change_of(
    settings: &Settings,
    source: &SourceName,
    category: &CategoryName,
    gates: &[SchemaGate],
) -> Result<SchemaChange, GateError> {
    let remembered = shapes::<Shape>(gates).map_err(GateError::Store)?;
    let opened = open_as_remembered(settings, source, &remembered).await;
    let mut opened = opened.map_err(|error| GateError::Unread(causes(&error)))?;
    let place = opened.stopped.iter().position(|stopped| stopped.category == *category);
    let stopped = place.map(|place| opened.stopped.swap_remove(place));
    opened.reader.close().await;
    match stopped {
        None => Err(GateError::IsOpen),
        Some(Stopped { change: Some(change), .. }) => Ok(change),
        Some(Stopped { reason, .. }) => Err(GateError::Unfit(reason)),
    }
}
