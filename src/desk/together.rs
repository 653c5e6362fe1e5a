//! Confirming a record together with what it is linked to: all of them, or none.

use std::collections::BTreeSet;
use std::fmt;

use super::decide::refused;
use super::linked::{LinkedRecord, LinkedVerdict, Standing};
use super::list::ANOTHER_PERSON;
use super::{Desk, DeskError};
use crate::actor::Authorised;
use crate::audit::By;
use crate::erasure::{LINKED_RECORDS_MAX, Sources};
use crate::proposal::StateName;
use crate::record::RecordRef;
use crate::store::{Decided, Decision, DecisionError, DecisionFailure, DecisionFault, Target};

/// For so many records of one request the answer says what their linked records block.
const LINKED_TOLD_MAX: usize = 20;

/// What else is to be confirmed together with each record of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct With {
    /// These; only beside a single record.
    pub records: Vec<Target>,
    /// All that it is linked to.
    pub all_linked: bool,
}

/// A linked record that keeps a joint confirmation from being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedFailure {
    /// Which; `None` outside the asker's scope.
    pub record: Option<RecordRef>,
    /// Why.
    pub fault: LinkedFault,
}

/// Why a record cannot be confirmed together with another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkedFault {
    /// No link leads there.
    NotLinked,
    /// It may not be erased.
    Blocked(String),
    /// It is not due.
    NotDue(String),
    /// It is due, and prepare has not proposed it yet.
    NotProposed,
    /// It cannot be told.
    Unknown(String),
    /// Links lead to too many.
    TooMany,
    /// It, or what is named with it, has been confirmed together with others that are not named.
    Elsewhere,
}

/// A record of a group.
#[derive(Debug, Clone)]
struct Member {
    target: Target,
    /// Whether it was confirmed before. It is tied to the others then, and nothing else is decided about it.
    is_confirmed: bool,
}

impl fmt::Display for LinkedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinked => f.write_str("it is not linked with the record"),
            Self::Blocked(reason) => write!(f, "it blocks: {reason}"),
            Self::NotDue(reason) => write!(f, "it is not due: {reason}"),
            Self::NotProposed => f.write_str("it is due, and not proposed yet"),
            Self::Unknown(problem) => write!(f, "nothing can be said of it: {problem}"),
            Self::Elsewhere => {
                f.write_str("something here was confirmed together with others, or has changed meanwhile")
            }
            Self::TooMany => write!(f, "more than {LINKED_RECORDS_MAX} records are linked"),
        }
    }
}

impl LinkedFault {
    /// What to do instead.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotLinked => "confirm it by itself, or look at what is linked: erasurectl show",
            Self::Blocked(_) => "confirm without it: alone, or --with those that nothing blocks",
            Self::NotDue(_) => "ask for its erasure first (erasurectl mark), or name those that are due: --with",
            Self::NotProposed => "let prepare run first, or confirm without it",
            Self::Unknown(_) => "see what is wrong with its source or category: erasured check",
            Self::Elsewhere => "look at it again: erasurectl show; restore takes apart what was confirmed together",
            Self::TooMany => "a link that leads so far ties more than one person: confirm alone",
        }
    }
}

impl Desk {
    /// Confirms records together with what they are linked to; gives all that were confirmed. Those of one source are
    /// then erased together, or not at all.
    ///
    /// # Errors
    /// [`DeskError::NotTogether`] with every linked record that stands in the way, [`DeskError::Refused`] with every
    /// record that cannot be confirmed. Nothing has been confirmed then.
    pub async fn confirm_together(
        &self,
        leave: &Authorised,
        request: &str,
        targets: &[Target],
        with: &With,
    ) -> Result<Vec<Decided>, DeskError> {
        let mut sources = Sources::default();
        let groups = self.groups(leave, &mut sources, targets, with).await;
        sources.close().await;
        let (groups, failures) = groups?;
        if !failures.is_empty() {
            return Err(DeskError::NotTogether(failures));
        }
        self.confirm_groups(leave, request, &groups).await
    }

    /// What is to be confirmed together with each record, and what stands in the way.
    async fn groups(
        &self,
        leave: &Authorised,
        sources: &mut Sources,
        targets: &[Target],
        with: &With,
    ) -> Result<(Vec<Vec<Member>>, Vec<LinkedFailure>), DeskError> {
        let (mut groups, mut failures) = (Vec::new(), Vec::new());
        let glass = self.glass();
        let mut seen: BTreeSet<RecordRef> = BTreeSet::new();
        for target in targets {
            self.within(leave, &target.record).await.map_err(|error| unseen(error, target))?;
            if !seen.insert(target.record.clone()) {
                // It has come along with one before.
                continue;
            }
            let verdict = self.verdict_over(&glass, sources, leave.scope(), &target.record).await?.unwrap_or_default();
            if is_about_another(&verdict, &target.record) {
                // What is linked now is not what is linked with whom the proposal is about.
                let fault = LinkedFault::Blocked(ANOTHER_PERSON.to_owned());
                failures.push(LinkedFailure { record: Some(target.record.clone()), fault });
                continue;
            }
            let (chosen, stand) = chosen(&verdict, target, with);
            failures.extend(stand);
            let mut group = vec![Member { target: target.clone(), is_confirmed: false }];
            for Member { target: other, is_confirmed } in chosen {
                seen.insert(other.record.clone());
                // A version that was named with the request is held to.
                let named = targets.iter().find(|own| own.record == other.record).cloned();
                group.push(Member { target: named.unwrap_or(other), is_confirmed });
            }
            groups.push(group);
        }
        Ok((groups, failures))
    }

    async fn confirm_groups(
        &self,
        leave: &Authorised,
        request: &str,
        groups: &[Vec<Member>],
    ) -> Result<Vec<Decided>, DeskError> {
        let all: Vec<Target> =
            groups.iter().flatten().filter(|one| !one.is_confirmed).map(|one| one.target.clone()).collect();
        let by = By::request(leave.actor().clone(), request);
        let mut turn = self.store.turn().await;
        let today = self.today();
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        // In the change that decides: what is in scope now, and not what was when the verdict was given.
        let named = groups.iter().flatten().map(|one| &one.target.record);
        let reachable = change.within(leave.scope(), named.clone()).await.map_err(DeskError::Store)?;
        let unreachable = |record: &&RecordRef| !reachable.contains(*record);
        let failures: Vec<DecisionFailure> = named.filter(unreachable).map(not_proposed).collect();
        if !failures.is_empty() {
            return Err(DeskError::Refused(failures));
        }
        match change.decide(leave.actor(), request, &Decision::Confirm { need_two: self.need_two() }, &all, today).await
        {
            Ok(decided) => {
                for group in groups {
                    let records: Vec<RecordRef> = group.iter().map(|one| one.target.record.clone()).collect();
                    // Somebody was faster: without a commit nothing has happened.
                    if !change.join(&by, &records).await.map_err(DeskError::Store)? {
                        let record = records.into_iter().next();
                        return Err(DeskError::NotTogether(vec![LinkedFailure {
                            record,
                            fault: LinkedFault::Elsewhere,
                        }]));
                    }
                }
                change.commit().await.map_err(DeskError::Store)?;
                Ok(decided)
            }
            Err(DecisionError::Refused(failures)) => Err(refused(&all, &all, failures)),
            Err(DecisionError::Store(error)) => Err(DeskError::Store(error)),
        }
    }

    /// What linked records say about those that were just decided, each with the verdict over its own. Only for so many
    /// that somebody can have looked at each.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn verdicts(
        &self,
        leave: &Authorised,
        decided: &[Decided],
    ) -> Result<Vec<(RecordRef, LinkedVerdict)>, DeskError> {
        let mut found = Vec::new();
        if decided.len() > LINKED_TOLD_MAX {
            return Ok(found);
        }
        let (glass, mut sources) = (self.glass(), Sources::default());
        for Decided { record, .. } in decided {
            match self.verdict_over(&glass, &mut sources, leave.scope(), record).await {
                Ok(verdict) => found.extend(verdict.map(|verdict| (record.clone(), verdict))),
                Err(error) => {
                    sources.close().await;
                    return Err(error);
                }
            }
        }
        sources.close().await;
        Ok(found)
    }
}

fn not_proposed(record: &RecordRef) -> DecisionFailure {
    DecisionFailure { record: record.clone(), fault: DecisionFault::NotProposed }
}

/// A record that the asker may not see is told of like one that was never proposed.
fn unseen(error: DeskError, target: &Target) -> DeskError {
    match error {
        DeskError::NoSuchRecord(_) => DeskError::Refused(vec![not_proposed(&target.record)]),
        other => other,
    }
}

/// Those that are confirmed together with the record, and those that stand in the way.
fn chosen(verdict: &LinkedVerdict, target: &Target, with: &With) -> (Vec<Member>, Vec<LinkedFailure>) {
    let failure = |record: Option<&RecordRef>, fault| LinkedFailure { record: record.cloned(), fault };
    let own = Some(&target.record);
    if verdict.is_too_large {
        return (Vec::new(), vec![failure(own, LinkedFault::TooMany)]);
    }
    let (mut chosen, mut failures) = (Vec::new(), Vec::new());
    let others = || verdict.records.iter().filter(|one| one.record.as_ref() != own);
    for named in with.records.iter().filter(|named| named.record != target.record) {
        match others().find(|one| one.record.as_ref() == Some(&named.record)) {
            None => failures.push(failure(Some(&named.record), LinkedFault::NotLinked)),
            Some(one) => match in_the_way(one) {
                Some(fault) => failures.push(failure(Some(&named.record), fault)),
                None => chosen.push(Member { target: named.clone(), is_confirmed: is_confirmed(one) }),
            },
        }
    }
    if with.all_linked {
        failures.extend(verdict.troubles.iter().map(|trouble| failure(own, LinkedFault::Unknown(trouble.clone()))));
        for one in others().filter(|one| !is_done(one)) {
            match (in_the_way(one), &one.record) {
                (Some(fault), record) => failures.push(failure(record.as_ref(), fault)),
                (None, Some(record)) if chosen.iter().all(|own: &Member| own.target.record != *record) => {
                    let target = Target { record: record.clone(), version: None };
                    chosen.push(Member { target, is_confirmed: is_confirmed(one) });
                }
                (None, _) => {}
            }
        }
    }
    (chosen, failures)
}

/// Whether under the key of the record that links were followed from stands somebody else now; perhaps somebody whom the
/// asker may not see.
fn is_about_another(verdict: &LinkedVerdict, start: &RecordRef) -> bool {
    let own = verdict.records.iter().find(|one| one.record.as_ref() == Some(start));
    let is_another =
        |one: &LinkedRecord| matches!(&one.standing, Standing::Blocked { reason, .. } if reason == ANOTHER_PERSON);
    own.map_or(!verdict.records.is_empty(), is_another)
}

/// Whether nothing is left of it that could be erased.
fn is_done(one: &LinkedRecord) -> bool {
    one.standing == Standing::Erased || state_of(one) == Some(StateName::Erasing)
}

/// Whether nothing is left to be decided about it.
fn is_confirmed(one: &LinkedRecord) -> bool {
    state_of(one) == Some(StateName::Confirmed)
}

fn state_of(one: &LinkedRecord) -> Option<StateName> {
    one.proposal.as_ref().map(|proposal| proposal.life.state().name())
}

fn in_the_way(one: &LinkedRecord) -> Option<LinkedFault> {
    let is_open = one.proposal.as_ref().is_some_and(|proposal| proposal.life.state().is_open());
    match &one.standing {
        Standing::Due { .. } if is_open => None,
        Standing::Due { .. } => Some(LinkedFault::NotProposed),
        Standing::Blocked { reason, .. } => Some(LinkedFault::Blocked(reason.clone())),
        // One that the asker may not see is not theirs to confirm.
        Standing::Free { .. } if one.record.is_none() => Some(LinkedFault::Blocked("another record".to_owned())),
        Standing::Free { reason } => Some(LinkedFault::NotDue(reason.clone())),
        Standing::Erased => Some(LinkedFault::NotDue("it was erased already".to_owned())),
        Standing::Unknown { problem } => Some(LinkedFault::Unknown(problem.clone())),
    }
}
