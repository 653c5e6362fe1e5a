//! Confirming a whole set, as long as it is what somebody has seen; and what has become of it, where it is not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::digest::{SetPages, member, seen};
use super::error::failed;
use super::filter::Values;
use super::veil::Veil;
use super::{Change, Decided, Decision, DecisionError, DecisionFailure, ProposalFilter, SetDigest, StateCounts};
use super::{StoreError, Target, rows};
use crate::actor::Actor;
use crate::proposal::StateName;
use crate::record::{CategoryName, RecordRef};

/// Most mentions of records in the trail since a digest that are looked at.
const LOOKED_AT_MAX: u32 = 10_000;
/// Most records of each kind that are named.
pub const NAMED_MAX: usize = 20;

/// Some records, the first of them by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub records: Vec<RecordRef>,
}

impl Named {
    fn add(&mut self, record: RecordRef) {
        self.count += 1;
        if self.records.len() < NAMED_MAX {
            self.records.push(record);
        }
    }
}

/// How a set differs from what a digest stands for, as the trail tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetDifference {
    /// How many records the set had.
    pub then: u64,
    /// How many it has.
    pub now: u64,
    /// What is in it and was not.
    pub new: Named,
    /// What was in it and is no longer.
    pub gone: Named,
    /// What was in it and is, but not as it was.
    pub changed: Named,
    /// Whether more has happened than was looked at.
    pub more: bool,
}

/// Why a set was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum AllError {
    /// It is not what was seen.
    #[error("the set is not what its digest stands for")]
    Different(Box<SetDifference>),
    /// It is empty.
    #[error("there is nothing in the set")]
    Empty,
    /// Not all of it waits for a decision.
    #[error("{proposed} of the {records} records in the set wait for a decision")]
    NotProposed {
        /// How many there are.
        records: u64,
        /// How many wait for a decision.
        proposed: u64,
    },
    /// Some of the records cannot be confirmed so; the first of those that cannot are named.
    #[error("{} of the records cannot be confirmed so", .0.len())]
    Refused(Vec<DecisionFailure>),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Change<'_> {
    /// Confirms all that the filter lets through, if that is what the digest stands for, or nothing; gives where how many
    /// of them stand then. Each is judged as if it were confirmed alone; in the categories that `need_two`, two different
    /// people have to confirm it.
    ///
    /// # Errors
    /// [`AllError`] when it is not; the change must not be committed then.
    pub async fn confirm_all(
        &mut self,
        actor: &Actor,
        request: &str,
        need_two: &BTreeSet<CategoryName>,
        (filter, digest): (&ProposalFilter, &SetDigest),
        today: Date,
    ) -> Result<StateCounts, AllError> {
        let veil = self.veil.clone();
        let now = seen(&mut self.transaction, filter, &veil).await?;
        if !now.digest.is_same_set(digest) {
            let difference = difference(&mut self.transaction, &veil, (filter, digest), now.digest.records).await?;
            return Err(AllError::Different(Box::new(difference)));
        }
        let records = now.digest.records;
        if records == 0 {
            return Err(AllError::Empty);
        }
        if now.proposed < records {
            return Err(AllError::NotProposed { records, proposed: now.proposed });
        }
        let decision = Decision::Confirm { need_two: need_two.clone() };
        let mut counts = StateCounts::new();
        let mut pages = SetPages::begin(&mut self.transaction, filter, &veil).await?;
        while let Some(lines) = pages.next(&mut self.transaction).await? {
            let mut targets = Vec::new();
            for line in lines.split('\n') {
                let member = member(line)?;
                targets.push(Target { record: member.record(&veil)?, version: Some(member.3) });
            }
            match self.decide(actor, request, &decision, &targets, today).await {
                Ok(decided) => {
                    for Decided { record, state, .. } in decided {
                        *counts.entry(record.category).or_default().entry(state).or_default() += 1;
                    }
                }
                Err(DecisionError::Refused(failures)) => return Err(AllError::Refused(failures)),
                Err(DecisionError::Store(error)) => return Err(AllError::Store(error)),
            }
        }
        Ok(counts)
    }
}

/// Records that the trail has named since, each with the kinds of the entries that name it, and how often they do.
const TOUCHED: &str = "SELECT category, key, group_concat(DISTINCT kind) AS kinds, count(*) AS count \
     FROM (SELECT a.kind, g.value->>'category' AS category, k.value AS key FROM audit a, \
     json_each(a.details, '$.records') g, json_each(g.value, '$.keys') k WHERE a.seq > ?1 ORDER BY a.seq LIMIT ?2) \
     GROUP BY category, key";

/// What the trail tells of the set since the digest was made, of which it has `now` so many.
async fn difference(
    connection: &mut SqliteConnection,
    veil: &Veil,
    (filter, digest): (&ProposalFilter, &SetDigest),
    now: u64,
) -> Result<SetDifference, StoreError> {
    let touched = sqlx::query(TOUCHED)
        .bind(digest.seq.cast_signed())
        .bind(LOOKED_AT_MAX)
        .fetch_all(&mut *connection)
        .await
        .map_err(failed(READING))?;
    let mut difference = SetDifference { then: digest.records, now, ..SetDifference::default() };
    let (mut named, mut kinds) = (Vec::new(), BTreeMap::new());
    let mut looked_at = 0;
    for row in &touched {
        let record = rows::record(row, veil)?;
        looked_at += rows::count(row, "count")?;
        // What was written before the keys were taken for personal still stands in the trail as it was.
        let name = (record.category.as_str().to_owned(), veil.told(&record)?);
        named.push(name.clone());
        kinds.entry(name).or_insert_with(String::new).push_str(&format!(",{}", rows::get::<&str>(row, "kinds")?));
    }
    difference.more = looked_at >= u64::from(LOOKED_AT_MAX);
    let mut fates: BTreeMap<(String, String), (RecordRef, Fate)> = BTreeMap::new();
    for row in since(connection, veil, (filter, digest), &named).await? {
        let record = rows::record(&row, veil)?;
        let name = (record.category.as_str().to_owned(), rows::get(&row, "name")?);
        let said = kinds.get(&name).map_or("", String::as_str);
        // The newest tells the key, where it is open; the others may only name it.
        let (_, fate) = fates.entry(name).or_insert_with(|| (record, Fate::default()));
        fate.add(&row, filter, said)?;
    }
    for (record, fate) in fates.into_values() {
        match fate {
            Fate { was_in: false, is_in: true, .. } => difference.new.add(record),
            Fate { was_in: true, is_in: false, .. } => difference.gone.add(record),
            Fate { was_in: true, is_in: true, has_moved: true, .. } => difference.changed.add(record),
            Fate { .. } => {}
        }
    }
    Ok(difference)
}

const READING: &str = "read what has become of a set of proposals";

/// The proposals of these records, each with what it takes to say what it was when the digest was made.
async fn since(
    connection: &mut SqliteConnection,
    veil: &Veil,
    (filter, digest): (&ProposalFilter, &SetDigest),
    named: &[(String, String)],
) -> Result<Vec<SqliteRow>, StoreError> {
    let mut values = Values::default();
    let (named, seq) = (values.json(&named)?, values.number(digest.seq.cast_signed()));
    let is_in = filter.condition(veil, &mut values)?;
    // As if it were in any state.
    let but_for_state = ProposalFilter { states: Vec::new(), ..filter.clone() }.condition(veil, &mut values)?;
    let arm = |key: &str, states: &str| {
        format!(
            "SELECT p.category, p.key, p.id, p.state, coalesce(p.name, p.key) AS name, ({is_in}) IS TRUE AS is_in, \
             ({but_for_state}) IS TRUE AS is_in_but_for_state, \
             (SELECT d.decision FROM decision d WHERE d.proposal = p.id AND d.seq <= {seq} \
             ORDER BY d.seq DESC LIMIT 1) AS decided, \
             EXISTS (SELECT 1 FROM decision d WHERE d.proposal = p.id AND d.seq > {seq}) AS has_moved \
             FROM json_each({named}) j CROSS JOIN proposal p ON p.category = j.value->>0 AND p.{key} = j.value->>1 \
             AND p.state IN ({states})"
        )
    };
    const OPEN: &str = "'proposed', 'confirmed', 'postponed', 'erasing'";
    let (closed, open) = (arm("key", "'erased', 'withdrawn'"), arm("key", OPEN));
    let sealed = arm("name", OPEN);
    // The newest proposal of each record comes first.
    let sql = format!("{closed} UNION ALL {open} UNION ALL {sealed} AND p.name IS NOT NULL ORDER BY 1, 5, 3 DESC");
    values.query(sql).fetch_all(connection).await.map_err(failed(READING))
}

/// What has become of a record.
#[derive(Debug, Default)]
struct Fate {
    was_in: bool,
    is_in: bool,
    has_moved: bool,
    has_been_told: bool,
}

impl Fate {
    /// Adds what one of its proposals tells, the newest first. `kinds` are those of the entries that name the record.
    fn add(&mut self, row: &SqliteRow, filter: &ProposalFilter, kinds: &str) -> Result<(), StoreError> {
        let named = |kind: &str| kinds.split(',').any(|one| one == kind);
        let is_newest = !std::mem::replace(&mut self.has_been_told, true);
        let is_in: bool = rows::get(row, "is_in")?;
        self.is_in |= is_in;
        // The newest of a record that was proposed since was not there.
        let was_there = !(is_newest && (named("proposed") || named("marked")));
        let stood = stood(row, named("erased"))?;
        let was_in = was_there
            && rows::get(row, "is_in_but_for_state")?
            && (filter.states.is_empty() || filter.states.contains(&stood));
        self.was_in |= was_in;
        self.has_moved |= rows::get::<bool>(row, "has_moved")? || is_in != was_in;
        Ok(())
    }
}

/// Where a proposal stood when the digest was made, which follows from the last decision until then: what nobody had
/// decided about was proposed.
fn stood(row: &SqliteRow, was_erased_since: bool) -> Result<StateName, StoreError> {
    let state: StateName = rows::parsed(row, "state")?;
    if state == StateName::Erased && !was_erased_since {
        return Ok(state);
    }
    Ok(match rows::get::<Option<&str>>(row, "decided")? {
        Some("confirmed") => StateName::Confirmed,
        Some("postponed") => StateName::Postponed,
        Some("withdrawn") => StateName::Withdrawn,
        _ => StateName::Proposed,
    })
}
