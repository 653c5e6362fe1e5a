//! What the brake has stopped, and the word of somebody entitled that a run may go on over it.

use super::Session;
use super::args::Run as Asked;
use super::client::Got;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::table::facts;
use super::tongue::told;
use crate::api::{BrakeQuery, ClosedBrake, ClosedBrakes, OverrideRequest, Run, Spread, SpreadPart};

/// Shows what was stopped, makes sure that whoever goes on over it has seen the numbers, and queues the run.
pub(super) async fn overridden(session: &mut Session<'_>, what: &Asked) -> Result<Got<Run>, Failure> {
    let reason = what.reason.clone().filter(|reason| !reason.trim().is_empty());
    let Some(reason) = reason else {
        return Err(Failure::new(Exit::Usage, "cannot override the brake without a reason")
            .hint("write --reason TEXT: it is kept beside the audit trail"));
    };
    let job = what.job.into();
    let closed = session.client.get::<ClosedBrakes>("/v1/brake", &BrakeQuery { job }).await?.value;
    show(&mut session.console, &closed);
    if what.digest.as_ref().is_some_and(|digest| *digest != closed.digest) {
        let (run, digest) = (closed.run, &closed.digest);
        return Err(Failure::new(
            Exit::Conflict,
            format!("cannot override the brake: what it stopped in run {run} has the digest {digest}"),
        )
        .hint("look at the numbers again"));
    }
    ask(&mut session.console, closed.records, what.yes_override)?;
    let request = OverrideRequest { job, digest: closed.digest, reason };
    session.client.post::<Run>("/v1/brake/override", &request).await
}

/// On stderr: what is asked about is no answer to what was asked for.
fn show(console: &mut Console<'_>, closed: &ClosedBrakes) {
    let ClosedBrakes { run: id, records, brakes, .. } = closed;
    console.talk(format!("the brake stopped {records} records in run {id}"));
    console.show(&facts(brakes.iter().flat_map(lines)));
}

/// Makes sure that whoever goes on knows how many records that are.
fn ask(console: &mut Console<'_>, records: u64, said: Option<u64>) -> Result<(), Failure> {
    let typed = match said {
        Some(said) => said.to_string(),
        None => {
            let question = format!("The run goes on over {records} records. Type their number to go on: ");
            console.ask(&question).ok_or_else(|| {
                Failure::new(
                    Exit::Usage,
                    format!("cannot override the brake for {records} records without a terminal to ask at"),
                )
                .hint(format!("if that is the number you mean, add --yes-override {records}"))
            })?
        }
    };
    if typed.trim() == records.to_string() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        format!("cannot override the brake for {records} records: another number was given"),
    )
    .hint("nothing was begun; look at the numbers again"))
}

/// What a closed brake was closed over, a line each.
pub(super) fn lines(brake: &ClosedBrake) -> [(&'static str, Option<String>); 5] {
    let ClosedBrake { category, records, rows, count, share, digest, criteria, units, due_years } = brake;
    [
        ("brake", Some(format!("{category}: {records} of {rows} records (limits {count} and {share})"))),
        ("by criterion", Some(spread(criteria))),
        ("by unit", Some(spread(units))),
        ("by year due", Some(spread(due_years))),
        ("digest", Some(digest.clone())),
    ]
}

/// How many records belong to what, in one line.
fn spread(spread: &Spread) -> String {
    let part = |SpreadPart { name, records }: &SpreadPart| match name {
        // Names of criteria have no blanks; what stands for those who have asked has.
        Some(name) if name.contains(' ') => format!("{} {records}", told(name)),
        Some(name) => format!("{name} {records}"),
        None => format!("{} {records}", told("none")),
    };
    let others = (spread.others > 0).then(|| format!("{} {}", told("others"), spread.others));
    spread.most.iter().map(part).chain(others).collect::<Vec<_>>().join(", ")
}
