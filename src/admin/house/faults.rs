//! Why the desk gives no answer, as problems.

use jiff::civil::Date;

use super::holds;
use crate::admin::problem::{problem, with_hint};
use crate::api::{Code, Problem};
use crate::desk::DeskError;
use crate::record::RecordRef;

/// What was asked for, as problems name it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    /// The status.
    Status,
    /// A list of proposals.
    List,
    /// One record.
    Show,
    /// A mark.
    Mark,
    /// A decision, by its verb.
    Decide(&'static str),
    /// A new hold.
    Hold,
    /// The end of a hold.
    Release,
    /// A list of holds.
    Holds,
    /// A new run.
    Queue,
    /// What the brake has stopped.
    Brake,
    /// A run that goes on over it.
    Override,
    /// One run.
    Run,
    /// A list of runs.
    Runs,
    /// The trail.
    Trail,
    /// The rules.
    Policy,
    /// What is assigned to users.
    Access,
}

impl Asked {
    /// `cannot …`
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Status => "tell how the daemon is",
            Self::List => "list proposals",
            Self::Show => "show",
            Self::Mark => "mark",
            Self::Decide(verb) => verb,
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Holds => "list holds",
            Self::Queue => "queue a run",
            Self::Brake => "show what the brake has stopped",
            Self::Override => "override the brake",
            Self::Run => "show the run",
            Self::Runs => "list runs",
            Self::Trail => "read the audit trail",
            Self::Policy => "tell the rules",
            Self::Access => "tell who may do what",
        }
    }
}

/// The problem that the peer is told. What failed inside the house goes to the log alone: it may name files.
pub(super) fn problem_of(asked: Asked, error: DeskError) -> Problem {
    let verb = asked;
    let asked = asked.words();
    match error {
        DeskError::NoSuchRecord(record) if matches!(verb, Asked::Hold) => with_hint(
            problem(Code::NoSuchRecord, format!("cannot hold {record}: there is no such record")),
            "a record is written category/key; erasurectl policy shows the categories",
        ),
        DeskError::Hold(record, refused) => holds::refused(verb, &record, &refused),
        DeskError::Unreadable(category, why) => with_hint(
            problem(Code::SourceUnavailable, format!("cannot {asked} a record of {category}: {why}")),
            "erasurectl status shows what is wrong; nothing is erased there until it is mended",
        ),
        DeskError::NoSuchRecord(record) => no_such_record(asked, &record.to_string()),
        DeskError::Unproposed { record, why } => with_hint(
            problem(Code::NoSuchRecord, format!("cannot show {record}: there is no proposal for it: {why}")),
            "erasurectl mark asks for its erasure, whatever the criteria say",
        ),
        DeskError::CannotMark { .. } => {
            with_hint(problem(Code::Conflict, error.to_string()), "erasurectl show says how it stands")
        }
        DeskError::NoSuchCategory(category) => with_hint(
            problem(Code::NoSuchCategory, format!("cannot {asked}: there is no category {category}")),
            "erasurectl policy shows those there are",
        ),
        DeskError::NoSuchRun(id) => no_such_run(id),
        DeskError::NothingBraked(_) | DeskError::OtherBrake(_) | DeskError::BrakeUnseen(_) => with_hint(
            problem(Code::Conflict, format!("cannot {asked}: {error}")),
            "erasurectl runs shows what has run, and erasurectl runs show RUN what was stopped",
        ),
        DeskError::Access(fault) => super::access::problem_with(asked, &fault),
        DeskError::NotProposed { records, proposed } => with_hint(
            problem(
                Code::Conflict,
                format!("cannot {asked} all of the set: {proposed} of its {records} records wait for a decision"),
            ),
            "add --state proposed to the filters, and take the digest of that",
        ),
        DeskError::NothingThere => {
            problem(Code::Conflict, format!("cannot {asked} all of the set: there is no record in it"))
        }
        DeskError::Overtaken => {
            with_hint(problem(Code::Conflict, format!("cannot {asked}: {error}")), "nothing was changed; ask again")
        }
        DeskError::Different(_) | DeskError::Refused(_) | DeskError::NotTogether(_) => {
            problem(Code::Conflict, format!("cannot {asked}: {error}"))
        }
        DeskError::Store(_) => {
            tracing::error!(error = &error as &dyn std::error::Error, asked, "cannot answer");
            with_hint(
                problem(Code::Internal, format!("cannot {asked}: the daemon's own state is in the way")),
                "the daemon's log says why; nothing was changed",
            )
        }
    }
}

/// There is no proposal for the record, or none that the asker may see.
pub(super) fn no_such_record(doing: &str, record: &str) -> Problem {
    with_hint(
        problem(Code::NoSuchRecord, format!("cannot {doing} {record}: there is no proposal for it")),
        "erasurectl list shows those there are",
    )
}

/// There is no such record in the source, or none that the asker may see.
pub(super) fn nothing_to_mark(record: &RecordRef) -> Problem {
    with_hint(
        problem(Code::NoSuchRecord, format!("cannot mark {record}: there is no such record")),
        "a record is written category/key; erasurectl policy shows the categories",
    )
}

/// There is no run of this number.
pub(super) fn no_such_run(id: impl std::fmt::Display) -> Problem {
    with_hint(
        problem(Code::NoSuchRun, format!("cannot find run {id}: there is none of this number")),
        "erasurectl runs shows those there are",
    )
}

/// A postponement must end on a day to come.
pub(super) fn not_in_the_future(doing: &str, until: Date, today: Date) -> Problem {
    with_hint(
        problem(Code::Invalid, format!("cannot {doing} until {until}: the date must be after today, {today}")),
        "name a later day: the first on which the records may be proposed again",
    )
}
