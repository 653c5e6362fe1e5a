//! What the commands print: data to standard output, talk to standard error.

use std::io::Write as _;
use std::process::ExitCode;

/// Prints data.
pub(super) fn data(text: &str) {
    // A reader that has gone away (`| head`) wants no more.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Says something to whoever sits there.
pub(super) fn talk(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Says what failed and what to do about it.
pub(super) fn failed(what: &str, hint: Option<&str>) -> ExitCode {
    talk(&format!("error: {what}"));
    if let Some(hint) = hint {
        talk(&format!("hint: {hint}"));
    }
    ExitCode::FAILURE
}
