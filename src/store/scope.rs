//! What somebody may see, as a condition of a query.
//!
//! May be relied on: it lets through what [`Scope::covers`] covers and nothing else, so that what is out of scope is in
//! no page, no total, and behind no cursor. Every value is bound.

use std::collections::BTreeSet;

use super::filter::Values;
use super::{StoreError, rows};
use crate::actor::{Reach, Scope};
use crate::record::{RecordRef, hex};

/// That what a row of `of` tells about is within the limits of a grant, whatever records are excepted; for a row that has
/// `category` and `unit`.
///
/// May be NULL where it is not: a record without a unit is in none of the units of a limited grant.
pub(super) fn limited(scope: &Scope, of: &str, values: &mut Values) -> Result<String, StoreError> {
    reaching(scope, of, false, values)
}

/// That a proposal `p` is within reach of a grant. May be NULL, likewise.
pub(super) fn reached(scope: &Scope, values: &mut Values) -> Result<String, StoreError> {
    reaching(scope, "p", true, values)
}

fn reaching(scope: &Scope, of: &str, excepts: bool, values: &mut Values) -> Result<String, StoreError> {
    if scope.reaches.contains(&Reach::default()) {
        return Ok("true".to_owned());
    }
    let mut any = vec!["false".to_owned()];
    for reach in &scope.reaches {
        let mut both = vec!["true".to_owned()];
        if let Some(categories) = &reach.categories {
            let names: Vec<_> = categories.iter().map(|name| name.as_str()).collect();
            // The plus keeps the condition away from the choice of an index.
            both.push(format!("+{of}.category IN (SELECT value FROM json_each({}))", values.json(&names)?));
        }
        if let Some(units) = &reach.units {
            both.push(format!("{of}.unit IN (SELECT value FROM json_each({}))", values.json(units)?));
        }
        if excepts && !reach.except.is_empty() {
            both.push(not_among(&reach.except, values)?);
        }
        any.push(both.join(" AND "));
    }
    Ok(format!("(({}))", any.join(") OR (")))
}

/// That a proposal `p` is of a record that was given singly, about the person whom it was given for.
fn given(scope: &Scope, values: &mut Values) -> Result<String, StoreError> {
    Ok(format!(
        "(p.category, p.key, p.fingerprint) IN (SELECT value->>0, value->>1, unhex(value->>2) FROM json_each({}))",
        values.text(singles(scope)?)
    ))
}

/// That a proposal `p` is not of a record that is denied.
pub(super) fn undenied(scope: &Scope, values: &mut Values) -> Result<Option<String>, StoreError> {
    if scope.denied.is_empty() {
        return Ok(None);
    }
    not_among(&scope.denied, values).map(Some)
}

/// That a proposal `p` is of none of these records.
fn not_among(records: &BTreeSet<RecordRef>, values: &mut Values) -> Result<String, StoreError> {
    // As one text: where a row of two could be NULL, the database would go through all of them for every proposal.
    let records: Vec<_> = records.iter().map(ToString::to_string).collect();
    let records = values.json(&records)?;
    Ok(format!("p.category || '/' || p.key NOT IN (SELECT value FROM json_each({records}))"))
}

/// That a proposal `p` is within the scope; nothing where nothing is outside.
pub(super) fn condition(scope: &Scope, values: &mut Values) -> Result<Option<String>, StoreError> {
    if scope.is_everything() {
        return Ok(None);
    }
    let mut conditions = Vec::new();
    let reached = reached(scope, values)?;
    if scope.records.is_empty() {
        conditions.push(reached);
    } else if reached != "true" {
        conditions.push(format!("({reached} OR {})", given(scope, values)?));
    }
    conditions.extend(undenied(scope, values)?);
    Ok(Some(conditions.join(" AND ")))
}

/// The records that were given singly, as `json_each` reads them: category, key, digest.
pub(super) fn singles(scope: &Scope) -> Result<String, StoreError> {
    let single = |single: &crate::actor::SingleRecord| {
        let record = &single.record;
        (record.category.as_str().to_owned(), record.key.as_str().to_owned(), hex(&single.digest))
    };
    rows::json(&scope.records.iter().map(single).collect::<Vec<_>>())
}

/// The records that may be within the limits of a grant and out of scope, as `json_each` reads them: category, key. They are
/// denied, or what a stand-in does not have.
pub(super) fn withheld(scope: &Scope) -> Result<String, StoreError> {
    let excepted = scope.reaches.iter().flat_map(|reach| &reach.except);
    let records: BTreeSet<_> = excepted.chain(&scope.denied).collect();
    rows::json(&records.iter().map(|record| (record.category.as_str(), record.key.as_str())).collect::<Vec<_>>())
}
