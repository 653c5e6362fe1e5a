//! One verdict over the same person's records in all categories.
//!
//! What one linked record blocks is said here, before anything is decided. May be relied on: of a record outside the
//! asker's scope nothing is told but that it is there, and whether it blocks.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;

use super::list::ANOTHER_PERSON;
use super::show::{held, not_due_of};
use super::{Blocked, Desk, DeskError, Glass};
use crate::actor::Scope;
use crate::config::causes;
use crate::erasure::{Examined, LINKED_RECORDS_MAX, Open, Sources, Verdict, examine, in_order, preview, preview_joint};
use crate::proposal::{Origin, Outcome, State};
use crate::record::{CategoryName, RecordKey, RecordRef, SourceName};
use crate::source::{Label, Mapping};
use crate::store::Proposal;

/// The records of one person, and what is to be said of them together.
#[derive(Debug, Default)]
pub struct LinkedVerdict {
    /// The records, the one asked about first. Those outside the asker's scope come last.
    pub records: Vec<LinkedRecord>,
    /// Whether links lead to more than can be decided about together.
    pub is_too_large: bool,
    /// Why not all links could be followed.
    pub troubles: Vec<String>,
}

/// One of them.
#[derive(Debug)]
pub struct LinkedRecord {
    /// Which; `None` outside the asker's scope.
    pub record: Option<RecordRef>,
    /// Who it is about.
    pub label: Option<Label>,
    /// What speaks for erasing it, or against.
    pub standing: Standing,
    /// Its last proposal.
    pub proposal: Option<Proposal>,
    /// What erasing it alone would do now.
    pub alone: Option<Outcome>,
    /// What erasing it together with the others of this source would do; `None` where it is not among those.
    pub together: Option<Outcome>,
    /// Whether it is in the same source as the record asked about: only then the two can be erased together.
    pub is_beside: bool,
}

/// How a linked record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is due, or marked.
    Due {
        /// Why.
        origin: Origin,
    },
    /// It may not be erased.
    Blocked {
        /// The first day on which nothing of this speaks against it; `None` where that cannot be told.
        until: Option<Date>,
        /// Why, in words.
        reason: String,
    },
    /// It is not due, and nothing speaks against erasing it but that.
    Free {
        /// Why it is not due, in words.
        reason: String,
    },
    /// It was erased.
    Erased,
    /// It cannot be told.
    Unknown {
        /// Why, in words.
        problem: String,
    },
}

impl Standing {
    /// Whether it stands in the way of erasing all of them.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        matches!(self, Self::Blocked { .. } | Self::Unknown { .. })
    }
}

/// What is said of all of them, in sentences.
impl fmt::Display for LinkedVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_too_large {
            return write!(
                f,
                "more than {LINKED_RECORDS_MAX} records are linked: nothing can be said of them together"
            );
        }
        let mut said: Vec<String> = self.records.iter().filter_map(LinkedRecord::objection).collect();
        let hidden = self.records.iter().filter(|one| one.record.is_none() && one.standing.blocks()).count();
        match hidden {
            0 => {}
            1 => said.push("another record blocks".to_owned()),
            many => said.push(format!("{many} other records block")),
        }
        said.extend(self.troubles.iter().map(|trouble| format!("a link cannot be followed: {trouble}")));
        if said.is_empty() {
            said.push("nothing blocks any of them".to_owned());
        }
        if self.records.iter().any(|one| !one.is_beside) {
            said.push("what is in another source is decided with the others and erased alone".to_owned());
        }
        f.write_str(&said.join("; "))
    }
}

impl LinkedRecord {
    /// What it says against erasing all of them, where the asker may know.
    fn objection(&self) -> Option<String> {
        let record = self.record.as_ref()?;
        match &self.standing {
            Standing::Blocked { reason, .. } => Some(format!("{record}: {reason}")),
            Standing::Unknown { problem } => Some(format!("{record}: {problem}")),
            Standing::Due { .. } | Standing::Free { .. } | Standing::Erased => None,
        }
    }
}

/// A record with what its source says.
struct Looked {
    standing: Standing,
    label: Option<Label>,
    alone: Option<Outcome>,
    now: Option<Examined>,
}

impl Desk {
    /// The records that links lead to from this one, and the verdict over all of them; `None` where there is no other.
    ///
    /// # Errors
    /// When the state cannot be read. A source that cannot be read is no error: the verdict then says so.
    pub(super) async fn linked(&self, scope: &Scope, record: &RecordRef) -> Result<Option<LinkedVerdict>, DeskError> {
        let mut sources = Sources::default();
        let verdict = self.verdict_over(&self.glass(), &mut sources, scope, record).await;
        sources.close().await;
        verdict
    }

    /// The same over sources that stay open for the next record.
    pub(super) async fn verdict_over(
        &self,
        glass: &Glass<'_>,
        sources: &mut Sources,
        scope: &Scope,
        start: &RecordRef,
    ) -> Result<Option<LinkedVerdict>, DeskError> {
        let circle = match sources.circle(&glass.settings, start).await {
            Ok(circle) => circle,
            Err(error) => {
                return Ok(Some(LinkedVerdict { troubles: vec![causes(&error)], ..LinkedVerdict::default() }));
            }
        };
        if circle.records.len() == 1 && circle.troubles.is_empty() {
            return Ok(None);
        }
        if circle.is_too_large {
            return Ok(Some(LinkedVerdict { is_too_large: true, ..LinkedVerdict::default() }));
        }
        let mut proposals = BTreeMap::new();
        for record in &circle.records {
            if let Some(proposal) = self.store.proposal(record).await.map_err(DeskError::Store)? {
                proposals.insert(record.clone(), proposal);
            }
        }
        let mut looked = look_at_all(glass, sources, &circle.records, &proposals).await;
        self.tell_newcomers(&mut looked, &proposals).await?;
        let holds = self.store.holds_on(&circle.records).await.map_err(DeskError::Store)?;
        for (record, holds) in holds {
            if let (Some(looked), Some(hold)) = (looked.get_mut(&record), holds.into_iter().next()) {
                let about = match &looked.now {
                    Some(Examined::Found { fingerprint, .. }) => Some(fingerprint),
                    Some(Examined::Gone) | None => None,
                };
                let Blocked { until, reason } = held(glass, &self.in_words(hold), about);
                looked.standing = Standing::Blocked { until, reason };
            }
        }
        let home = source_of(glass, &start.category);
        let mut records = Vec::new();
        for record in circle.records {
            let Some(found) = looked.remove(&record) else { continue };
            let proposal = proposals.remove(&record);
            let is_beside = source_of(glass, &record.category) == home;
            records.push(shown(scope, record, found, proposal, is_beside));
        }
        records.sort_by_key(|one: &LinkedRecord| one.record.is_none());
        if let Some(home) = home {
            add_joint_outcomes(glass, sources, &home, &mut records).await;
        }
        // What is wrong with a category that the asker may not see is not theirs to know.
        let troubles = if scope.is_everything() || circle.troubles.is_empty() {
            circle.troubles.into_iter().collect()
        } else {
            vec!["a category cannot be looked at".to_owned()]
        };
        Ok((records.len() > 1 || !troubles.is_empty()).then_some(LinkedVerdict {
            records,
            is_too_large: false,
            troubles,
        }))
    }

    /// Whoever is under the key of a record that was erased is not erased, and stands as if nothing had been decided.
    async fn tell_newcomers(
        &self,
        looked: &mut BTreeMap<RecordRef, Looked>,
        proposals: &BTreeMap<RecordRef, Proposal>,
    ) -> Result<(), DeskError> {
        let is_erased = |own: &Proposal| matches!(own.life.state(), State::Erased { .. });
        for (record, found) in looked.iter_mut().filter(|(record, _)| proposals.get(*record).is_some_and(is_erased)) {
            let Some(now @ Examined::Found { fingerprint, .. }) = &found.now else { continue };
            let erased = self.last_erasure(record).await?;
            if erased.is_none_or(|erased| !erased.is_left_in(fingerprint))
                && let Some(standing) = standing(None, now)
            {
                found.standing = standing;
            }
        }
        Ok(())
    }
}

fn source_of(glass: &Glass<'_>, category: &CategoryName) -> Option<SourceName> {
    glass.settings.categories.get(category).map(|category| category.source.value.clone())
}

/// The record as the asker may see it. Whether they may is told by the record as it is now, or as it was proposed.
fn shown(scope: &Scope, record: RecordRef, found: Looked, proposal: Option<Proposal>, is_beside: bool) -> LinkedRecord {
    let covers = |unit: Option<&str>, digest: &[u8; 32]| scope.covers(&record, unit, digest);
    let is_visible = match (&found.now, &proposal) {
        (Some(Examined::Found { unit, fingerprint, .. }), _) => covers(unit.as_deref(), &fingerprint.digest),
        (_, Some(proposal)) => covers(proposal.unit.as_deref(), &proposal.fingerprint.digest),
        (_, None) => covers(None, &[0; 32]),
    };
    if !is_visible {
        let standing = if found.standing.blocks() {
            Standing::Blocked { until: None, reason: "another record blocks".to_owned() }
        } else {
            Standing::Free { reason: "another record".to_owned() }
        };
        return LinkedRecord {
            record: None,
            label: None,
            standing,
            proposal: None,
            alone: None,
            together: None,
            is_beside: true,
        };
    }
    let Looked { standing, label, alone, .. } = found;
    LinkedRecord { record: Some(record), label, standing, proposal, alone, together: None, is_beside }
}

/// What the sources say of the records. One that is not there, and never was decided about, is left out: links may lead
/// to what has gone.
async fn look_at_all(
    glass: &Glass<'_>,
    sources: &mut Sources,
    records: &[RecordRef],
    proposals: &BTreeMap<RecordRef, Proposal>,
) -> BTreeMap<RecordRef, Looked> {
    let mut by_category: BTreeMap<&CategoryName, Vec<RecordKey>> = BTreeMap::new();
    for record in records {
        by_category.entry(&record.category).or_default().push(record.key.clone());
    }
    let mut found = BTreeMap::new();
    for (category, keys) in by_category {
        let named = |key: &RecordKey| RecordRef { category: category.clone(), key: key.clone() };
        let looked = match source_of(glass, category) {
            None => Err(format!("there is no category {category} in the settings")),
            Some(source) => match sources.open(&glass.settings, &source).await {
                Ok(opened) => look_at(glass, opened, category, &keys, |key| proposals.get(&named(key))).await,
                Err(problem) => Err(problem),
            },
        };
        match looked {
            Ok(looked) => {
                let looked = keys.iter().zip(looked).filter_map(|(key, looked)| Some((named(key), looked?)));
                found.extend(looked);
            }
            Err(problem) => found.extend(keys.iter().map(|key| {
                let standing = Standing::Unknown { problem: problem.clone() };
                (named(key), Looked { standing, label: None, alone: None, now: None })
            })),
        }
    }
    found
}

async fn look_at<'p>(
    glass: &Glass<'_>,
    opened: &mut Open,
    category: &CategoryName,
    keys: &[RecordKey],
    proposal_of: impl Fn(&RecordKey) -> Option<&'p Proposal>,
) -> Result<Vec<Option<Looked>>, String> {
    let said = |error| causes(&error);
    let why = || opened.why_stopped(category).unwrap_or("its category is not in the settings").to_owned();
    let mapping = opened.mappings.get(category).ok_or_else(why)?;
    // Labels first: who may see them is told by what is read after them.
    let labels = opened.reader.labels(mapping, keys).await.map_err(said)?;
    let examined = examine(&mut opened.reader, mapping, &glass.day, glass.key, keys).await.map_err(said)?;
    let outcomes: BTreeMap<RecordKey, Outcome> = preview(&mut opened.reader, mapping, glass.key, keys)
        .await
        .map_err(said)?
        .into_iter()
        .map(|preview| (preview.planned.key, preview.planned.outcome))
        .collect();
    let each = keys.iter().zip(examined).zip(labels);
    Ok(each
        .map(|((key, examined), label)| {
            let proposal = proposal_of(key);
            let standing = standing(proposal, &examined)?;
            Some(Looked { standing, label, alone: outcomes.get(key).copied(), now: Some(examined) })
        })
        .collect())
}

/// How a record stands, from what its source says of it now and what was decided about it; `None` where there is none.
fn standing(proposal: Option<&Proposal>, now: &Examined) -> Option<Standing> {
    let state = proposal.map(|proposal| proposal.life.state());
    let Examined::Found { fingerprint, verdict, retained, .. } = now else {
        return matches!(state, Some(State::Erased { .. })).then_some(Standing::Erased);
    };
    let blocked = |until, reason: String| Some(Standing::Blocked { until, reason });
    match state {
        Some(State::Erased { .. }) => return Some(Standing::Erased),
        // What is left of it was anonymised before.
        Some(_) if proposal.is_some_and(|own| own.origin == Origin::Shell) => return Some(Standing::Erased),
        Some(State::Postponed { until }) => return blocked(Some(*until), format!("it is postponed until {until}")),
        Some(state) if state.is_open() && proposal.is_some_and(|own| own.fingerprint != *fingerprint) => {
            return blocked(None, ANOTHER_PERSON.to_owned());
        }
        _ => {}
    }
    if let Some(kept) = retained {
        let Blocked { until, reason } = not_due_of(kept);
        return blocked(until, reason);
    }
    let mark = proposal.filter(|own| own.life.state().is_open() && own.origin.is_own());
    Some(match (mark, verdict) {
        (Some(mark), _) => Standing::Due { origin: mark.origin.clone() },
        (None, Verdict::Due(due)) => Standing::Due { origin: due.origin() },
        (None, Verdict::NotDue(reason)) => Standing::Free { reason: reason.to_string() },
    })
}

/// What erasing all due records of this source together would do.
async fn add_joint_outcomes(glass: &Glass<'_>, sources: &mut Sources, home: &SourceName, records: &mut [LinkedRecord]) {
    let Ok(Open { reader, mappings, .. }) = sources.open(&glass.settings, home).await else {
        return;
    };
    let mut joint: Vec<(&Mapping, Vec<RecordKey>)> = Vec::new();
    for mapping in in_order(mappings.values()) {
        let keys: Vec<RecordKey> = records
            .iter()
            .filter(|one| one.is_beside && matches!(one.standing, Standing::Due { .. }))
            .filter_map(|one| one.record.as_ref())
            .filter(|record| record.category == mapping.category)
            .map(|record| record.key.clone())
            .collect();
        if !keys.is_empty() {
            joint.push((mapping, keys));
        }
    }
    // What cannot be foreseen is left out; the outcome alone stands.
    let Ok(foreseen) = preview_joint(reader, &joint, glass.key).await else {
        return;
    };
    let mut outcomes: BTreeMap<RecordRef, Outcome> = BTreeMap::new();
    for ((mapping, _), previews) in joint.iter().zip(foreseen) {
        for preview in previews {
            let record = RecordRef { category: mapping.category.clone(), key: preview.planned.key };
            outcomes.insert(record, preview.planned.outcome);
        }
    }
    if outcomes.len() < 2 {
        return;
    }
    for one in records {
        one.together = one.record.as_ref().and_then(|record| outcomes.get(record)).copied();
    }
}
