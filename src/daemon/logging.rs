//! The log for operators: to the journal, or to standard output as text or JSON.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

use super::args::LogForm;

/// What is logged where `ERASURED_LOG` says nothing: our own words, and of libraries only what went wrong.
const FILTER: &str = "warn,erasured=info";

/// Begins the log. A second call in one process changes nothing.
pub(super) fn begin(form: LogForm) {
    let filter = EnvFilter::try_from_env("ERASURED_LOG").unwrap_or_else(|_| EnvFilter::new(FILTER));
    let registry = Registry::default().with(filter);
    let wants_journal =
        form == LogForm::Journald || (form == LogForm::Auto && std::env::var_os("JOURNAL_STREAM").is_some());
    let journal = wants_journal.then(tracing_journald::layer).and_then(Result::ok);
    // The journal may be missing where it was asked for; then the words go to standard output, which a service manager
    // collects too.
    let begun = match (journal, form) {
        (Some(journal), _) => registry.with(journal).try_init(),
        (None, LogForm::Json) => {
            registry.with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stdout)).try_init()
        }
        (None, _) => registry
            .with(tracing_subscriber::fmt::layer().with_target(false).with_ansi(false).with_writer(std::io::stdout))
            .try_init(),
    };
    if begun.is_err() {
        tracing::debug!("the log had begun before");
    }
}

/// No log, for commands whose own words are what somebody reads; what goes wrong is said on standard error.
pub(super) fn quiet() {
    let filter = EnvFilter::try_from_env("ERASURED_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    let words = tracing_subscriber::fmt::layer().with_target(false).with_ansi(false).with_writer(std::io::stderr);
    if Registry::default().with(filter).with(words).try_init().is_err() {
        tracing::debug!("the log had begun before");
    }
}
