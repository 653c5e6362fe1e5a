//! How the program ends, and why.

use std::process::ExitCode;

use crate::api::{Code, Problem};

/// How the program ends. Scripts rely on the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Refused, or failed.
    Refused,
    /// Wrong usage.
    Usage,
    /// The daemon cannot be reached.
    Unreachable,
    /// Not permitted.
    NotPermitted,
    /// There is no such record, category or run.
    NoSuchRecord,
    /// The state has changed, or does not allow it.
    Conflict,
    /// Of `status --check`: a part is not done, or not in time.
    CheckWarning,
    /// Of `status --check`: something stands still until somebody does something.
    CheckCritical,
    /// Of `status --check`: nobody knows.
    CheckUnknown,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Exit {
    /// The exit code. Those of `status --check` are monitoring's own.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused | Self::CheckWarning => 1,
            Self::Usage | Self::CheckCritical => 2,
            Self::Unreachable | Self::CheckUnknown => 3,
            Self::NotPermitted => 4,
            Self::NoSuchRecord => 5,
            Self::Conflict => 6,
        }
    }

    /// The exit that a problem ends in.
    pub(super) fn of(problem: &Problem) -> Self {
        match problem.code {
            Code::Malformed => Self::Usage,
            Code::UnknownPeer | Code::NotPermitted => Self::NotPermitted,
            Code::NoSuchRecord | Code::NoSuchCategory | Code::NoSuchRun => Self::NoSuchRecord,
            Code::Conflict => Self::Conflict,
            Code::Stopping => Self::Unreachable,
            Code::Invalid
            | Code::NoSuchRoute
            | Code::MethodNotAllowed
            | Code::RequestTimeout
            | Code::TooLarge
            | Code::SourceUnavailable
            | Code::TimedOut
            | Code::RunIncomplete
            | Code::Internal => Self::Refused,
            // A later daemon's code: its status still says what kind of problem it is.
            Code::Unknown => match problem.status {
                403 => Self::NotPermitted,
                404 => Self::NoSuchRecord,
                409 => Self::Conflict,
                _ => Self::Refused,
            },
        }
    }

    /// The exit of several refusals: theirs if they agree.
    pub(super) fn of_all<'a>(problems: impl IntoIterator<Item = &'a Problem>) -> Self {
        let exits = problems.into_iter().map(Self::of);
        exits.reduce(|one, other| if one == other { one } else { Self::Refused }).unwrap_or(Self::Done)
    }
}

/// Why a verb was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something to tell the reader.
    Told {
        /// The program's exit.
        exit: Exit,
        /// One sentence: `cannot <verb> <thing>: …`.
        sentence: String,
        /// What the reader can do about it.
        hint: Option<String>,
    },
    /// Whoever was reading stdout has gone (`erasurectl list | head`): there is nobody to tell, and nothing is wrong.
    NobodyReads,
}

impl Failure {
    pub(super) fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self::Told { exit, sentence: sentence.into(), hint: None }
    }

    pub(super) fn hint(self, advice: impl Into<String>) -> Self {
        match self {
            Self::Told { exit, sentence, .. } => Self::Told { exit, sentence, hint: Some(advice.into()) },
            Self::NobodyReads => Self::NobodyReads,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Told { exit: Exit::of(&problem), sentence: problem.detail, hint: problem.hint }
    }
}
