//! What the verbs of all decisions share: telling what became of each record.

use super::client::Got;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::list::state_name;
use super::table::table;
use crate::api::DecisionAnswers;

/// Shows what was done on stdout, and what stood in the way on stderr.
pub(super) fn tell(console: &mut Console<'_>, asked: usize, got: &Got<DecisionAnswers>) -> Result<Exit, Failure> {
    let answers = &got.value.answers;
    if console.json {
        console.data(&pretty(&got.json))?;
    } else {
        let done = answers.iter().filter(|answer| answer.problem.is_none());
        let rows: Vec<_> = done
            .map(|answer| [answer.record.clone(), answer.state.map(state_name).unwrap_or_default().to_owned()])
            .collect();
        if !rows.is_empty() {
            console.data(&table(["RECORD", "STATE"], rows))?;
        }
    }
    console.flush()?;
    let problems = || answers.iter().filter_map(|answer| answer.problem.as_ref());
    for problem in problems() {
        console.error(&problem.detail, problem.hint.as_deref());
    }
    let done = got.value.done;
    match (asked, got.value.refused) {
        (1, _) => {}
        (_, 0) => console.talk(format!("{done} done")),
        (_, refused) => console.talk(format!("nothing was decided: {refused} of {asked} records stand in the way")),
    }
    Ok(Exit::of_all(problems()))
}
