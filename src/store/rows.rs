//! Between rows and values.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Decode, Row as _, Sqlite, Type};

use super::veil::Veil;
use super::{Proposal, RunId, StoreError};
use crate::actor::Actor;
use crate::audit::actor_from_json;
use crate::proposal::{BatchId, Life, Origin, ProposalId, ReturnReason, State, UserId, WithdrawReason};
use crate::record::{CategoryName, Fingerprint, FingerprintKeyId, IdentityVersion, RecordRef};

/// The columns of a proposal, for `FROM proposal p JOIN fingerprint_form f ON f.id = p.form`.
macro_rules! proposal_columns {
    () => {
        "p.id, p.category, p.key, p.source, p.unit, p.origin, p.criterion, p.rule_version, p.due_on, p.fingerprint, f.key_id, \
         f.identity, p.run, p.proposed_at, p.changed_at, p.version, p.postponed_count, p.state, p.until, p.batch, \
         p.outcome, p.reason, p.detail, p.first_by, p.decided_by, p.confirmed_at, p.together"
    };
}
pub(super) use proposal_columns;

/// An instant as the state holds it: always of the same length, so that texts compare as instants do.
pub(super) fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Values for a statement that reads them with `json_each`.
pub(super) fn json(values: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(values)
        .map_err(|error| StoreError::Database { doing: "bind values of a statement", source: Box::new(error) })
}

/// Rows that one statement inserts, where there are many and for the rest. Statements of these sizes are compiled once.
const ROWS_PER_STATEMENT: usize = 1_000;
const ROWS_PER_STATEMENT_FEW: usize = 100;

/// A query of the state's own.
pub(super) type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// How rows are inserted: into which columns, what all of them have in common, what each has of its own, and what stands
/// at the end. Every value that is bound is a plain `?`: a number for each would cost a search for each.
pub(super) struct Insert {
    pub(super) into: &'static str,
    pub(super) common: &'static str,
    pub(super) own: &'static str,
    pub(super) tail: &'static str,
}

impl Insert {
    /// Inserts rows, many by each statement; gives how many were inserted.
    pub(super) async fn run<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind_common: impl for<'q> Fn(Query<'q>) -> Query<'q>,
        bind_own: impl for<'q> Fn(Query<'q>, &T) -> Query<'q>,
    ) -> Result<u64, sqlx::Error> {
        let (many, few) = rows.split_at(rows.len() - rows.len() % ROWS_PER_STATEMENT);
        let mut inserted = 0;
        for rows in many.chunks(ROWS_PER_STATEMENT).chain(few.chunks(ROWS_PER_STATEMENT_FEW)) {
            let query = sqlx::query(AssertSqlSafe(self.statement(rows.len())));
            // Of other sizes there are too many to keep.
            let is_kept = [ROWS_PER_STATEMENT, ROWS_PER_STATEMENT_FEW].contains(&rows.len());
            let query = rows.iter().fold(bind_common(query.persistent(is_kept)), &bind_own);
            inserted += query.execute(&mut *connection).await?.rows_affected();
        }
        Ok(inserted)
    }

    fn statement(&self, rows: usize) -> String {
        let Self { into, common, own, tail } = self;
        let own = vec![format!("({own})"); rows].join(", ");
        format!("INSERT INTO {into} SELECT * FROM (SELECT {common}) CROSS JOIN (VALUES {own}) WHERE true {tail}")
    }
}

fn unreadable(what: impl std::fmt::Display) -> StoreError {
    StoreError::Unreadable { what: what.to_string() }
}

/// The value in a column.
pub(super) fn get<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(row: &'r SqliteRow, column: &str) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| unreadable(format_args!("column {column}: {error}")))
}

/// The count in a column.
pub(super) fn count(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let count: i64 = get(row, column)?;
    u64::try_from(count).map_err(|_| unreadable(format_args!("column {column}: {count} is no count")))
}

/// The value that the text in a column stands for.
pub(super) fn parsed<T: std::str::FromStr>(row: &SqliteRow, column: &str) -> Result<T, StoreError> {
    optional(row, column)?.ok_or_else(|| unreadable(format_args!("column {column}: it is empty")))
}

/// The value that the text in a column stands for, where there is one.
pub(super) fn optional<T: std::str::FromStr>(row: &SqliteRow, column: &str) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = get(row, column)?;
    let read = |text: &str| text.parse().map_err(|_| unreadable(format_args!("column {column}: {text:?}")));
    text.map(read).transpose()
}

/// The bytes in a column, where there are any.
pub(super) fn optional_bytes<const N: usize>(row: &SqliteRow, column: &str) -> Result<Option<[u8; N]>, StoreError> {
    let bytes: Option<&[u8]> = get(row, column)?;
    let read = |bytes: &[u8]| bytes.try_into().map_err(|_| unreadable(format_args!("column {column}: its length")));
    bytes.map(read).transpose()
}

/// The bytes in a column.
pub(super) fn bytes<const N: usize>(row: &SqliteRow, column: &str) -> Result<[u8; N], StoreError> {
    optional_bytes(row, column)?.ok_or_else(|| unreadable(format_args!("column {column}: it is empty")))
}

/// The actor in a column of this name.
pub(super) fn actor(row: &SqliteRow, column: &str) -> Result<Option<Actor>, StoreError> {
    let Some(value): Option<Value> = optional(row, column)? else { return Ok(None) };
    actor_from_json(&value).map(Some).ok_or_else(|| unreadable(format_args!("column {column}: it names nobody")))
}

/// The record of a row with `category` and `key`.
pub(super) fn record(row: &SqliteRow, veil: &Veil) -> Result<RecordRef, StoreError> {
    let category: CategoryName = parsed(row, "category")?;
    let key = veil.read(&category, get(row, "key")?)?;
    Ok(RecordRef { category, key })
}

/// The life of a row with the columns of a state.
pub(super) fn life(row: &SqliteRow) -> Result<Life, StoreError> {
    let name: &str = get(row, "state")?;
    let (reason, detail): (Option<&str>, Option<&str>) = (get(row, "reason")?, get(row, "detail")?);
    let broken = || unreadable(format_args!("the state {name} without what belongs to it"));
    let state = match name {
        "proposed" => State::Proposed {
            returned: reason.map(|code| ReturnReason::from_stored(code, detail).ok_or_else(broken)).transpose()?,
            first: get::<Option<u32>>(row, "first_by")?.map(UserId),
        },
        "confirmed" => State::Confirmed,
        "postponed" => State::Postponed { until: parsed(row, "until")? },
        "erasing" => State::Erasing { batch: BatchId(bytes(row, "batch")?) },
        "erased" => State::Erased { outcome: parsed(row, "outcome")? },
        "withdrawn" => State::Withdrawn {
            reason: reason.and_then(|code| WithdrawReason::from_stored(code, detail)).ok_or_else(broken)?,
        },
        other => return Err(unreadable(format_args!("the state {other:?}"))),
    };
    let postponed_count = get(row, "postponed_count")?;
    Life::from_stored(state, postponed_count).ok_or_else(broken)
}

/// The fingerprint whose digest, key and columns are in these columns, where there is one.
pub(super) fn fingerprint(row: &SqliteRow, columns: [&str; 3]) -> Result<Option<Fingerprint>, StoreError> {
    let Some(digest) = optional_bytes(row, columns[0])? else { return Ok(None) };
    Ok(Some(Fingerprint {
        key_id: FingerprintKeyId::from_stored(get(row, columns[1])?),
        identity: IdentityVersion::from_stored(get(row, columns[2])?),
        digest,
    }))
}

/// A proposal in the columns of [`proposal_columns`].
pub(super) fn proposal(row: &SqliteRow, veil: &Veil) -> Result<Proposal, StoreError> {
    let due_on: Option<Date> = optional(row, "due_on")?;
    let origin: &str = get(row, "origin")?;
    Ok(Proposal {
        id: ProposalId(get(row, "id")?),
        record: record(row, veil)?,
        source: parsed(row, "source")?,
        unit: get(row, "unit")?,
        origin: Origin::from_stored(origin, get(row, "criterion")?, get(row, "rule_version")?, due_on)
            .ok_or_else(|| unreadable(format_args!("the origin {origin:?} without what belongs to it")))?,
        fingerprint: fingerprint(row, ["fingerprint", "key_id", "identity"])?
            .ok_or_else(|| unreadable("a proposal without a fingerprint"))?,
        life: life(row)?,
        version: get(row, "version")?,
        run: get::<Option<i64>>(row, "run")?.map(RunId),
        proposed_at: parsed(row, "proposed_at")?,
        changed_at: optional(row, "changed_at")?,
        together: get::<Option<i64>>(row, "together")?.map(ProposalId),
        decided_by: get(row, "decided_by")?,
        confirmed_at: optional(row, "confirmed_at")?,
        has_two: get::<Option<u32>>(row, "first_by")?.is_some() && get::<Option<&str>>(row, "confirmed_at")?.is_some(),
    })
}

/// What a state puts into its columns. `batch` and `outcome` also tell of what is erased.
#[derive(Debug, Default, Serialize)]
pub(super) struct StateColumns<'a> {
    pub(super) state: &'static str,
    pub(super) until: Option<String>,
    pub(super) batch: Option<String>,
    pub(super) outcome: Option<&'static str>,
    pub(super) reason: Option<&'static str>,
    pub(super) detail: Option<&'a str>,
    pub(super) first_by: Option<u32>,
}

/// The columns of `state`. `batch` is the batch that an erased proposal went with.
pub(super) fn state_columns(state: &State, batch: Option<BatchId>) -> StateColumns<'_> {
    let plain = StateColumns { state: state.name().as_str(), ..StateColumns::default() };
    match state {
        State::Confirmed => plain,
        State::Proposed { returned, first } => StateColumns {
            reason: returned.as_ref().map(ReturnReason::code),
            detail: returned.as_ref().and_then(ReturnReason::detail),
            first_by: first.map(|UserId(uid)| uid),
            ..plain
        },
        State::Postponed { until } => StateColumns { until: Some(until.to_string()), ..plain },
        State::Erasing { batch } => StateColumns { batch: Some(batch.to_string()), ..plain },
        State::Erased { outcome } => {
            StateColumns { batch: batch.map(|batch| batch.to_string()), outcome: Some(outcome.as_str()), ..plain }
        }
        State::Withdrawn { reason } => StateColumns { reason: Some(reason.code()), detail: reason.detail(), ..plain },
    }
}
