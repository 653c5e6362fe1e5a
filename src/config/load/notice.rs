//! `[notice]`: what the operator wants to be told of.

use super::section::Section;
use super::{rule, shape};
use crate::config::Notice;

/// The section; without one nobody is told that a decision waits for long.
pub fn read(top: &Section<'_>) -> Option<Notice> {
    if top.get("notice").is_none() {
        return Some(Notice::default());
    }
    let section = top.section("notice", &shape::NOTICE)?;
    let decisions_after = match section.get("decisions_after") {
        None => None,
        Some(_) => Some(rule::period_of(&section, "decisions_after")?),
    };
    let command = match section.get("command") {
        None => None,
        Some(_) => Some(command(&section)?),
    };
    Some(Notice { decisions_after, command })
}

/// A program by its whole path, so that nobody's search path decides which it is, and its arguments.
fn command(section: &Section<'_>) -> Option<Vec<String>> {
    let words = section.texts("command")?;
    let hint = "write command = [\"/usr/local/lib/erasured/notice\"]: the program, and behind it its arguments";
    let Some(program) = words.first() else {
        let place = section.key_place("command")?;
        section.fault("command", &place, "`command` names no program", hint);
        return None;
    };
    if !program.value.starts_with('/') {
        section.fault(
            "command",
            &program.place,
            format!("`command` is {:?}, which is no whole path", program.value),
            hint,
        );
        return None;
    }
    Some(words.into_iter().map(|word| word.value).collect())
}
