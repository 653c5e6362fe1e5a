//! What somebody may see, as a condition of a query.
//!
//! May be relied on: it lets through what [`Scope::covers`] covers and nothing else, so that what is out of scope is in
//! no page, no total, and behind no cursor. Every value is bound.

use super::filter::Values;
use super::{StoreError, rows};
use crate::actor::{Reach, Scope};
use crate::record::hex;

/// That what a row of `of` tells about is within reach of a grant; for a row that has `category` and `unit`.
///
/// May be NULL where it is not: a record without a unit is in none of the units of a limited grant.
pub(super) fn reached(scope: &Scope, of: &str, values: &mut Values) -> Result<String, StoreError> {
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
    // As one text: where a row of two could be NULL, the database would go through all that is denied for every proposal.
    let denied: Vec<_> = scope.denied.iter().map(ToString::to_string).collect();
    let denied = values.json(&denied)?;
    Ok(Some(format!("p.category || '/' || p.key NOT IN (SELECT value FROM json_each({denied}))")))
}

/// That a proposal `p` is within the scope; nothing where nothing is outside.
pub(super) fn condition(scope: &Scope, values: &mut Values) -> Result<Option<String>, StoreError> {
    if scope.is_everything() {
        return Ok(None);
    }
    let mut conditions = Vec::new();
    let reached = reached(scope, "p", values)?;
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

/// The records that are denied, as `json_each` reads them: category, key.
pub(super) fn denied(scope: &Scope) -> Result<String, StoreError> {
    let denied: Vec<_> = scope.denied.iter().map(|record| (record.category.as_str(), record.key.as_str())).collect();
    rows::json(&denied)
}
