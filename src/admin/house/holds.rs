//! Legal holds and reasons, in words of the socket.

use super::faults::Asked;
use super::runs::instant;
use crate::admin::Release;
use crate::admin::problem::{problem, with_hint};
use crate::api::{self, Code, Problem};
use crate::desk::{
    Desk, GivenReason, HeldRecord, HoldId, HoldRefused, Page, ReasonKind, ReasonRefused, Reasons, Released, WhichHold,
};
use crate::record::RecordRef;

/// A page of the list.
pub(super) fn page(page: Page<HeldRecord, HoldId>) -> api::HoldPage {
    api::HoldPage {
        total: page.total,
        items: page.items.into_iter().map(hold).collect(),
        next: page.next.map(|id| id.to_string()),
    }
}

/// One hold.
pub(super) fn hold(held: HeldRecord) -> api::Hold {
    let of = held.hold;
    let GivenReason { standard, text } = of.reason;
    let from = held.release_from.map(instant);
    let release = of.asked.map(|asked| api::PendingRelease {
        at: instant(asked.at),
        by: asked.by.to_string(),
        reason: asked.reason.text,
        from,
    });
    api::Hold {
        hold: of.id.0.unsigned_abs(),
        record: of.record.to_string(),
        label: held.label.as_ref().map(|label| label.reveal().to_owned()),
        since: instant(of.set_at),
        days: held.days,
        by: of.set_by.to_string(),
        reason: text,
        standard_reason: standard,
        reference: of.reference,
        person_changed: held.has_changed,
        release,
        problem: held.problem,
    }
}

/// What became of a release.
pub(super) fn released(released: Released) -> api::ReleaseAnswer {
    match released {
        Released::Over(held) => api::ReleaseAnswer { released: true, hold: hold(held) },
        Released::Asked(held) => api::ReleaseAnswer { released: false, hold: hold(held) },
    }
}

/// The hold that a request means. A number beyond all that can be is one that no hold has.
pub(super) fn which(release: &Release) -> WhichHold {
    match (release.hold, &release.reference) {
        (Some(number), _) => WhichHold::Number(i64::try_from(number).unwrap_or(i64::MAX)),
        (None, Some(reference)) => WhichHold::Reference(reference.clone()),
        (None, None) => WhichHold::Only,
    }
}

/// Why a hold is not set or not released, told to whoever asked for it.
pub(super) fn refused(asked: Asked, record: &RecordRef, refused: &HoldRefused) -> Problem {
    let detail = format!("cannot {} {record}: {refused}", asked.words());
    match refused {
        HoldRefused::BeingErased | HoldRefused::Erased(_) => with_hint(
            problem(Code::Conflict, detail),
            format!("see what happened to it: erasurectl audit list --record {record}"),
        ),
        HoldRefused::HeldAlready(_) => {
            with_hint(problem(Code::Conflict, detail), "it stands; write another reference for a second one")
        }
        HoldRefused::NoSuchHold => {
            with_hint(problem(Code::NoSuchRecord, detail), "erasurectl holds shows those there are")
        }
        HoldRefused::Several(ids) => {
            let numbers: Vec<String> = ids.iter().map(ToString::to_string).collect();
            with_hint(
                problem(Code::Conflict, detail),
                format!("say which: --hold NUMBER or --reference TEXT; their numbers are {}", numbers.join(", ")),
            )
        }
        HoldRefused::SamePerson => {
            with_hint(problem(Code::Conflict, detail), "ask a colleague with the permission hold to release it")
        }
        HoldRefused::NotYet(_) => with_hint(problem(Code::Conflict, detail), "release it then"),
        HoldRefused::ClockDoubted => {
            with_hint(problem(Code::Conflict, detail), "release it when an operator has set the clock right")
        }
    }
}

/// Why a reason is not taken.
pub(super) fn unreasonable(doing: &str, refused: &ReasonRefused) -> Problem {
    let told = problem(Code::Invalid, format!("cannot {doing} for this reason: {refused}"));
    match refused.hint() {
        Some(hint) => with_hint(told, hint),
        None => told,
    }
}

/// The reasons that people choose from.
pub(super) fn reasons(reasons: &Reasons, kind: Option<api::ReasonKind>) -> api::ReasonList {
    let asked = |one: &ReasonKind| kind.is_none_or(|kind| kind == kind_name(*one));
    let kinds = ReasonKind::ALL.into_iter().filter(asked).map(|kind| {
        let choice = reasons.of(kind);
        let standard = choice.standard.iter().zip(1..).map(|(reason, number)| api::StandardReason {
            number,
            name: reason.name.clone(),
            text: Desk::words_of(reason).to_owned(),
            texts: reason.wording.by_language.iter().map(|(code, text)| ((*code).to_owned(), text.clone())).collect(),
        });
        api::ReasonChoice { kind: kind_name(kind), free_text: choice.free_text, reasons: standard.collect() }
    });
    api::ReasonList { kinds: kinds.collect() }
}

const fn kind_name(kind: ReasonKind) -> api::ReasonKind {
    match kind {
        ReasonKind::Erase => api::ReasonKind::Erase,
        ReasonKind::Postpone => api::ReasonKind::Postpone,
        ReasonKind::Hold => api::ReasonKind::Hold,
    }
}
