//! What the handlers of all decisions share: reading the records, and answering for each.

use std::collections::BTreeSet;

use super::dispatch::Answer;
use super::problem::{problem, with_hint};
use super::{Reply, Target};
use crate::api::{Code, DecisionAnswers, RECORDS_MAX, RecordAt};
use crate::record::RecordRef;

/// Longest reason, in bytes: a paragraph.
const REASON_MAX_BYTES: usize = 2000;

/// The reason that somebody typed: not blank, not very long.
pub(super) fn reason(doing: &str, text: &str) -> Reply<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(problem(Code::Invalid, format!("cannot {doing} without a reason")));
    }
    if text.len() > REASON_MAX_BYTES {
        let detail = format!("cannot keep a reason of {} bytes", text.len());
        return Err(with_hint(problem(Code::TooLarge, detail), format!("write at most {REASON_MAX_BYTES}")));
    }
    Ok(text.to_owned())
}

/// The record that somebody wrote.
pub(super) fn record(text: &str) -> Reply<RecordRef> {
    text.parse().map_err(|error| problem(Code::Malformed, format!("cannot read the record: {error}")))
}

/// The records of a request. All of them can be read, there is at least one, and none comes twice: a second decision on
/// a record would be answered as a conflict with the first.
pub(super) fn targets(records: Vec<RecordAt>) -> Reply<Vec<Target>> {
    if records.is_empty() {
        return Err(problem(Code::Invalid, "cannot decide on no record at all"));
    }
    if records.len() > RECORDS_MAX {
        let detail = format!("cannot decide on {} records at once", records.len());
        return Err(with_hint(problem(Code::TooLarge, detail), format!("name at most {RECORDS_MAX} in one request")));
    }
    let mut seen = BTreeSet::new();
    let mut targets = Vec::with_capacity(records.len());
    for RecordAt { record: text, version } in records {
        let target = Target { record: record(&text)?, version };
        if !seen.insert(target.record.clone()) {
            return Err(problem(Code::Invalid, format!("cannot decide twice on {text} in one request")));
        }
        targets.push(target);
    }
    Ok(targets)
}

/// The answer for all records. One refused for want of permission makes it a refusal to be reported.
pub(super) fn answers(answers: &DecisionAnswers) -> Reply<Answer> {
    let refused = answers
        .answers
        .iter()
        .any(|answer| answer.problem.as_ref().is_some_and(|problem| problem.code == Code::NotPermitted));
    Ok(Answer::json(answers)?.refused(refused))
}
