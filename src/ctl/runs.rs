//! What has run, and what runs.

use super::Session;
use super::args::{Page, Runs, RunsVerb};
use super::exit::{Exit, Failure};
use super::html::page;
use super::json::pretty;
use super::list::tell_rest;
use super::report::{sections, stage, title};
use super::run::{counts, state_name, tell, what};
use super::table::{or_dash, table};
use crate::api::{Run, RunPage, RunQuery};

pub(super) async fn run(session: &mut Session<'_>, asked: Runs) -> Result<Exit, Failure> {
    match asked.verb {
        Some(RunsVerb::Show { id, html: false }) => show(session, id).await,
        Some(RunsVerb::Show { id, html: true }) => paper(session, id).await,
        None => list(session, asked.page).await,
    }
}

/// A run that failed is shown as well as any other: here that is no failure of the verb.
async fn show(session: &mut Session<'_>, id: u64) -> Result<Exit, Failure> {
    let got = session.client.get::<Run>(&format!("/v1/runs/{id}"), &()).await?;
    match tell(&mut session.console, got) {
        Err(Failure::Told { sentence, hint, .. }) => {
            session.console.error(&sentence, hint.as_deref());
            Ok(Exit::Done)
        }
        told => told,
    }
}

/// The report on a run, to be printed or kept.
async fn paper(session: &mut Session<'_>, id: u64) -> Result<Exit, Failure> {
    let run = session.client.get::<Run>(&format!("/v1/runs/{id}"), &()).await?.value;
    session.console.data(&page(&title(&run), &sections(&run)))?;
    Ok(Exit::Done)
}

async fn list(session: &mut Session<'_>, page: Page) -> Result<Exit, Failure> {
    let query = RunQuery { limit: page.limit, cursor: page.cursor };
    let got = session.client.get::<RunPage>("/v1/runs", &query).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let page = got.value;
    session.console.data(&table(["RUN", "JOB", "STATE", "BY", "STARTED", "COUNTS"], page.items.iter().map(row)))?;
    tell_rest(&mut session.console, page.items.len(), page.total, page.next.as_deref());
    Ok(Exit::Done)
}

/// When it began, or from when on it may.
fn begins(run: &Run) -> String {
    match &run.not_before {
        Some(at) => format!("not before {at}"),
        None => or_dash(run.started_at.as_deref()),
    }
}

fn row(run: &Run) -> [String; 6] {
    let told = counts(run.work).into_iter().filter(|(_, count)| *count > 0);
    let stage = run.progress.iter().map(stage);
    let braked = run.brakes.iter().map(|brake| format!("brake closed: {}", brake.category));
    [
        run.id.to_string(),
        what(run),
        state_name(run.state).to_owned(),
        run.by.clone(),
        begins(run),
        stage.chain(told.map(|(name, count)| format!("{count} {name}"))).chain(braked).collect::<Vec<_>>().join(", "),
    ]
}
