//! The list of proposals, how many there are, and what stands for a set of them.

use jiff::civil::Date;

use super::dispatch::{Answer, Call};
use super::problem::{problem, with_hint};
use super::{Backend, Page, Reply, Selection, Set};
use crate::api::{Code, ListQuery, PAGE_MAX_ITEMS, ProposalSet};

/// Longest text to look for in labels, in bytes.
const TEXT_MAX_BYTES: usize = 200;

/// `GET /v1/proposals`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let query: ListQuery = call.query()?;
    let ListQuery { category, state, criterion, unit, age, due_from, due_to, decided_by, .. } = query;
    let named = ProposalSet { category, state, criterion, unit, age, due_from, due_to, decided_by };
    let selection = Selection {
        set: set(named)?,
        text: query.text.map(text).transpose()?,
        sort: query.sort,
        descending: query.descending.unwrap_or(false),
        page: page(query.limit, query.cursor)?,
    };
    Answer::json(&call.backend.list(&call.leave, selection).await?)
}

/// `GET /v1/proposals/totals`
pub(super) async fn totals<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let set = set(call.query()?)?;
    Answer::json(&call.backend.totals(&call.leave, set).await?)
}

/// `GET /v1/proposals/digest`
pub(super) async fn digest<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let set = set(call.query()?)?;
    Answer::json(&call.backend.digest(&call.leave, set).await?)
}

/// The set that somebody has described.
pub(super) fn set(named: ProposalSet) -> Reply<Set> {
    let category = named.category.map(|name| name.parse()).transpose();
    Ok(Set {
        category: category.map_err(|error| problem(Code::Malformed, format!("cannot list this category: {error}")))?,
        state: named.state,
        criterion: named.criterion,
        unit: named.unit,
        age: named.age,
        due_from: named.due_from.as_deref().map(day).transpose()?,
        due_to: named.due_to.as_deref().map(day).transpose()?,
        decided_by: named.decided_by,
    })
}

/// A day and nothing else: a time of day or a zone would be dropped in silence.
fn day(text: &str) -> Reply<Date> {
    text.parse::<Date>().ok().filter(|date| date.to_string() == text).ok_or_else(|| {
        with_hint(
            problem(Code::Malformed, format!("cannot list what is due on {text:?}: it is not a date")),
            "write it as YEAR-MONTH-DAY, for example 2027-06-30",
        )
    })
}

fn text(text: String) -> Reply<String> {
    if text.trim().is_empty() {
        return Err(problem(Code::Invalid, "cannot look for an empty text"));
    }
    if text.len() > TEXT_MAX_BYTES {
        let detail = format!("cannot look for a text of {} bytes", text.len());
        return Err(with_hint(problem(Code::TooLarge, detail), format!("write at most {TEXT_MAX_BYTES}")));
    }
    Ok(text)
}

/// The part of a list that a request asks for. More than a page holds is answered with a page.
pub(super) fn page(limit: Option<u32>, cursor: Option<String>) -> Reply<Page> {
    match limit.unwrap_or(PAGE_MAX_ITEMS) {
        0 => Err(problem(Code::Invalid, "cannot list nothing: limit is at least 1")),
        limit => Ok(Page { limit: limit.min(PAGE_MAX_ITEMS), cursor }),
    }
}
