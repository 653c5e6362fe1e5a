//! The clerk's word that records may be erased: some that are named, or all of a set that the clerk has seen.

use super::args::Confirm;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::table::table;
use super::{Session, decide};
use crate::api::{ConfirmRequest, DecisionAnswers, ProposalSet, SetDifference, SetPart};

/// Most records that are confirmed without being asked for their number.
const UNASKED_MAX: u64 = 20;

pub(super) async fn run(session: &mut Session<'_>, what: Confirm) -> Result<Exit, Failure> {
    let Confirm { records, all, digest, set, yes_confirm, with, with_linked } = what;
    let set = ProposalSet::from(set);
    if all {
        return run_all(session, set, digest, yes_confirm).await;
    }
    if set != ProposalSet::default() {
        return Err(Failure::new(Exit::Usage, "cannot confirm single records by filters")
            .hint("write --all for all that the filters let through"));
    }
    if digest.is_some() {
        return Err(Failure::new(Exit::Usage, "cannot confirm single records by a digest")
            .hint("write --all, and the filters that the digest was made with"));
    }
    let count = (records.len() + with.len()) as u64;
    if count > UNASKED_MAX || yes_confirm.is_some() {
        ask(&mut session.console, count, yes_confirm)?;
    }
    let request = ConfirmRequest { records, with, with_linked, ..ConfirmRequest::default() };
    let got = session.client.post::<DecisionAnswers>("/v1/confirm", &request).await?;
    let asked = request.records.len() + request.with.len();
    let exit = decide::tell(&mut session.console, asked, &got)?;
    if !session.console.json {
        for answer in &got.value.answers {
            if let Some(verdict) = &answer.linked {
                session.console.talk(format!("linked with {}: {verdict}", answer.record));
            }
        }
    }
    Ok(exit)
}

/// Whoever confirms a set has always to say how many records that are: it is not to be seen from the line typed.
async fn run_all(
    session: &mut Session<'_>,
    set: ProposalSet,
    digest: Option<String>,
    yes_confirm: Option<u64>,
) -> Result<Exit, Failure> {
    let Some(digest) = digest else {
        return Err(Failure::new(Exit::Usage, "cannot confirm all of a set without its digest")
            .hint("look at it first: erasurectl list with the same filters and --digest gives the digest"));
    };
    // The second part is the number of the records.
    let Some(count) = digest.split('-').nth(1).and_then(|count| count.parse().ok()) else {
        return Err(Failure::new(Exit::Usage, "cannot read the digest: it is none that a list has given")
            .hint("erasurectl list with the same filters and --digest gives it"));
    };
    ask(&mut session.console, count, yes_confirm)?;
    let request = ConfirmRequest { all: Some(set), digest: Some(digest), ..ConfirmRequest::default() };
    let got = session.client.post::<DecisionAnswers>("/v1/confirm", &request).await?;
    let Some(difference) = &got.value.difference else {
        // As if there were many: what was typed does not say which they are.
        let asked = usize::try_from(count).unwrap_or(usize::MAX).max(2);
        return decide::tell(&mut session.console, asked, &got);
    };
    if session.console.json {
        session.console.data(&super::json::pretty(&got.json))?;
    } else {
        session.console.data(&table(["RECORD", "IN THE SET"], rows(difference)))?;
    }
    session.console.flush()?;
    let SetDifference { then, now, more, problem, .. } = difference;
    session.console.error(&problem.detail, problem.hint.as_deref());
    session.console.talk(format!("nothing was decided: the set had {then} records, and has {now} now"));
    if *more {
        session.console.talk("more has happened since then than is shown");
    }
    Ok(Exit::of(problem))
}

/// What has changed, by record; what is not named is counted.
fn rows(difference: &SetDifference) -> Vec<[String; 2]> {
    let part = |SetPart { count, records }: &SetPart, word: &str| {
        let unnamed = count.saturating_sub(records.len() as u64);
        let named = records.iter().map(|record| [record.clone(), word.to_owned()]);
        let rest = (unnamed > 0).then(|| [format!("and {unnamed} more"), word.to_owned()]);
        named.chain(rest).collect::<Vec<_>>()
    };
    let SetDifference { new, gone, changed, .. } = difference;
    [part(new, "new"), part(gone, "gone"), part(changed, "changed")].concat()
}

/// Makes sure that whoever confirms knows how many records that are.
fn ask(console: &mut Console<'_>, count: u64, said: Option<u64>) -> Result<(), Failure> {
    let records = if count == 1 { "1 record".to_owned() } else { format!("{count} records") };
    let typed = match said {
        Some(said) => said.to_string(),
        None => {
            let question = format!("{records} will be confirmed. Type the number of records to go on: ");
            console.ask(&question).ok_or_else(|| {
                Failure::new(Exit::Usage, format!("cannot confirm {records} without a terminal to ask at"))
                    .hint(format!("if that is the number you mean, add --yes-confirm {count}"))
            })?
        }
    };
    if typed.trim() == count.to_string() {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, format!("cannot confirm {records}: another number was given"))
        .hint("nothing was confirmed; look at the list again"))
}

#[cfg(test)]
mod tests {
    use super::super::console::Streams;
    use super::*;

    fn asked(typed: Option<&str>, said: Option<u64>) -> (bool, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut input = typed.map(|typed| typed.as_bytes());
        let input = input.as_mut().map(|input| input as &mut (dyn std::io::BufRead + Send));
        let streams = Streams { out: &mut out, err: &mut err, is_terminal: true, input };
        let answer = ask(&mut Console::new(false, streams), 21, said);
        (answer.is_ok(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn the_number_has_to_be_typed() {
        let (goes_on, question) = asked(Some("21\n"), None);
        assert!(goes_on);
        assert_eq!(question, "21 records will be confirmed. Type the number of records to go on: ");
        for wrong in ["20\n", "\n", "", "y\n", "yes"] {
            assert!(!asked(Some(wrong), None).0, "{wrong:?}");
        }
        assert!(!asked(None, None).0, "nobody was asked");
        assert!(asked(None, Some(21)).0);
        assert!(!asked(Some("21\n"), Some(20)).0, "what stands on the line holds");
    }
}
