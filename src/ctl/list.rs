//! The list of proposals, as a table or as CSV; how many there are; what stands for a set of them.

use super::Session;
use super::args::{List, SortName};
use super::console::Console;
use super::csv;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::table::{clean, facts, or_dash, table};
use super::tongue::told;
use crate::api::{
    CategoryTotal, ListQuery, Origin, Outcome, Proposal, ProposalPage, ProposalSet, ProposalTotals, SetDigest, State,
};

pub(super) async fn run(session: &mut Session<'_>, what: List) -> Result<Exit, Failure> {
    if what.totals {
        return totals(session, what.set.into()).await;
    }
    // First the digest, then the list: what changes in between is in the list and not in the digest, which then holds no
    // longer. The other way round, one could confirm what one has not seen.
    let digest = if what.digest { Some(digest(session, what.set.clone().into()).await?) } else { None };
    if digest.is_some() && session.console.json {
        return Ok(Exit::Done);
    }
    let csv = what.csv;
    let query = query(what);
    if csv {
        return all_as_csv(session, query).await;
    }
    let got = session.client.get::<ProposalPage>("/v1/proposals", &query).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let page = got.value;
    let rows = page.items.iter().map(row);
    session.console.data(&table(["RECORD", "STATE", "CRITERION", "DUE ON", "OUTCOME", "LABEL", "REMARK"], rows))?;
    match page.searched {
        None => tell_rest(&mut session.console, page.items.len(), page.total, page.next.as_deref()),
        Some(searched) => {
            tell_found(&mut session.console, page.items.len(), searched, page.total, page.next.as_deref());
        }
    }
    if let Some(digest) = digest {
        tell_digest(&mut session.console, &digest)?;
    }
    Ok(Exit::Done)
}

fn query(what: List) -> ListQuery {
    let List { set, text, sort, descending, page, .. } = what;
    let ProposalSet { category, state, criterion, unit, age, due_from, due_to, decided_by } = set.into();
    ListQuery {
        category,
        state,
        criterion,
        unit,
        age,
        due_from,
        due_to,
        decided_by,
        text,
        sort: sort.map(SortName::into),
        descending: descending.then_some(true),
        limit: page.limit,
        cursor: page.cursor,
    }
}

/// Says how many there are besides, and how to see them.
pub(super) fn tell_rest(console: &mut Console<'_>, shown: usize, total: u64, next: Option<&str>) {
    console.talk(format!("{shown} of {total}"));
    if let Some(next) = next {
        console.talk(format!("hint: go on with --cursor {next}"));
    }
}

/// Says how far a text was looked for, and how to go on.
fn tell_found(console: &mut Console<'_>, found: usize, searched: u64, total: u64, next: Option<&str>) {
    console.talk(format!("{found} found in {searched} labels, of {total} records in all"));
    if let Some(next) = next {
        console.talk(format!("hint: go on with --cursor {next}"));
    }
}

/// Every page from where the query begins, or as many records as it asks for.
async fn all_as_csv(session: &mut Session<'_>, mut query: ListQuery) -> Result<Exit, Failure> {
    session.console.bytes(csv::line(&HEAD.map(str::to_owned)).as_bytes())?;
    let mut left = query.limit;
    loop {
        query.limit = left;
        let page = session.client.get::<ProposalPage>("/v1/proposals", &query).await?.value;
        for item in &page.items {
            session.console.bytes(csv::line(&cells(item)).as_bytes())?;
        }
        let shown = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
        left = left.map(|left| left.saturating_sub(shown));
        match page.next {
            Some(next) if left != Some(0) => query.cursor = Some(next),
            _ => return Ok(Exit::Done),
        }
    }
}

/// The head of the CSV.
const HEAD: [&str; 15] = [
    "record",
    "state",
    "origin",
    "criterion",
    "due_on",
    "outcome",
    "label",
    "unit",
    "version",
    "proposed_at",
    "confirmations",
    "decided_by",
    "postponed_until",
    "reason",
    "problem",
];

fn cells(item: &Proposal) -> [String; 15] {
    // It may go to a terminal, as anything may.
    let text = |text: &Option<String>| text.as_deref().map(clean).unwrap_or_default();
    [
        clean(&item.record),
        state_name(item.state).to_owned(),
        origin_name(item.origin).to_owned(),
        text(&item.criterion),
        text(&item.due_on),
        item.outcome.map(outcome_name).unwrap_or_default().to_owned(),
        text(&item.label),
        text(&item.unit),
        item.version.to_string(),
        item.proposed_at.clone(),
        item.confirmations.to_string(),
        text(&item.decided_by),
        text(&item.postponed_until),
        text(&item.reason),
        text(&item.problem),
    ]
}

async fn totals(session: &mut Session<'_>, set: ProposalSet) -> Result<Exit, Failure> {
    let got = session.client.get::<ProposalTotals>("/v1/proposals/totals", &set).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let row = |of: &CategoryTotal| {
        let CategoryTotal { proposed, confirmed, postponed, erasing, erased, withdrawn, total, .. } = of;
        let counts = [proposed, confirmed, postponed, erasing, erased, withdrawn, total].map(u64::to_string);
        let [proposed, confirmed, postponed, erasing, erased, withdrawn, total] = counts;
        [of.category.clone(), proposed, confirmed, postponed, erasing, erased, withdrawn, total]
    };
    let head = ["CATEGORY", "PROPOSED", "CONFIRMED", "POSTPONED", "ERASING", "ERASED", "WITHDRAWN", "TOTAL"];
    session.console.data(&table(head, got.value.categories.iter().map(row)))?;
    session.console.talk(format!("{} in all", got.value.total));
    Ok(Exit::Done)
}

/// Asks for what stands for a set; with `--json` that is all there is to say.
async fn digest(session: &mut Session<'_>, set: ProposalSet) -> Result<SetDigest, Failure> {
    let got = session.client.get::<SetDigest>("/v1/proposals/digest", &set).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    }
    Ok(got.value)
}

fn tell_digest(console: &mut Console<'_>, set: &SetDigest) -> Result<(), Failure> {
    let SetDigest { digest, records, proposed } = set;
    let shown = facts([("records", Some(records.to_string())), ("digest", Some(digest.clone()))]);
    console.data(&format!("\n{shown}"))?;
    if proposed < records {
        console.talk(format!("{proposed} of the {records} wait for a decision: as it is, the set cannot be confirmed"));
        console.talk("hint: add --state proposed");
    } else {
        console.talk(format!("hint: erasurectl confirm --all with the same filters and --digest {digest}"));
    }
    Ok(())
}

fn row(item: &Proposal) -> [String; 7] {
    [
        item.record.clone(),
        state_name(item.state).to_owned(),
        item.criterion.clone().unwrap_or_else(|| told(origin_name(item.origin))),
        or_dash(item.due_on.as_deref()),
        or_dash(item.outcome.map(outcome_name)),
        or_dash(item.label.as_deref()),
        remark(item),
    ]
}

fn remark(item: &Proposal) -> String {
    let until = item.postponed_until.as_ref().map(|until| format!("until {until}"));
    let held = item.held_since.as_ref().map(|since| format!("held since {since}"));
    let is_half = item.state == State::Proposed && (1..item.confirmations_needed).contains(&item.confirmations);
    let second = is_half.then(|| "waits for a second person".to_owned());
    let parts = [held, second, until, item.reason.clone(), item.problem.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Proposed => "proposed",
        State::Confirmed => "confirmed",
        State::Postponed => "postponed",
        State::Erasing => "erasing",
        State::Erased => "erased",
        State::Withdrawn => "withdrawn",
    }
}

pub(super) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delete => "delete",
        Outcome::Anonymise => "anonymise",
    }
}

/// Why a record is proposed, in words.
pub(super) const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Criterion => "due under a criterion",
        Origin::Application => "marked by the application",
        Origin::Clerk => "marked by a clerk",
        Origin::Shell => "anonymised before, kept by nothing",
    }
}
