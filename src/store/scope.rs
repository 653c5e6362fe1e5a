//! What somebody may see, as a condition of a query.
//!
//! May be relied on: it lets through what [`Scope::covers`] covers and nothing else, so that what is out of scope is in
//! no page, no total, and behind no cursor. Every value is bound.

use std::collections::BTreeSet;

use super::filter::Values;
use super::veil::Veil;
use super::{StoreError, rows};
use crate::actor::{Reach, Scope};
use crate::record::{RecordRef, hex};

/// That what a row of `of` tells about is within the limits of a grant, whatever records are excepted; for a row that has
/// `category` and `unit`.
///
/// May be NULL where it is not: a record without a unit is in none of the units of a limited grant.
pub(super) fn limited(scope: &Scope, veil: &Veil, of: &str, values: &mut Values) -> Result<String, StoreError> {
    reaching(scope, veil, of, false, values)
}

/// That a proposal `p` is within reach of a grant. May be NULL, likewise.
pub(super) fn reached(scope: &Scope, veil: &Veil, values: &mut Values) -> Result<String, StoreError> {
    reaching(scope, veil, "p", true, values)
}

fn reaching(scope: &Scope, veil: &Veil, of: &str, excepts: bool, values: &mut Values) -> Result<String, StoreError> {
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
            both.push(not_among(&reach.except, veil, values)?);
        }
        any.push(both.join(" AND "));
    }
    Ok(format!("(({}))", any.join(") OR (")))
}

/// That a proposal `p` is of a record that was given singly, about the person whom it was given for.
fn given(scope: &Scope, veil: &Veil, values: &mut Values) -> Result<String, StoreError> {
    Ok(format!(
        "(p.category, p.key, p.fingerprint) IN (SELECT value->>0, value->>1, unhex(value->>2) FROM json_each({}))",
        values.text(singles(scope, veil)?)
    ))
}

/// That a proposal `p` is not of a record that is denied.
pub(super) fn undenied(scope: &Scope, veil: &Veil, values: &mut Values) -> Result<Option<String>, StoreError> {
    if scope.denied.is_empty() {
        return Ok(None);
    }
    not_among(&scope.denied, veil, values).map(Some)
}

/// That a proposal `p` is of none of these records.
fn not_among(records: &BTreeSet<RecordRef>, veil: &Veil, values: &mut Values) -> Result<String, StoreError> {
    // As one text: where a row of two could be NULL, the database would go through all of them for every proposal.
    let records: Vec<_> = either(records, veil)?.iter().map(|(category, key)| format!("{category}/{key}")).collect();
    let records = values.json(&records)?;
    Ok(format!("p.category || '/' || p.key NOT IN (SELECT value FROM json_each({records}))"))
}

/// That a proposal `p` is within the scope; nothing where nothing is outside.
pub(super) fn condition(scope: &Scope, veil: &Veil, values: &mut Values) -> Result<Option<String>, StoreError> {
    if scope.is_everything() {
        return Ok(None);
    }
    let mut conditions = Vec::new();
    let reached = reached(scope, veil, values)?;
    if scope.records.is_empty() {
        conditions.push(reached);
    } else if reached != "true" {
        conditions.push(format!("({reached} OR {})", given(scope, veil, values)?));
    }
    conditions.extend(undenied(scope, veil, values)?);
    Ok(Some(conditions.join(" AND ")))
}

/// The records that were given singly, as `json_each` reads them: category, key, digest.
pub(super) fn singles(scope: &Scope, veil: &Veil) -> Result<String, StoreError> {
    let mut singles = BTreeSet::new();
    for single in &scope.records {
        let digest = hex(&single.digest);
        singles
            .extend(either([&single.record], veil)?.into_iter().map(|(category, key)| (category, key, digest.clone())));
    }
    rows::json(&singles)
}

/// The records, each in either form in which a row may hold its key.
fn either<'r>(
    records: impl IntoIterator<Item = &'r RecordRef>,
    veil: &Veil,
) -> Result<BTreeSet<(String, String)>, StoreError> {
    let mut either = BTreeSet::new();
    for record in records {
        let (category, forms) = (record.category.as_str(), veil.forms(&record.category, &record.key)?);
        either.insert((category.to_owned(), forms.closed().to_owned()));
        either.insert((category.to_owned(), forms.open.into_owned()));
    }
    Ok(either)
}

/// The records that may be within the limits of a grant and out of scope, as `json_each` reads them: category, key. They are
/// denied, or what a stand-in does not have.
pub(super) fn withheld(scope: &Scope, veil: &Veil) -> Result<String, StoreError> {
    let excepted = scope.reaches.iter().flat_map(|reach| &reach.except);
    rows::json(&either(excepted.chain(&scope.denied), veil)?)
}
