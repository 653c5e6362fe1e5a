//! A backend that knows a handful of records by heart.
//!
//! Keys say what happens: `404` is not there, `409` has changed, `403` is in a category that the asker may not touch, all
//! others work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use erasured::actor::{Asker, Authorised, Grant, Identity, Permission, authorise};
use erasured::admin::RuleWish;
use erasured::admin::problem::{not_permitted, problem, with_hint};
use erasured::admin::{
    Backend, Lines, Page, Refusal, Release, Reply, RequestId, Selection, Set, Target, TrailSelection, With,
};
use erasured::api::*;
use erasured::record::RecordRef;
use jiff::civil::{Date, date};

/// The key of a record that another person has to confirm too.
const FIRST_OF_TWO: &str = "71";
/// The key of a record that is not erased at once.
const COOLING_OFF: &str = "72";
/// Runs of this number never end.
pub const ENDLESS: u64 = 99;

#[derive(Default)]
pub struct Fake {
    pub grants: Vec<Grant>,
    pub refusals: Mutex<Vec<Refusal>>,
    pub decided: Mutex<Vec<String>>,
    pub break_export: bool,
    pub altered: bool,
    pub is_well: bool,
    pub asked: AtomicU64,
}

fn at(minute: u32) -> String {
    format!("2026-11-20T09:{minute:02}:00Z")
}

fn proposal(key: &str, state: State) -> Proposal {
    Proposal {
        record: format!("customer/{key}"),
        state,
        origin: Origin::Criterion,
        criterion: Some("inactive".into()),
        rule_version: Some("1f2e3d4c5b6a7988".into()),
        confirmations: u32::from(state == State::Confirmed),
        confirmations_needed: 1,
        decided_by: (state != State::Proposed).then(|| "vera".into()),
        label: Some("Maier, A.".into()),
        due_on: Some("2025-01-01".into()),
        outcome: Some(Outcome::Anonymise),
        version: 3,
        unit: Some("graz".into()),
        proposed_at: at(3),
        postponed_until: None,
        postponed_count: 0,
        reason: None,
        problem: None,
        held_since: None,
    }
}

fn linked() -> LinkedVerdict {
    let due = LinkedRecord {
        record: Some("customer/17".into()),
        label: Some("Maier, A.".into()),
        state: Some(State::Proposed),
        version: Some(3),
        standing: LinkedStanding::Due,
        reason: Some("due under inactive since 2025-01-01".into()),
        until: None,
        outcome: Some(Outcome::Anonymise),
        outcome_together: Some(Outcome::Delete),
        same_source: true,
        confirmed_together: false,
    };
    let member = LinkedRecord {
        record: Some("member/88".into()),
        state: None,
        version: None,
        standing: LinkedStanding::Blocked,
        reason: Some("it stays until 2031-12-31: invoices".into()),
        until: Some("2032-01-01".into()),
        outcome_together: None,
        same_source: false,
        ..due.clone()
    };
    let hidden = LinkedRecord {
        record: None,
        label: None,
        state: None,
        version: None,
        standing: LinkedStanding::Blocked,
        reason: Some("another record blocks".into()),
        outcome: None,
        outcome_together: None,
        ..due.clone()
    };
    LinkedVerdict {
        verdict: "member/88: it stays until 2031-12-31: invoices; another record blocks".into(),
        is_clear: false,
        records: vec![due, member, hidden],
    }
}

const HELD: &str = "somebody reads or writes by it, and 12 pages of it cannot be let go of";

/// Something that cannot be removed for longer than it may take.
fn late() -> RemovalStatus {
    let log = PendingStep {
        step: RemovalStep::Checkpoint,
        since: at(0),
        records: 3,
        tried_at: Some(at(0)),
        why: Some(HELD.into()),
        next_at: at(15),
    };
    let vacuum = PendingStep { step: RemovalStep::Vacuum, tried_at: None, why: None, ..log.clone() };
    RemovalStatus {
        pending: vec![vacuum, log],
        oldest_confirmed_at: Some("2026-10-01T08:00:00Z".into()),
        within: Some("30 days".into()),
        overdue: true,
        vacuum: Some("02:00-04:00".into()),
    }
}

/// What a run of this job has removed.
fn removal(job: Job) -> Vec<SourceRemoval> {
    let all = SourceRemoval {
        source: "crm".into(),
        done: vec![RemovalStep::FullText, RemovalStep::Checkpoint],
        pending: Vec::new(),
        not_wanted: vec![RemovalStep::Vacuum],
    };
    let pending = vec![StepLeft { step: RemovalStep::Checkpoint, why: HELD.into() }];
    match job {
        Job::Prepare => Vec::new(),
        Job::Erase => vec![all],
        Job::Remove => vec![SourceRemoval { done: vec![RemovalStep::FullText], pending, ..all }],
    }
}

/// What was found afterwards.
fn proof() -> Proof {
    let layer = |layer: &str, verdict, found, reason: Option<&str>| ProofLayer {
        layer: layer.into(),
        verdict,
        found,
        reason: reason.map(Into::into),
        places: Vec::new(),
    };
    Proof {
        clean: false,
        records: 3,
        values: 8,
        found: 2,
        in_use: 1,
        in_use_by: [("invoices".to_owned(), 1)].into(),
        nonzero_ours: 120,
        nonzero_application: 0,
        layers: vec![
            layer("database file", ProofVerdict::Found, 2, None),
            layer("write-ahead log", ProofVerdict::Pending, 0, Some(HELD)),
            layer("rollback journal", ProofVerdict::Clean, 0, None),
        ],
        faults: Vec::new(),
    }
}

/// What became of each category in such a run.
fn categories(job: Job, state: RunState) -> Vec<RunCategory> {
    let reason = |origin, criterion: Option<&str>, [proposed, deleted, anonymised]: [u64; 3]| RunReason {
        origin,
        criterion: criterion.map(Into::into),
        proposed,
        deleted,
        anonymised,
    };
    let customer =
        RunCategory { category: "customer".into(), prepared: None, erased: None, reasons: Vec::new(), stopped: None };
    let prepared = PrepareCounts { proposed: 4, unchanged: 2, no_start_date: 1, ..Default::default() };
    let erased =
        EraseCounts { deleted: 2, anonymised: 1, returned: 1, withdrawn: 1, dependents: 7, ..Default::default() };
    match job {
        Job::Prepare if state == RunState::Done => vec![
            RunCategory {
                prepared: Some(prepared),
                reasons: vec![
                    reason(Origin::Application, None, [1, 0, 0]),
                    reason(Origin::Criterion, Some("inactive"), [3, 0, 0]),
                ],
                ..customer.clone()
            },
            RunCategory { category: "member".into(), stopped: Some("the schema has changed".into()), ..customer },
        ],
        Job::Erase => vec![RunCategory {
            erased: Some(erased),
            reasons: vec![
                reason(Origin::Clerk, None, [0, 1, 0]),
                reason(Origin::Criterion, Some("inactive"), [0, 1, 1]),
            ],
            ..customer
        }],
        _ => Vec::new(),
    }
}

/// What the trail has of a run.
fn trail(state: RunState) -> RunTrail {
    let ended = !matches!(state, RunState::Queued | RunState::Running);
    let note = "erasured.example/3c6f\n31\nq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\n\n— erasured mTk0\n";
    RunTrail {
        queued_entry: Some(21),
        override_entry: None,
        first_entry: (state != RunState::Queued).then_some(22),
        last_entry: ended.then_some(30),
        checkpoint: ended.then(|| SignedCheckpoint { entries: 31, at: at(2), note: Some(note.into()) }),
    }
}

fn run(id: u64, job: Job, state: RunState) -> Run {
    let ended = !matches!(state, RunState::Queued | RunState::Running);
    let dependent_rows = DependentRows { deleted: 3, anonymised: 4, kept: 1, ..Default::default() };
    let erased = EraseCounts {
        deleted: 2,
        anonymised: 1,
        returned: 1,
        withdrawn: 1,
        shells: 0,
        cooling_off: 0,
        held: 0,
        left: 0,
        dependents: 7,
        dependent_rows,
    };
    let prepared = PrepareCounts { proposed: 4, unchanged: 2, no_start_date: 1, ..Default::default() };
    let begun = state != RunState::Queued;
    Run {
        id,
        dry_run: false,
        state,
        trigger: Trigger::Request,
        by: "vera".into(),
        queued_at: at(0),
        not_before: None,
        started_at: begun.then(|| at(1)),
        finished_at: ended.then(|| at(2)),
        duration_ms: ended.then_some(60_000),
        longest_lock_us: (job == Job::Erase && begun).then_some(3_400),
        tries: 0,
        progress: (state == RunState::Running).then(|| RunProgress {
            doing: if job == Job::Prepare { Doing::Looking } else { Doing::Erasing },
            of: "customer".into(),
            rows: 12_000,
            waiting: (job == Job::Erase).then_some(40),
        }),
        categories: if begun { categories(job, state) } else { Vec::new() },
        trail: None,
        work: match job {
            Job::Erase if begun => Work::Erase(erased),
            Job::Erase => Work::Erase(EraseCounts::default()),
            Job::Remove => Work::Remove(RemoveCounts { steps_done: 1, steps_pending: 1 }),
            Job::Prepare if state == RunState::Done => Work::Prepare(prepared),
            Job::Prepare => Work::Prepare(PrepareCounts::default()),
        },
        overrides: None,
        brakes: Vec::new(),
        notes: Vec::new(),
        removal: if state == RunState::Queued { Vec::new() } else { removal(job) },
        proofs: if job == Job::Erase && ended { [("crm".to_owned(), proof())].into() } else { Default::default() },
        problem: (state == RunState::Failed).then(|| {
            with_hint(
                problem(
                    Code::SourceUnavailable,
                    "cannot finish run 8: cannot use the source crm: the application keeps the database locked",
                ),
                "put it right and run the job again; what was done so far holds",
            )
        }),
    }
}

/// Stands for what the brake has stopped.
pub const BRAKED: &str = "18000-00000000000000000000000000";

fn closed_brake() -> ClosedBrake {
    let spread = |parts: &[(Option<&str>, u64)], others| {
        let part = |(name, records): &(Option<&str>, u64)| SpreadPart { name: name.map(Into::into), records: *records };
        Spread { most: parts.iter().map(part).collect(), others }
    };
    ClosedBrake {
        category: "customer".into(),
        records: 18_000,
        rows: 20_000,
        count: 100,
        share: "5 %".into(),
        digest: "00112233445566778899aabbccddeeff".into(),
        criteria: spread(&[(Some("inactive"), 17_990), (Some("marked by the application"), 10)], 0),
        units: spread(&[(Some("graz"), 12_000), (None, 4_000)], 2_000),
        due_years: spread(&[(Some("2026"), 17_000), (Some("2025"), 990), (None, 10)], 0),
    }
}

fn access(entry: u64, kind: AccessKind, user: &str, about: &str) -> AccessEntry {
    let about = |of: &[AccessKind]| of.contains(&kind).then(|| about.to_owned());
    AccessEntry {
        entry,
        user: user.into(),
        kind,
        unit: about(&[AccessKind::Unit]),
        record: about(&[AccessKind::Record, AccessKind::Deny]),
        stands_in_for: about(&[AccessKind::StandIn]),
        until: (kind == AccessKind::StandIn).then(|| "2026-12-24".into()),
        asked_by: None,
        reason: None,
        by: "dora".into(),
        at: at(5),
        standing: AccessStanding::InForce,
        problem: None,
    }
}

/// Stands for the set of all three.
pub const SET: &str = "40-3-00000000000000000000000000";

fn known(set: &Set) -> Reply<()> {
    if set.category.as_ref().is_some_and(|category| category.as_str() != "customer") {
        return Err(problem(Code::NoSuchCategory, "cannot list proposals: there is no category member"));
    }
    Ok(())
}

fn hold(number: u64, record: &str) -> Hold {
    Hold {
        hold: number,
        record: record.into(),
        label: Some("Maier, A.".into()),
        since: at(5),
        days: 12,
        by: "vera".into(),
        reason: Some("a lawsuit is pending".into()),
        standard_reason: Some("lawsuit".into()),
        reference: Some("3 Cg 17/26".into()),
        person_changed: false,
        release: None,
        problem: None,
    }
}

fn pending() -> Option<PendingRelease> {
    Some(PendingRelease {
        at: at(6),
        by: "vera".into(),
        reason: Some("the lawsuit is over".into()),
        from: Some("2026-11-23T09:06:00Z".into()),
    })
}

fn reason_choices() -> Vec<ReasonChoice> {
    let reason = |number, name: &str, text: &str, german: &str| StandardReason {
        number,
        name: name.into(),
        text: text.into(),
        texts: [("en".into(), text.into()), ("de".into(), german.into())].into(),
    };
    let lawsuit = || reason(1, "lawsuit", "a lawsuit is pending", "ein Verfahren ist anhängig");
    vec![
        ReasonChoice { kind: ReasonKind::Erase, free_text: true, reasons: Vec::new() },
        ReasonChoice {
            kind: ReasonKind::Postpone,
            free_text: true,
            reasons: vec![
                lawsuit(),
                reason(2, "guarantee", "the guarantee has not run out", "die Garantie läuft noch"),
            ],
        },
        ReasonChoice { kind: ReasonKind::Hold, free_text: false, reasons: vec![lawsuit()] },
    ]
}

fn no_such_record(record: &str) -> Problem {
    problem(Code::NoSuchRecord, format!("cannot show {record}: there is no proposal for it"))
}

impl Fake {
    fn decide(&self, targets: Vec<Target>, state: State) -> DecisionAnswers {
        let answers: Vec<_> = targets.iter().map(|target| decide_on(target, state)).collect();
        let (refused, moved): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.problem.is_some());
        if !refused.is_empty() {
            return DecisionAnswers { refused: refused.len() as u64, answers: refused, ..Default::default() };
        }
        self.decided.lock().unwrap().extend(moved.iter().map(|answer| answer.record.clone()));
        let waiting =
            |state| moved.iter().filter(|of| of.state == Some(state) && !of.blocked.is_empty()).count() as u64;
        let (await_second, cooling_off) = (waiting(State::Proposed), waiting(State::Confirmed));
        DecisionAnswers { done: moved.len() as u64, await_second, cooling_off, answers: moved, ..Default::default() }
    }
}

impl Fake {
    fn ailing() -> Status {
        Status {
            version: "0.1.0".into(),
            started_at: at(0),
            today: "2026-11-20".into(),
            time_zone: "Europe/Vienna".into(),
            health: Health { state: HealthState::Critical, complaints: complaints() },
            decisions: DecisionStatus {
                waiting: 3,
                oldest_at: Some("2026-11-01T01:00:00Z".into()),
                oldest_days: Some(19),
                after: Some("14 days".into()),
                overdue: true,
            },
            clock_problem: None,
            jobs: vec![
                JobStatus {
                    job: Job::Prepare,
                    schedule: Some("0 2 * * *".into()),
                    next_at: Some("2026-11-21T01:00:00Z".into()),
                    last_run: Some(run(6, Job::Prepare, RunState::Done)),
                },
                JobStatus { job: Job::Erase, schedule: None, next_at: None, last_run: None },
                JobStatus { job: Job::Remove, schedule: None, next_at: Some(at(15)), last_run: None },
            ],
            sources: vec![
                SourceStatus { source: "crm".into(), problem: None, closed: false, removal: late() },
                SourceStatus {
                    source: "shop".into(),
                    problem: Some("there is no database at shop.db".into()),
                    closed: false,
                    removal: RemovalStatus::default(),
                },
            ],
            categories: vec![
                CategoryStatus {
                    category: "customer".into(),
                    proposed: 3,
                    confirmed: 2,
                    postponed: 1,
                    erasing: 0,
                    problem: None,
                    gate: None,
                    braked: false,
                },
                CategoryStatus {
                    category: "member".into(),
                    proposed: 0,
                    confirmed: 1,
                    postponed: 0,
                    erasing: 0,
                    problem: Some("the schema has changed: the view active does not read what it did".into()),
                    gate: Some(changed()),
                    braked: false,
                },
            ],
            audit: AuditStatus { entries: 40, signed: 38, signed_at: Some(at(2)) },
        }
    }
}

/// What is not well.
fn complaints() -> Vec<Complaint> {
    let complaint =
        |severity, code: &str, message: &str| Complaint { severity, code: code.into(), message: message.into() };
    vec![
        complaint(HealthState::Critical, "clock", "the clock is not believed: no job runs"),
        complaint(
            HealthState::Critical,
            "source-closed",
            "crm is closed: nothing is erased from it until an operator decides",
        ),
        complaint(HealthState::Critical, "source-unreadable", "shop cannot be read"),
        complaint(
            HealthState::Warning,
            "source-forgotten",
            "wiki is not in the settings, and what was erased from it is not known to be gone",
        ),
        complaint(HealthState::Warning, "category-stopped", "member is stopped by its schema"),
        complaint(HealthState::Warning, "category-stopped", "2 categories are stopped by their schemas"),
        complaint(HealthState::Warning, "brake-closed", "the brake has stopped customer"),
        complaint(HealthState::Warning, "brake-closed", "the brake has stopped 2 categories"),
        complaint(HealthState::Warning, "category-forgotten", "old is not in the settings, and has open proposals"),
        complaint(
            HealthState::Warning,
            "category-forgotten",
            "2 categories are not in the settings, and have open proposals",
        ),
        complaint(HealthState::Warning, "run-failed", "run 8 of prepare has failed"),
        complaint(HealthState::Warning, "run-partly", "run 9 of erase could do only a part"),
        complaint(
            HealthState::Warning,
            "removal-overdue",
            "crm: confirmed and not known to be gone for longer than 30 days",
        ),
        complaint(
            HealthState::Warning,
            "decisions-overdue",
            "a decision has waited since 2026-11-01T01:00:00Z, longer than 14 days",
        ),
    ]
}

fn decide_on(target: &Target, state: State) -> DecisionAnswer {
    let record = target.record.to_string();
    let changed = || {
        let detail = format!("cannot confirm {record}: it has changed since it was shown (version 2 then, 3 now)");
        with_hint(problem(Code::Conflict, detail), format!("look at it again: erasurectl show {record}"))
    };
    let problem = match target.record.key.as_str() {
        "403" => Some(problem(Code::NotPermitted, "cannot do this: vera has no grant with the permission decide")),
        "404" => Some(no_such_record(&record)),
        "409" => Some(changed()),
        _ if target.version.is_some_and(|version| version != 3) => Some(changed()),
        _ => None,
    };
    let done = problem.is_none();
    let (until, reason) = match target.record.key.as_str() {
        FIRST_OF_TWO => (None, "first of two confirmations: another person has to confirm it too"),
        COOLING_OFF => (Some("2026-11-28".to_owned()), "a confirmation has to wait for 7 days"),
        _ => (None, ""),
    };
    let waits = state == State::Confirmed && !reason.is_empty();
    let state = if waits && until.is_none() { State::Proposed } else { state };
    let blocked = waits.then(|| Blocked { until, reason: reason.to_owned() }).into_iter().collect();
    DecisionAnswer { record, state: done.then_some(state), version: done.then_some(4), problem, blocked, linked: None }
}

impl Backend for Fake {
    async fn authorise(&self, identity: Identity, permission: Permission) -> Reply<Authorised> {
        let asker = Asker::alone(identity);
        let authorised =
            authorise(&asker, permission, &self.grants, date(2026, 11, 20), nix::unistd::geteuid().as_raw());
        authorised.map_err(|refused| not_permitted(&refused))
    }

    async fn refused(&self, refusal: Refusal) {
        self.refusals.lock().unwrap().push(refusal);
    }

    async fn metrics(&self, _: &Authorised) -> Reply<String> {
        Ok("# HELP erasured_up Whether it is up.\n# TYPE erasured_up gauge\nerasured_up 1\n".into())
    }

    async fn status(&self, _: &Authorised) -> Reply<Status> {
        let status = Self::ailing();
        if !self.is_well {
            return Ok(status);
        }
        let categories = status.categories.into_iter().map(|of| CategoryStatus { problem: None, gate: None, ..of });
        let sources = status.sources.into_iter().map(|of| SourceStatus {
            problem: None,
            removal: RemovalStatus::default(),
            ..of
        });
        Ok(Status {
            health: Health { state: HealthState::Ok, complaints: Vec::new() },
            decisions: DecisionStatus {
                waiting: 1,
                oldest_at: Some(at(3)),
                oldest_days: Some(1),
                ..Default::default()
            },
            categories: categories.collect(),
            sources: sources.collect(),
            ..status
        })
    }
    async fn list(&self, _: &Authorised, selection: Selection) -> Reply<ProposalPage> {
        known(&selection.set)?;
        let of_two = Proposal {
            confirmations: 1,
            confirmations_needed: 2,
            decided_by: Some("vera".into()),
            ..proposal(FIRST_OF_TWO, State::Proposed)
        };
        let mut items = vec![
            proposal("17", State::Proposed),
            Proposal {
                label: Some("Gr\u{1b}[31muber, B.".into()),
                postponed_until: Some("2027-06-30".into()),
                postponed_count: 1,
                reason: Some("court case".into()),
                outcome: Some(Outcome::Delete),
                ..proposal("18", State::Postponed)
            },
            Proposal {
                label: None,
                due_on: None,
                problem: Some("the record is gone".into()),
                held_since: Some("2026-11-19".into()),
                ..proposal("a/b", State::Confirmed)
            },
            of_two,
        ];
        items.retain(|item| selection.set.state.is_none_or(|state| item.state == state));
        let total = items.len() as u64;
        if let Some(text) = &selection.text {
            items.retain(|item| item.label.as_ref().is_some_and(|label| label.contains(text)));
        }
        if selection.page.cursor.is_some() {
            items = vec![proposal("=19", State::Proposed)];
        }
        if selection.descending {
            items.reverse();
        }
        let cut = items.len() > selection.page.limit as usize;
        items.truncate(selection.page.limit as usize);
        // Those of a unit take two pages.
        let cut = cut || (selection.set.unit.is_some() && selection.page.cursor.is_none());
        let searched = selection.text.map(|_| total);
        Ok(ProposalPage { total, items, next: cut.then(|| "c3".into()), searched })
    }

    async fn totals(&self, _: &Authorised, set: Set) -> Reply<ProposalTotals> {
        known(&set)?;
        let (proposed, confirmed, postponed) = (1_200, 30, 4);
        let category = CategoryTotal {
            category: "customer".into(),
            total: proposed + confirmed + postponed,
            proposed,
            confirmed,
            postponed,
            erasing: 0,
            erased: 0,
            withdrawn: 0,
        };
        Ok(ProposalTotals { total: category.total, categories: vec![category] })
    }

    async fn digest(&self, _: &Authorised, set: Set) -> Reply<SetDigest> {
        known(&set)?;
        let proposed = if set.state == Some(State::Proposed) { 3 } else { 2 };
        Ok(SetDigest { digest: SET.into(), records: 3, proposed })
    }

    async fn confirm_all(&self, _: &Authorised, _: &RequestId, _: Set, digest: String) -> Reply<DecisionAnswers> {
        if digest == SET {
            return Ok(DecisionAnswers { done: 3, await_second: 1, ..Default::default() });
        }
        let part =
            |count, records: &[&str]| SetPart { count, records: records.iter().map(ToString::to_string).collect() };
        let detail = "cannot confirm all of the set: it has changed since the digest was made";
        let difference = SetDifference {
            then: 3,
            now: 25,
            new: part(22, &["customer/20", "customer/21"]),
            gone: SetPart::default(),
            changed: part(1, &["customer/17"]),
            more: true,
            problem: with_hint(
                problem(Code::Conflict, detail),
                "look at what has changed, and take a new digest: erasurectl list with the same filters and --digest",
            ),
        };
        Ok(DecisionAnswers { difference: Some(difference), ..Default::default() })
    }

    async fn show(&self, _: &Authorised, record: RecordRef) -> Reply<RecordView> {
        if record.key.as_str() == "404" {
            return Err(with_hint(no_such_record(&record.to_string()), "erasurectl list shows those there are"));
        }
        let needed = if record.key.as_str() == FIRST_OF_TWO { 2 } else { 1 };
        Ok(RecordView {
            proposal: Proposal {
                record: record.to_string(),
                confirmations: needed - 1,
                confirmations_needed: needed,
                ..proposal("", State::Proposed)
            },
            outcome_reason: Some("2 rows of orders stay and refer to it".into()),
            dependents: vec![
                DependentCount { table: "orders".into(), rule: DependentRule::Keep, rows: 2 },
                DependentCount { table: "addresses".into(), rule: DependentRule::Delete, rows: 1 },
            ],
            blocked: vec![Blocked {
                until: Some("2031-01-01".into()),
                reason: "it stays until 2030-12-31: invoices".into(),
            }],
            linked: Some(linked()),
            history: vec![Move {
                at: at(3),
                from: None,
                to: State::Proposed,
                by: "erasured".into(),
                reason: Some("due under inactive".into()),
                run: Some(6),
            }],
        })
    }

    async fn confirm(&self, _: &Authorised, _: &RequestId, targets: Vec<Target>, with: With) -> Reply<DecisionAnswers> {
        let linked = targets.first().filter(|_| with.all_linked).map(|target| target.record.key.as_str().to_owned());
        let mut answers = self.decide([targets, with.records].concat(), State::Confirmed);
        if let Some(key) = linked {
            answers.answers[0].linked = Some(format!("customer/{key}: it stays until 2031-12-31: invoices"));
        }
        Ok(answers)
    }

    async fn postpone(
        &self,
        _: &Authorised,
        _: &RequestId,
        targets: Vec<Target>,
        until: Date,
        _: String,
    ) -> Reply<DecisionAnswers> {
        if until <= date(2026, 11, 20) {
            let past = problem(
                Code::Invalid,
                format!("cannot postpone until {until}: the date must be after today, 2026-11-20"),
            );
            return Err(with_hint(past, "name a later day: the first on which the records may be proposed again"));
        }
        Ok(self.decide(targets, State::Postponed))
    }

    async fn restore(&self, _: &Authorised, _: &RequestId, targets: Vec<Target>) -> Reply<DecisionAnswers> {
        Ok(self.decide(targets, State::Proposed))
    }

    async fn hold(
        &self,
        _: &Authorised,
        _: &RequestId,
        record: RecordRef,
        reason: String,
        reference: String,
    ) -> Reply<Hold> {
        let late = |what| {
            with_hint(
                problem(Code::Conflict, format!("cannot hold {record}: {what}")),
                format!("see what happened to it: erasurectl audit list --record {record}"),
            )
        };
        match record.key.as_str() {
            "404" => Err(problem(Code::NoSuchRecord, format!("cannot hold {record}: there is no such record"))),
            "409" => Err(late("it is too late: the record was erased at 2026-11-20T09:04:00Z")),
            _ if reason != "lawsuit" => Err(problem(
                Code::Invalid,
                "cannot hold a record for this reason: it is none of the standard reasons, and no other is taken",
            )),
            _ => Ok(Hold { reference: Some(reference), days: 0, ..hold(4, &record.to_string()) }),
        }
    }

    async fn release(&self, _: &Authorised, _: &RequestId, release: Release) -> Reply<ReleaseAnswer> {
        let record = release.record.to_string();
        match (release.record.key.as_str(), release.hold, release.reference.as_deref()) {
            ("404", ..) => {
                Err(problem(Code::NoSuchRecord, format!("cannot release {record}: there is no such hold on it")))
            }
            ("18", None, None) => {
                let several = problem(Code::Conflict, format!("cannot release {record}: there are 2 holds on it"));
                Err(with_hint(several, "say which: --hold NUMBER or --reference TEXT; their numbers are 2, 3"))
            }
            ("18", ..) => Ok(ReleaseAnswer { released: false, hold: Hold { release: pending(), ..hold(2, &record) } }),
            _ => Ok(ReleaseAnswer { released: true, hold: hold(1, &record) }),
        }
    }

    async fn holds(&self, _: &Authorised, page: Page) -> Reply<HoldPage> {
        let mut items = vec![
            Hold { person_changed: true, ..hold(1, "customer/17") },
            Hold { release: pending(), ..hold(2, "customer/18") },
            Hold {
                label: None,
                reason: Some("the heirs have asked".into()),
                standard_reason: None,
                problem: Some("the record is gone".into()),
                ..hold(3, "customer/18")
            },
        ];
        let next = (page.limit < 3).then(|| "3".to_owned());
        items.truncate(page.limit as usize);
        Ok(HoldPage { total: 3, items, next })
    }

    async fn reasons(&self, _: &Authorised, kind: Option<ReasonKind>) -> Reply<ReasonList> {
        let mut kinds = reason_choices();
        kinds.retain(|choice| kind.is_none_or(|kind| choice.kind == kind));
        Ok(ReasonList { kinds })
    }

    async fn mark(&self, _: &Authorised, _: &RequestId, record: RecordRef, _: String) -> Reply<MarkAnswer> {
        match record.key.as_str() {
            "404" => return Err(problem(Code::NoSuchRecord, format!("cannot mark {record}: there is no such record"))),
            "409" => {
                return Err(problem(
                    Code::Conflict,
                    format!("cannot mark {record}: there is a proposal for it already: confirmed"),
                ));
            }
            _ => {}
        }
        self.decided.lock().unwrap().push(record.to_string());
        let blocked =
            Blocked { until: Some("2031-01-01".into()), reason: "it stays until 2030-12-31: invoices".into() };
        Ok(MarkAnswer { record: record.to_string(), state: State::Proposed, version: 1, blocked: vec![blocked] })
    }

    async fn queue_run(&self, _: &Authorised, _: &RequestId, job: Job, dry_run: bool) -> Reply<Run> {
        let id = match job {
            Job::Prepare => 8,
            Job::Erase => 7,
            Job::Remove => 11,
        };
        Ok(Run { dry_run, ..run(id, job, RunState::Queued) })
    }

    async fn closed_brake(&self, _: &Authorised, job: Job) -> Reply<ClosedBrakes> {
        if job == Job::Erase {
            return Err(with_hint(
                problem(
                    Code::Conflict,
                    "cannot show what the brake has stopped: the brake has stopped nothing in the newest run of erase",
                ),
                "erasurectl runs shows what has run, and erasurectl runs show RUN what was stopped",
            ));
        }
        let brakes = vec![closed_brake()];
        Ok(ClosedBrakes { run: 9, job, records: 18_000, digest: BRAKED.into(), brakes })
    }

    async fn override_brake(&self, _: &Authorised, _: &RequestId, asked: OverrideRequest) -> Reply<Run> {
        assert_eq!(asked.digest, BRAKED);
        Ok(run(10, asked.job, RunState::Queued))
    }

    async fn run(&self, _: &Authorised, id: u64, wait: Duration) -> Reply<Run> {
        let run = match (id, self.asked.fetch_add(1, Ordering::SeqCst)) {
            (7, 0) if !wait.is_zero() => run(7, Job::Erase, RunState::Running),
            (7, _) => run(7, Job::Erase, RunState::Done),
            (6, _) => run(6, Job::Prepare, RunState::Done),
            (8, _) => run(8, Job::Prepare, RunState::Failed),
            (9, _) => Run { brakes: vec![closed_brake()], ..run(9, Job::Prepare, RunState::Partly) },
            (10, _) => Run { overrides: Some(9), ..run(10, Job::Prepare, RunState::Done) },
            (12, _) => run(12, Job::Prepare, RunState::Running),
            (11, _) => Run {
                problem: Some(with_hint(
                    problem(
                        Code::RunIncomplete,
                        format!("cannot finish run 11: crm: still to be done: emptying the write-ahead log: {HELD}"),
                    ),
                    "put it right and run the job again; what was done so far holds",
                )),
                ..run(11, Job::Remove, RunState::Partly)
            },
            (ENDLESS, _) => std::future::pending().await,
            _ => return Err(problem(Code::NoSuchRun, format!("cannot find run {id}: there is none of this number"))),
        };
        Ok(Run { trail: Some(trail(run.state)), ..run })
    }

    async fn runs(&self, _: &Authorised, _: Page) -> Reply<RunPage> {
        let items = vec![
            run(12, Job::Prepare, RunState::Running),
            run(8, Job::Prepare, RunState::Failed),
            Run { dry_run: true, ..run(7, Job::Erase, RunState::Done) },
            run(6, Job::Prepare, RunState::Done),
        ];
        Ok(RunPage { total: 4, items, next: None })
    }

    async fn audit(&self, _: &Authorised, selection: TrailSelection) -> Reply<AuditPage> {
        let entry = |seq, kind: &str, record: Option<&str>, summary: &str| AuditEntry {
            seq,
            at: at(4),
            actor: "vera".into(),
            kind: kind.into(),
            record: record.map(Into::into),
            run: None,
            summary: summary.into(),
            hash: "5e".repeat(32),
        };
        let mut items = vec![
            entry(40, "run_queued", None, "a run of erase was queued by hand"),
            entry(39, "confirmed", Some("customer/17"), "1 record confirmed"),
        ];
        let asked = selection.record.map(|record| record.to_string());
        items.retain(|item| asked.is_none() || item.record == asked);
        Ok(AuditPage { total: items.len() as u64, items, next: None })
    }

    async fn audit_export(&self, _: &Authorised) -> Reply<Lines> {
        let (into, lines) = tokio::sync::mpsc::channel(1);
        let broken = self.break_export;
        tokio::spawn(async move {
            for number in 1..=1000 {
                into.send(Ok(format!("{{\"number\":{number}}}"))).await.unwrap();
                if broken && number == 500 {
                    into.send(Err(problem(Code::Internal, "cannot read entry 501"))).await.unwrap();
                    return;
                }
            }
        });
        Ok(lines)
    }

    async fn audit_verify(&self, _: &Authorised) -> Reply<VerifyReport> {
        let fault = VerifyFault {
            seq: Some(12),
            detail: "it is not tied to the entry before it: one of the two has been changed".into(),
        };
        let intact =
            VerifyReport { intact: true, entries: 36, pruned: 4, checkpoints: 2, signed: 38, unsigned: 2, fault: None };
        let altered = VerifyReport { intact: false, signed: 11, unsigned: 29, fault: Some(fault), ..intact.clone() };
        Ok(if self.altered { altered } else { intact })
    }

    async fn audit_checkpoints(&self, _: &Authorised) -> Reply<Checkpoints> {
        Ok(Checkpoints {
            public_key: "erasured+1234+KEY".into(),
            checkpoints: vec!["note one\n".into(), "note two\n".into()],
        })
    }

    async fn access(&self, _: &Authorised, user: Option<String>, _: Page) -> Reply<AccessPage> {
        let mut items = vec![
            AccessEntry {
                asked_by: Some("the member".into()),
                reason: Some("a neighbour".into()),
                ..access(41, AccessKind::Deny, "vera", "customer/17")
            },
            access(38, AccessKind::StandIn, "vera", "karl"),
            AccessEntry { standing: AccessStanding::Lapsed, ..access(37, AccessKind::Record, "karl", "customer/18") },
            access(36, AccessKind::Unit, "karl", "graz"),
        ];
        items.retain(|item| user.as_ref().is_none_or(|user| item.user == *user));
        Ok(AccessPage { total: items.len() as u64, items, next: None })
    }

    async fn access_of(&self, _: &Authorised, user: String) -> Reply<AccessView> {
        let ground = AccessGround {
            permission: "view".into(),
            categories: None,
            units: Some(vec!["linz".into(), "wels".into()]),
            records: None,
            through: AccessThrough::Grant,
            grant: Some(2),
            stands_in_for: None,
            until: None,
        };
        let assigned = AccessGround {
            categories: Some(vec!["customer".into()]),
            units: Some(vec!["graz".into()]),
            through: AccessThrough::Entry,
            grant: None,
            ..ground.clone()
        };
        let single = AccessGround { units: None, records: Some(vec!["customer/18".into()]), ..assigned.clone() };
        let through_karl = AccessGround {
            permission: "decide".into(),
            stands_in_for: Some("karl".into()),
            until: Some("2026-12-24".into()),
            ..ground.clone()
        };
        let nowhere = AccessGround {
            permission: "hold".into(),
            units: Some(Vec::new()),
            through: AccessThrough::Nothing,
            grant: None,
            ..ground.clone()
        };
        let known = user != "anna";
        let permissions = if known { vec![ground, assigned, single, through_karl, nowhere] } else { Vec::new() };
        let entries = vec![access(36, AccessKind::Unit, &user, "graz")];
        Ok(AccessView { known, user, permissions, entries })
    }

    async fn change_access(&self, _: &Authorised, _: &RequestId, change: AccessRequest) -> Reply<AccessAnswer> {
        let made = |entry| Ok(AccessAnswer { made: Some(entry), ended: None });
        let ended = |entry| {
            let standing = AccessStanding::Ended;
            Ok(AccessAnswer { made: None, ended: Some(AccessEntry { standing, ..entry }) })
        };
        match change {
            AccessRequest::AddUnit { user, unit } => made(access(41, AccessKind::Unit, &user, &unit)),
            AccessRequest::RemoveUnit { user, unit } => ended(access(36, AccessKind::Unit, &user, &unit)),
            AccessRequest::AddRecord { user, record } => made(access(41, AccessKind::Record, &user, &record)),
            AccessRequest::RemoveRecord { user, record } => {
                let detail =
                    format!("cannot take {record} away from {user}: {user} has it through a unit and would keep it");
                let hint = format!("only a deny entry takes it away: erasurectl access deny add {user} {record}");
                Err(with_hint(problem(Code::Conflict, detail), hint))
            }
            AccessRequest::AddDeny { user, record, asked_by, reason } => {
                let (asked_by, reason) = (Some(asked_by), Some(reason));
                made(AccessEntry { asked_by, reason, ..access(41, AccessKind::Deny, &user, &record) })
            }
            AccessRequest::RemoveDeny { user, record } => ended(access(36, AccessKind::Deny, &user, &record)),
            AccessRequest::StandIn { user, stands_in_for, until } => {
                let until = Some(until);
                let standing_in = access(41, AccessKind::StandIn, &user, &stands_in_for);
                let before = AccessEntry { entry: 38, standing: AccessStanding::Ended, ..standing_in.clone() };
                Ok(AccessAnswer { made: Some(AccessEntry { until, ..standing_in }), ended: Some(before) })
            }
            AccessRequest::EndStandIn { user, stands_in_for } => {
                ended(access(38, AccessKind::StandIn, &user, &stands_in_for))
            }
        }
    }

    async fn policy(&self, _: &Authorised) -> Reply<Policy> {
        Ok(Policy {
            categories: vec![CategoryPolicy {
                category: "customer".into(),
                source: "crm".into(),
                table: "customers".into(),
                criteria: vec![CriterionPolicy {
                    name: "inactive".into(),
                    words: "customers whose last_contact_on is more than 3 years before today".into(),
                    reason: Some("retention period expired".into()),
                    enabled: true,
                    version: "5e5e5e5e5e5e5e5e".into(),
                }],
                erasure: "the record is deleted, or anonymised while rows of orders refer to it".into(),
                marks: "the application marks none; marks wait for a decision".into(),
                decisions: "two different people confirm, and a confirmation waits for 7 days".into(),
                brake: "a run stops before it proposes or erases more than 100 records and 5 % of the table".into(),
                dependents: vec![DependentPolicy {
                    table: "orders".into(),
                    words: "they stay, without what is personal".into(),
                }],
                problem: None,
            }],
            rules: vec![
                rule("customer.inactive.period", "4 years", None),
                rule("customer.decisions", "2", Some("1")),
                aside("customer.gone.period"),
            ],
        })
    }

    async fn change_rule(&self, _: &Authorised, _: &RequestId, name: String, wish: RuleWish) -> Reply<RuleAnswer> {
        let answer = |outcome, rule| Ok(RuleAnswer { outcome, rule });
        match (name.as_str(), wish) {
            ("customer.decisions", RuleWish::Set(value)) => {
                answer(RuleOutcome::Waits, rule(&name, "2", Some(value.as_str())))
            }
            (_, RuleWish::Set(value)) => answer(RuleOutcome::Holds, rule(&name, &value, None)),
            (_, RuleWish::Unset) => answer(
                RuleOutcome::Holds,
                RuleStanding { set: None, value: Some("3 years".into()), ..rule(&name, "3 years", None) },
            ),
            (_, RuleWish::Approve(Some(40))) => Err(with_hint(
                problem(
                    Code::Conflict,
                    format!("cannot approve {name}: change 40 no longer waits there; change 41 does"),
                ),
                "look at it again: erasurectl policy list",
            )),
            (_, RuleWish::Approve(_)) => answer(RuleOutcome::Holds, rule(&name, "1", None)),
            (_, RuleWish::Reject(_)) => answer(RuleOutcome::Dropped, rule(&name, "2", None)),
        }
    }

    async fn schema(&self, _: &Authorised) -> Reply<SchemaGates> {
        let changed_why = "the schema has changed: the type of last_contact_on of customers was TEXT and is INTEGER; \
                           if the settings still mean what they should, accept it: erasurectl schema accept customer";
        let unfit_why = "the settings do not fit the schema: column nickname of members is not classified; \
                         in categories/member.toml: write it into keep = [\"nickname\"] if it is not personal, \
                         or into anonymise with what replaces it";
        Ok(SchemaGates {
            categories: vec![
                gate("customer", Some(changed_why), Some(changed())),
                gate("member", Some(unfit_why), Some(unfit())),
                gate("person", Some("cannot use the source crm: there is no database at /srv/crm.db"), None),
                gate("user", None, None),
            ],
        })
    }

    async fn accept_schema(
        &self,
        _: &Authorised,
        _: &RequestId,
        category: String,
        digest: String,
    ) -> Reply<SchemaStanding> {
        match (category.as_str(), digest.as_str()) {
            ("customer", "0a1b") => Ok(gate("customer", None, None)),
            ("customer", _) => Err(with_hint(
                problem(
                    Code::Conflict,
                    "cannot accept the schema of customer: it is not the change that was looked at",
                ),
                "look at it again: erasurectl schema",
            )),
            ("nobody", _) => Err(with_hint(
                problem(Code::NoSuchCategory, "cannot accept the schema of nobody: there is no category nobody"),
                "erasurectl policy shows those there are",
            )),
            _ => Err(with_hint(
                problem(Code::Conflict, format!("cannot accept the schema of {category}: its gate is open")),
                "there is nothing to accept; erasurectl schema shows how every gate stands",
            )),
        }
    }
}

/// A change of the schema that can be accepted.
fn changed() -> ClosedGate {
    let finding = SchemaFinding {
        message: "the type of last_contact_on of customers was TEXT and is INTEGER".into(),
        file: None,
        hint: Some("if the settings still mean what they should, accept it: erasurectl schema accept customer".into()),
    };
    ClosedGate { since: Some(at(4)), findings: vec![finding], digest: Some("0a1b".into()) }
}

/// A column that is not classified.
fn unfit() -> ClosedGate {
    let finding = SchemaFinding {
        message: "column nickname of members is not classified".into(),
        file: Some("categories/member.toml".into()),
        hint: Some(
            "write it into keep = [\"nickname\"] if it is not personal, or into anonymise with what replaces it".into(),
        ),
    };
    ClosedGate { since: None, findings: vec![finding], digest: None }
}

fn gate(category: &str, problem: Option<&str>, gate: Option<ClosedGate>) -> SchemaStanding {
    SchemaStanding { category: category.into(), source: "crm".into(), problem: problem.map(str::to_owned), gate }
}

fn rule(name: &str, value: &str, waiting: Option<&str>) -> RuleStanding {
    RuleStanding {
        name: name.into(),
        value: Some(value.into()),
        file: Some("3 years".into()),
        set: Some(RuleSet {
            value: value.into(),
            change: 38,
            by: "vera".into(),
            at: at(5),
            approved_by: Some("otto".into()),
            approved_at: Some(at(6)),
            aside: None,
            waits: false,
        }),
        waiting: waiting.map(|value| RuleWaiting {
            value: Some(value.into()),
            change: 41,
            by: "vera".into(),
            at: at(7),
        }),
    }
}

fn aside(name: &str) -> RuleStanding {
    let of = rule(name, "4 years", None);
    let set = of.set.map(|set| RuleSet { aside: Some("customer has no criterion \"gone\"".into()), ..set });
    RuleStanding { value: None, file: None, set, ..of }
}
