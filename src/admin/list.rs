//! The list of proposals.

use super::dispatch::{Answer, Call};
use super::problem::problem;
use super::{Backend, Page, Reply, Selection};
use crate::api::{Code, ListQuery, PAGE_MAX_ITEMS};

/// `GET /v1/proposals`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let query: ListQuery = call.query()?;
    let category = query.category.map(|name| name.parse()).transpose();
    let selection = Selection {
        category: category.map_err(|error| problem(Code::Malformed, format!("cannot list this category: {error}")))?,
        state: query.state,
        criterion: query.criterion,
        page: page(query.limit, query.cursor)?,
    };
    Answer::json(&call.backend.list(&call.leave, selection).await?)
}

/// The part of a list that a request asks for. More than a page holds is answered with a page.
pub(super) fn page(limit: Option<u32>, cursor: Option<String>) -> Reply<Page> {
    match limit.unwrap_or(PAGE_MAX_ITEMS) {
        0 => Err(problem(Code::Invalid, "cannot list nothing: limit is at least 1")),
        limit => Ok(Page { limit: limit.min(PAGE_MAX_ITEMS), cursor }),
    }
}
