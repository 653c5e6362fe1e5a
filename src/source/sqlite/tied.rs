//! Follows what ties records of one category to those of another.

use sqlx::sqlite::SqliteConnection;

use super::connection::{fetch, value};
use super::select::{key, keyed, keys_as_json};
use super::text::{qualified, quote};
use crate::record::{KeyType, RecordKey, Value};
use crate::source::SourceError;
use crate::source::mapping::Tie;

/// One way along a tie.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The tie.
    pub tie: &'a Tie,
    /// Whether it is followed from the other category's records to those of the category that holds it.
    pub backwards: bool,
    /// The types of the keys that it is followed from.
    pub from: &'a [KeyType],
    /// The types of the keys that it leads to.
    pub to: &'a [KeyType],
}

/// The keys that the step leads to from any of these records, each once. A row of which one side is NULL, or is no key,
/// ties nobody.
pub(super) async fn tied(
    connection: &mut SqliteConnection,
    step: &Step<'_>,
    from: &[RecordKey],
    limit: u32,
) -> Result<Vec<RecordKey>, SourceError> {
    let tie = step.tie;
    let (near, far) = if step.backwards { (&tie.theirs, &tie.own) } else { (&tie.own, &tie.theirs) };
    let named = |columns: &[String]| -> Vec<String> { columns.iter().map(|column| qualified("t", column)).collect() };
    let sql = format!(
        "SELECT DISTINCT {} FROM json_each(?1) k CROSS JOIN {} t ON {} LIMIT {limit}",
        named(far).join(", "),
        quote(&tie.table),
        keyed(&named(near))
    );
    let bindings = vec![keys_as_json(step.from, from)];
    let mut found = Vec::new();
    for row in fetch(connection, "follow linked records", sql, bindings).await? {
        let values: Vec<Value> = (0..far.len()).map(|column| value(&row, column)).collect::<Result<_, _>>()?;
        let values = values.into_iter().zip(step.to).map(|(value, to)| as_held(value, *to)).collect();
        if let Ok(key) = key(values, step.to)
            && !found.contains(&key)
        {
            found.push(key);
        }
    }
    Ok(found)
}

/// The value as the key's own column holds it: another database may hold the same digits as text, or as a number.
fn as_held(value: Value, to: KeyType) -> Value {
    match (&value, to) {
        (Value::Integer(number), KeyType::Text) => Value::text(&number.to_string()),
        (Value::Text(_), KeyType::Other) => {
            let number = value.as_str().and_then(|text| text.parse::<i64>().ok().filter(|n| n.to_string() == text));
            number.map_or(value, Value::Integer)
        }
        _ => value,
    }
}
