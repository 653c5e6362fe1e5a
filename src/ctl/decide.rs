//! What the verbs of all decisions share: telling what became of each record.

use super::client::Got;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::list::state_name;
use super::table::table;
use crate::api::{Blocked, DecisionAnswer, DecisionAnswers};

/// Shows what was done on stdout, and what stood in the way on stderr.
pub(super) fn tell(console: &mut Console<'_>, asked: usize, got: &Got<DecisionAnswers>) -> Result<Exit, Failure> {
    let answers = &got.value.answers;
    if console.json {
        console.data(&pretty(&got.json))?;
    } else {
        let done = answers.iter().filter(|answer| answer.problem.is_none());
        let rows: Vec<_> = done
            .map(|answer| {
                [answer.record.clone(), answer.state.map(state_name).unwrap_or_default().to_owned(), remark(answer)]
            })
            .collect();
        if rows.iter().any(|[.., remark]| !remark.is_empty()) {
            console.data(&table(["RECORD", "STATE", "REMARK"], rows))?;
        } else if !rows.is_empty() {
            console.data(&table(["RECORD", "STATE"], rows.into_iter().map(|[record, state, _]| [record, state])))?;
        }
    }
    console.flush()?;
    let problems = || answers.iter().filter_map(|answer| answer.problem.as_ref());
    for problem in problems() {
        console.error(&problem.detail, problem.hint.as_deref());
    }
    match (asked, got.value.refused) {
        (1, _) => {}
        (_, 0) => tell_done(console, &got.value),
        (_, refused) => console.talk(format!("nothing was decided: {refused} of {asked} records stand in the way")),
    }
    Ok(Exit::of_all(problems()))
}

/// What a record that was confirmed still waits for.
fn remark(answer: &DecisionAnswer) -> String {
    let in_words = |Blocked { until, reason }: &Blocked| match until {
        Some(until) => format!("it cannot be erased before {until}: {reason}"),
        None => reason.clone(),
    };
    answer.blocked.iter().map(in_words).collect::<Vec<_>>().join("; ")
}

/// How many were moved; those that another person has to confirm too are counted apart.
fn tell_done(console: &mut Console<'_>, answers: &DecisionAnswers) {
    let DecisionAnswers { done, await_second, cooling_off: count, .. } = answers;
    let done = done.saturating_sub(*await_second);
    let waiting = match await_second {
        1 => "1 waits for a second person".to_owned(),
        many => format!("{many} wait for a second person"),
    };
    console.talk(match (done, await_second) {
        (done, 0) => format!("{done} done"),
        (0, _) => waiting,
        (done, _) => format!("{done} done, {waiting}"),
    });
    if *count > 0 {
        console.talk(format!("of these, {count} in cooling-off: not erased before it is over"));
    }
}
