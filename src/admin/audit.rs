//! The audit trail.

use super::dispatch::{Answer, Call};
use super::list::page;
use super::{Backend, Reply, TrailSelection, decide};
use crate::api::AuditQuery;

/// `GET /v1/audit`
pub(super) async fn list<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let query: AuditQuery = call.query()?;
    let selection = TrailSelection {
        record: query.record.as_deref().map(decide::record).transpose()?,
        run: query.run,
        page: page(query.limit, query.cursor)?,
    };
    Answer::json(&call.backend.audit(&call.leave, selection).await?)
}

/// `GET /v1/audit/export`
pub(super) async fn export<B: Backend>(call: Call<B>) -> Reply<Answer> {
    Ok(Answer::lines(call.backend.audit_export(&call.leave).await?))
}

/// `GET /v1/audit/verify`
pub(super) async fn verify<B: Backend>(call: Call<B>) -> Reply<Answer> {
    Answer::json(&call.backend.audit_verify(&call.leave).await?)
}

/// `GET /v1/audit/checkpoints`
pub(super) async fn checkpoints<B: Backend>(call: Call<B>) -> Reply<Answer> {
    Answer::json(&call.backend.audit_checkpoints(&call.leave).await?)
}
