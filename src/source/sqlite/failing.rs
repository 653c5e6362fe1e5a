//! Places at which a test can let a statement fail, with the result code that SQLite would give.
//!
//! Without the feature `failpoints` nothing of this is in the program. With it `FAILPOINTS=source-before=6*off->1*return(10)->off`
//! lets the seventh statement fail as on a disk that fails, before anything of it is carried out.

/// Before a statement is carried out.
pub(super) const BEFORE: &str = "source-before";
/// After it was carried out: the answer is lost, and nobody knows what has come of it.
pub(super) const AFTER: &str = "source-after";

/// Passes the place of this name: where a test has armed it, what is being done has failed.
pub(super) fn pass(place: &'static str, doing: &'static str) -> Result<(), sqlx::Error> {
    #[cfg(not(feature = "failpoints"))]
    let _ = (place, doing);
    #[cfg(feature = "failpoints")]
    fail::fail_point!(place, |code| {
        let code = code.unwrap_or_default();
        tracing::error!(place, doing, code, "failed at a failpoint");
        Err(sqlx::Error::Database(Box::new(Failure { code })))
    });
    Ok(())
}

#[cfg(feature = "failpoints")]
#[derive(Debug, thiserror::Error)]
#[error("a test lets it fail")]
struct Failure {
    code: String,
}

#[cfg(feature = "failpoints")]
impl sqlx::error::DatabaseError for Failure {
    fn message(&self) -> &'static str {
        "a test lets it fail"
    }

    fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
        Some(self.code.as_str().into())
    }

    fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> sqlx::error::ErrorKind {
        sqlx::error::ErrorKind::Other
    }
}
