//! The rules in force, and changing them.

use super::backend::RuleWish;
use super::dispatch::{Answer, Call};
use super::problem::{problem, with_hint};
use super::{Backend, Reply};
use crate::api::{Code, RuleDecisionRequest, RuleSetRequest, RuleUnsetRequest};

/// Longest name and longest value of a rule, in bytes: a label of many columns fits.
const RULE_MAX_BYTES: usize = 1000;

/// `GET /v1/policy`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    Answer::json(&call.backend.policy(&call.leave).await?)
}

/// `POST /v1/policy/set`
pub(super) async fn set<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let RuleSetRequest { name, value } = call.json()?;
    if value.len() > RULE_MAX_BYTES {
        return Err(too_long(format!("cannot take a rule's value of {} bytes", value.len())));
    }
    change(call, name, RuleWish::Set(value)).await
}

/// `POST /v1/policy/unset`
pub(super) async fn unset<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let RuleUnsetRequest { name } = call.json()?;
    change(call, name, RuleWish::Unset).await
}

/// `POST /v1/policy/approve`
pub(super) async fn approve<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let RuleDecisionRequest { name, change: meant } = call.json()?;
    change(call, name, RuleWish::Approve(meant)).await
}

/// `POST /v1/policy/reject`
pub(super) async fn reject<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let RuleDecisionRequest { name, change: meant } = call.json()?;
    change(call, name, RuleWish::Reject(meant)).await
}

async fn change<B: Backend>(call: Call<B>, name: String, wish: RuleWish) -> Reply<Answer> {
    if name.len() > RULE_MAX_BYTES {
        return Err(too_long(format!("cannot take a rule's name of {} bytes", name.len())));
    }
    Answer::json(&call.backend.change_rule(&call.leave, &call.id, name, wish).await?)
}

fn too_long(detail: String) -> crate::api::Problem {
    with_hint(problem(Code::TooLarge, detail), format!("write at most {RULE_MAX_BYTES}"))
}
