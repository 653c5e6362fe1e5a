//! Metrics, as Prometheus reads them.

use super::Session;
use super::exit::{Exit, Failure};

pub(super) async fn run(session: &mut Session<'_>) -> Result<Exit, Failure> {
    session.client.hurry();
    let text = session.client.text("/metrics").await?;
    session.console.bytes(text.as_bytes())?;
    Ok(Exit::Done)
}
