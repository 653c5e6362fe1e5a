//! Metrics, as Prometheus reads them.

use super::Session;
use super::exit::{Exit, Failure};

pub(super) async fn run(session: &mut Session<'_>) -> Result<Exit, Failure> {
    session.client.pour("/metrics", &mut session.console).await?;
    Ok(Exit::Done)
}
