//! Reads records by the settings' SQL, on a guarded connection.

use jiff::civil::Date;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::connection::{count, fetch, fetch_each, value};
use super::expression::{self, Days};
use super::stage::same_key;
use super::text::{literal, qualified, quote, refers};
use crate::config::{DateFormat, EARLIEST_DAY, Since, coarse_bound};
use crate::record::{KeyPart, KeyType, RecordKey, Value, hex};
use crate::source::SourceError;
use crate::source::mapping::{Direction, Mapping, Node};
use crate::source::rows::{Cursor, Finding, KeyProblem, Page, Retained, Row};

/// The keys of a batch as one JSON value: `[12,"a",{"x":"00ff"}]`, or `[[12,3],…]` where a key has several parts. One
/// statement serves batches of any size.
pub(super) fn keys_as_json(types: &[KeyType], keys: &[RecordKey]) -> Value {
    let values: Vec<serde_json::Value> = keys
        .iter()
        .map(|key| {
            let parts: Vec<serde_json::Value> = key.parts(types).unwrap_or_default().iter().map(part_as_json).collect();
            match <[serde_json::Value; 1]>::try_from(parts) {
                Ok([only]) => only,
                // A key that cannot be read names no row: NULL is equal to nothing.
                Err(parts) if parts.is_empty() => serde_json::Value::Null,
                Err(parts) => parts.into(),
            }
        })
        .collect();
    Value::text(&serde_json::Value::from(values).to_string())
}

fn part_as_json(part: &KeyPart) -> serde_json::Value {
    match part {
        KeyPart::Integer(number) => (*number).into(),
        KeyPart::Text(text) => text.as_str().into(),
        KeyPart::Blob(bytes) => serde_json::json!({ "x": hex(bytes) }),
    }
}

/// Part `index` of the key in row `k` of `json_each`.
fn json_part(index: usize) -> String {
    format!(
        "CASE json_type(k.value, '$[{index}]') WHEN 'object' THEN unhex(json_extract(k.value, '$[{index}].x')) \
         ELSE json_extract(k.value, '$[{index}]') END"
    )
}

/// `json_each(?1) k`, then the category's table under this name where the keys meet. The keys come first, so that each
/// is looked up in the key's own index.
pub(super) fn keyed(columns: &[String]) -> String {
    if let [column] = columns {
        return format!("{column} = CASE k.type WHEN 'object' THEN unhex(k.value->>'$.x') ELSE k.value END");
    }
    let equal: Vec<String> =
        columns.iter().enumerate().map(|(index, column)| format!("{column} = {}", json_part(index))).collect();
    equal.join(" AND ")
}

/// An expression of the settings, ready to stand in a statement: a column by its name, or SQL between parentheses.
pub(super) fn ready(columns: &[String], sql: &str, days: Days) -> Result<String, SourceError> {
    match columns.iter().find(|column| column.eq_ignore_ascii_case(sql.trim())) {
        Some(column) => Ok(quote(column)),
        None => expression::prepare(sql, days).map_err(|refusal| SourceError::Expression {
            where_written: sql.trim().to_owned(),
            reason: refusal.to_string(),
        }),
    }
}

/// Reads a mapping's records as they are due, or not, on one day.
pub(super) struct Selection<'m> {
    mapping: &'m Mapping,
    columns: &'m [String],
    today: Date,
}

impl<'m> Selection<'m> {
    /// `columns` are those of the category's table.
    pub(super) fn new(mapping: &'m Mapping, columns: &'m [String], today: Date) -> Self {
        Self { mapping, columns, today }
    }

    fn row_id(&self) -> Vec<&str> {
        self.mapping.nodes.first().map(|node| node.row_id.names()).unwrap_or_default()
    }

    fn days(&self, since: Option<&Since>) -> Days {
        let cutoff = since.and_then(|since| since.period.value.cutoff(self.today, since.starts));
        Days { today: self.today, cutoff }
    }

    /// A query over the category's table alone, so that bare names in the settings' SQL mean its columns.
    fn inner(&self) -> Result<String, SourceError> {
        let mut columns: Vec<String> = Vec::new();
        let named = |prefix: &str, names: &[String]| -> Vec<String> {
            names.iter().enumerate().map(|(i, name)| format!("{} AS {prefix}{i}", quote(name))).collect()
        };
        columns.extend(named("k", &self.mapping.key));
        columns.extend(named("f", &self.mapping.identity));
        if let Some(sql) = &self.mapping.unit {
            columns.push(format!("{} AS u", ready(self.columns, sql, self.days(None))?));
        }
        if let Some(mark) = &self.mapping.mark {
            let condition = ready(self.columns, &mark.condition.value, self.days(None))?;
            columns.push(format!("CASE WHEN {condition} THEN 1 ELSE 0 END AS m"));
        }
        for (index, criterion) in self.mapping.criteria.iter().enumerate() {
            let days = self.days(criterion.since.as_ref());
            if let Some(sql) = &criterion.condition {
                // The words TRUE and FALSE would mean a column of that name.
                let condition = ready(self.columns, &sql.value, days)?;
                columns.push(format!("CASE WHEN {condition} THEN 1 ELSE 0 END AS h{index}"));
            }
            if let Some(since) = &criterion.since {
                columns.push(format!("{} AS s{index}", ready(self.columns, &since.sql.value, days)?));
            }
        }
        Ok(format!("SELECT {} FROM {}", columns.join(", "), quote(self.mapping.table())))
    }

    /// What a row must meet to be worth looking at more closely: some criterion may hold, or its date cannot be read.
    fn sieve(&self) -> String {
        let mark = self.mapping.mark.iter().map(|_| "m".to_owned());
        let criteria = self.mapping.criteria.iter().enumerate().map(|(index, criterion)| {
            let h = if criterion.condition.is_some() { format!("h{index}") } else { "1".to_owned() };
            let Some(since) = &criterion.since else {
                return h;
            };
            let s = format!("s{index}");
            match since.period.value.cutoff(self.today, since.starts) {
                Some(cutoff) => format!("({h} AND NOT {})", surely_after(&s, since.format, cutoff)),
                None => format!("({h} AND {s} IS NULL)"),
            }
        });
        let rules: Vec<String> = mark.chain(criteria).collect();
        if rules.is_empty() { "0".to_owned() } else { rules.join(" OR ") }
    }

    /// The next stretch of at most `rows_max` rows of the table.
    pub(super) async fn page(
        &self,
        connection: &mut SqliteConnection,
        after: Option<&Cursor>,
        rows_max: u32,
    ) -> Result<Page, SourceError> {
        let (own, mut range, mut bindings) = self.behind(after);
        let end = self.end_of_stretch(connection, &range, bindings.clone(), rows_max).await?;
        let (next, scanned) = match end {
            Some(values) => {
                let places: Vec<String> = (1..=values.len()).map(|i| format!("?{}", bindings.len() + i)).collect();
                range = format!("{range} AND {own} <= ({})", places.join(", "));
                bindings.extend(values.iter().cloned());
                (Some(Cursor(values)), u64::from(rows_max))
            }
            None => (None, self.rows_of_rest(connection, &range, bindings.clone()).await?),
        };
        let sql = format!("SELECT * FROM ({} WHERE {range}) WHERE {}", self.inner()?, self.sieve());
        let rows = fetch_each(connection, "read records", sql, bindings, |row| self.row(row, 0)).await?;
        Ok(Page { rows, scanned, next })
    }

    /// How many rows the next stretch of at most `rows_max` has, and where the one after it begins.
    pub(super) async fn rows_of_stretch(
        &self,
        connection: &mut SqliteConnection,
        after: Option<&Cursor>,
        rows_max: u32,
    ) -> Result<(u64, Option<Cursor>), SourceError> {
        let (_, range, bindings) = self.behind(after);
        match self.end_of_stretch(connection, &range, bindings.clone(), rows_max).await? {
            Some(values) => Ok((u64::from(rows_max), Some(Cursor(values)))),
            None => Ok((self.rows_of_rest(connection, &range, bindings).await?, None)),
        }
    }

    /// The row id as one value, the condition that a row comes behind the cursor, and what is bound there.
    fn behind(&self, after: Option<&Cursor>) -> (String, String, Vec<Value>) {
        let row_id: Vec<String> = self.row_id().into_iter().map(quote).collect();
        let own = format!("({})", row_id.join(", "));
        match after {
            Some(Cursor(values)) => {
                let range = format!("{own} > ({})", numbered("?", row_id.len()).join(", "));
                (own, range, values.clone())
            }
            None => (own, "1".to_owned(), Vec::new()),
        }
    }

    /// How many rows there are to the table's end, which is near.
    async fn rows_of_rest(
        &self,
        connection: &mut SqliteConnection,
        range: &str,
        bindings: Vec<Value>,
    ) -> Result<u64, SourceError> {
        let sql = format!("SELECT count(*) FROM {} WHERE {range}", quote(self.mapping.table()));
        let found = fetch(connection, "count records", sql, bindings).await?;
        found.first().map_or(Ok(0), |row| count(row, 0))
    }

    /// The row id of the last row of a full stretch; `None` when the table ends within it.
    async fn end_of_stretch(
        &self,
        connection: &mut SqliteConnection,
        range: &str,
        bindings: Vec<Value>,
        rows_max: u32,
    ) -> Result<Option<Vec<Value>>, SourceError> {
        let row_id: Vec<String> = self.row_id().into_iter().map(quote).collect();
        let row_id = row_id.join(", ");
        let sql = format!(
            "SELECT {row_id} FROM {} WHERE {range} ORDER BY {row_id} LIMIT 1 OFFSET {}",
            quote(self.mapping.table()),
            rows_max.saturating_sub(1)
        );
        let found = fetch(connection, "read records", sql, bindings).await?;
        let Some(row) = found.first() else {
            return Ok(None);
        };
        (0..self.row_id().len()).map(|column| value(row, column)).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// The records with these keys, each in its place; `None` where there is none.
    pub(super) async fn by_key(
        &self,
        connection: &mut SqliteConnection,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Row>>, SourceError> {
        let key_columns: Vec<String> = (0..self.mapping.key.len()).map(|i| format!("t.k{i}")).collect();
        let sql = format!(
            "SELECT k.key, t.* FROM json_each(?1) k CROSS JOIN ({}) t ON {}",
            self.inner()?,
            keyed(&key_columns)
        );
        let found = fetch(connection, "read records", sql, vec![keys_as_json(&self.mapping.key_types, keys)]).await?;
        let mut rows: Vec<Option<Row>> = vec![None; keys.len()];
        for row in &found {
            let Some(place) = position(&value(row, 0)?) else { continue };
            let row = self.row(row, 1)?;
            // The database takes `01` for 1, and perhaps `anna` for Anna. A record has one name: what is held or denied
            // under it must not be found under another.
            if keys.get(place) != row.key.as_ref().ok() {
                continue;
            }
            if let Some(slot) = rows.get_mut(place)
                && slot.replace(row).is_some()
            {
                return Err(same_key(self.mapping.table()));
            }
        }
        Ok(rows)
    }

    /// Reads one row, whose key begins at column `at`.
    fn row(&self, row: &SqliteRow, at: usize) -> Result<Row, SourceError> {
        let keys = at + self.mapping.key.len();
        let identity = keys + self.mapping.identity.len();
        let values = |from: usize, to: usize| (from..to).map(|c| value(row, c)).collect::<Result<Vec<_>, _>>();
        let mut next = identity;
        let mut read = |is_there: bool| {
            if !is_there {
                return Ok(None);
            }
            next += 1;
            value(row, next - 1).map(Some)
        };
        let unit = read(self.mapping.unit.is_some())?.and_then(as_text);
        let is_marked = read(self.mapping.mark.is_some())? == Some(Value::Integer(1));
        let criteria = self
            .mapping
            .criteria
            .iter()
            .map(|criterion| {
                let holds = read(criterion.condition.is_some())?.is_none_or(|holds| holds == Value::Integer(1));
                Ok(Finding { holds, since: read(criterion.since.is_some())?.unwrap_or(Value::Null) })
            })
            .collect::<Result<Vec<_>, SourceError>>()?;
        Ok(Row {
            key: key(values(at, keys)?, &self.mapping.key_types),
            identity: values(keys, identity)?,
            unit,
            is_marked,
            criteria,
        })
    }

    /// The rows of one dependent that may still be within its period, for the records with these keys.
    pub(super) async fn retained(
        &self,
        connection: &mut SqliteConnection,
        place: usize,
        columns: &[String],
        keys: &[RecordKey],
    ) -> Result<Vec<Retained>, SourceError> {
        let Some(since) = self.mapping.nodes.get(place).and_then(|node| node.retention.as_ref()) else {
            return Ok(Vec::new());
        };
        let days = self.days(Some(since));
        let expression = format!("{} AS s", ready(columns, &since.sql.value, days)?);
        let open = match days.cutoff {
            Some(cutoff) => format!("NOT {}", surely_before("d.s", since.format, cutoff)),
            None => "1".to_owned(),
        };
        let sql = format!("SELECT DISTINCT k.key, d.s FROM {} WHERE {open}", self.down_to(place, &expression));
        let found =
            fetch(connection, "read dependents", sql, vec![keys_as_json(&self.mapping.key_types, keys)]).await?;
        found
            .iter()
            .map(|row| {
                let record = position(&value(row, 0)?).unwrap_or(usize::MAX);
                Ok(Retained { record, node: place, since: value(row, 1)? })
            })
            .collect()
    }

    /// The joins from the keys down to a dependent, which comes last as `d` with what is selected of its table.
    pub(super) fn down_to(&self, place: usize, selected: &str) -> String {
        let path = self.mapping.path(place);
        let key: Vec<String> = self.mapping.key.iter().map(|column| qualified("p0", column)).collect();
        let mut joins = format!("json_each(?1) k CROSS JOIN {} p0 ON {}", quote(self.mapping.table()), keyed(&key));
        for (depth, place) in path.iter().enumerate().skip(1) {
            let Some((node, link)) = self.mapping.nodes.get(*place).and_then(|n| Some((n, n.link.as_ref()?))) else {
                continue;
            };
            let parent = format!("p{}", depth - 1);
            let is_last = depth + 1 == path.len();
            let own = if is_last { "d".to_owned() } else { format!("p{depth}") };
            let above: Vec<String> = link.parent_columns.iter().map(|column| qualified(&parent, column)).collect();
            let below: Vec<String> = link
                .columns
                .iter()
                .enumerate()
                .map(|(i, column)| if is_last { format!("d.l{i}") } else { qualified(&own, column) })
                .collect();
            let on = match link.direction {
                Direction::Child => refers(&below, &above),
                Direction::Owned => refers(&above, &below),
            };
            let table = if is_last { last_table(node, &link.columns, selected) } else { quote(&node.table) };
            joins = format!("{joins} JOIN {table} {own} ON {on}");
        }
        joins
    }
}

/// The dependent's table alone, so that bare names in what is selected mean its own columns.
fn last_table(node: &Node, columns: &[String], selected: &str) -> String {
    let links: Vec<String> =
        columns.iter().enumerate().map(|(i, column)| format!("{} AS l{i}", quote(column))).collect();
    format!("(SELECT {selected}, {} FROM {})", links.join(", "), quote(&node.table))
}

fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|i| format!("{prefix}{i}")).collect()
}

fn position(value: &Value) -> Option<usize> {
    match value {
        Value::Integer(integer) => usize::try_from(*integer).ok(),
        _ => None,
    }
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::Integer(integer) => Some(integer.to_string()),
        Value::Real(real) => Some(real.to_string()),
        Value::Text(bytes) => String::from_utf8(bytes).ok(),
        Value::Null | Value::Blob(_) => None,
    }
}

/// The key that these values are.
pub(super) fn key(values: Vec<Value>, types: &[KeyType]) -> Result<RecordKey, KeyProblem> {
    let mut parts = Vec::with_capacity(values.len());
    for value in values {
        parts.push(match value {
            Value::Null => return Err(KeyProblem::Null),
            Value::Integer(integer) => KeyPart::Integer(integer),
            Value::Blob(bytes) => KeyPart::Blob(bytes),
            Value::Real(_) => return Err(KeyProblem::Unusable),
            Value::Text(bytes) => match String::from_utf8(bytes) {
                Ok(text) if !text.contains('\0') => KeyPart::Text(text),
                Ok(_) | Err(_) => return Err(KeyProblem::Unusable),
            },
        });
    }
    RecordKey::from_parts(&parts, types).map_err(KeyProblem::Unclear)
}

/// SQL that is true only of dates that are surely after `cutoff`, wherever the zone: a coarse sieve that lets through
/// everything else, dates that cannot be read among it. Never NULL.
fn surely_after(s: &str, format: DateFormat, cutoff: Date) -> String {
    compare(s, format, ">", coarse_bound(cutoff))
}

/// The same for dates surely before `cutoff`. What stands for "no date" lies before every cutoff, and is let through.
fn surely_before(s: &str, format: DateFormat, cutoff: Date) -> String {
    let early = cutoff.checked_sub(jiff::Span::new().days(2)).unwrap_or(cutoff);
    let is_before = compare(s, format, "<", early);
    let is_date = compare(s, format, ">", coarse_bound(EARLIEST_DAY));
    match format.least_number() {
        0 => format!("({is_before} AND {is_date})"),
        least => format!("({is_before} AND {is_date} AND ({s} >= {least} OR {s} <= -{least}))"),
    }
}

fn compare(s: &str, format: DateFormat, sign: &str, bound: Date) -> String {
    let text = literal(&bound.to_string());
    let number = |expression: &str| format!("(typeof({s}) IN ('integer', 'real') AND {s} {sign} {expression})");
    match format {
        DateFormat::Iso | DateFormat::IsoUtc => {
            let well_formed =
                format!("{s} GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]*' AND date({s}) IS NOT NULL");
            // SQLite reads 30 February as 2 March.
            let in_calendar = format!("date(substr({s}, 1, 10)) = substr({s}, 1, 10)");
            format!("(typeof({s}) = 'text' AND {well_formed} AND {in_calendar} AND {s} {sign} {text})")
        }
        DateFormat::German => {
            let well_formed = format!("{s} GLOB '[0-3][0-9].[01][0-9].[0-9][0-9][0-9][0-9]'");
            let iso = format!("(substr({s}, 7, 4) || '-' || substr({s}, 4, 2) || '-' || substr({s}, 1, 2))");
            format!("(typeof({s}) = 'text' AND {well_formed} AND date({iso}) = {iso} AND {iso} {sign} {text})")
        }
        DateFormat::Unix => number(&format!("unixepoch({text})")),
        DateFormat::UnixMillis => number(&format!("unixepoch({text}) * 1000")),
        DateFormat::Julian => number(&format!("julianday({text})")),
    }
}

#[cfg(test)]
mod tests;
