//! What is done between two attempts at a batch of groups, and what is told of each.

use std::time::Duration;

use erasured::erasure::{Engine, EngineError, Joined, JointReport, in_order, preview_joint};
use erasured::proposal::ProposalId;
use erasured::record::RecordKey;
use erasured::source::Mapping;

use crate::common::watched::Watched;
use crate::common::{Bench, INSTALLATION, MemoryJournal, key};
use crate::office::bench;

/// Longer than any lock of so few records.
const LONG: Duration = Duration::from_millis(300);

const TAKE_THE_LOCK: &str = "PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; COMMIT";

/// Prospects, persons and members who are due.
struct People {
    bench: Bench,
    mappings: Vec<Mapping>,
    due: Vec<Joined>,
}

impl People {
    async fn new() -> Self {
        Self::of(bench().await).await
    }

    /// Their application guards rows of this table by a trigger.
    async fn guarded(category: &str, table: &str, when: &str) -> Self {
        let bench = bench().await;
        let raise = "BEGIN SELECT RAISE(ABORT, 'no'); END";
        bench.sql(&format!("CREATE TRIGGER guard BEFORE DELETE ON {table} WHEN {when} {raise}")).await;
        let path = bench.dir.path().join(format!("categories/{category}.toml"));
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, before.replacen("table =", "triggers = [\"guard\"]\ntable =", 1)).unwrap();
        Self::of(bench).await
    }

    async fn of(bench: Bench) -> Self {
        let (mut mappings, mut due) = (Vec::new(), Vec::new());
        for (place, category) in ["prospect", "person", "member"].into_iter().enumerate() {
            for mut claim in bench.due(category).await {
                claim.proposal = ProposalId(claim.proposal.0 + 100 * i64::try_from(place).unwrap());
                due.push(Joined { category: category.parse().unwrap(), claim });
            }
            mappings.push(bench.mapping(category).await);
        }
        Self { bench, mappings, due }
    }

    fn group(&self, records: &[&str]) -> Vec<Joined> {
        let named = |record: &&str| {
            let (category, key) = record.split_once('/').unwrap();
            let is_it = |one: &&Joined| one.category.as_str() == category && one.claim.key.as_str() == key;
            self.due.iter().find(is_it).unwrap().clone()
        };
        records.iter().map(named).collect()
    }

    /// Deleted each alone they would be kept by one another.
    fn maier(&self) -> Vec<Joined> {
        self.group(&["prospect/1", "person/1", "member/M-1"])
    }

    /// Erases the groups under this journal, with these of the mappings, and gives whether the engine knows since when the lock is free. While its connections are open, nobody is kept out.
    async fn erase_with(
        &self,
        mappings: &[Mapping],
        journal: &mut Watched<'_>,
        groups: Vec<Vec<Joined>>,
    ) -> (Result<JointReport, EngineError>, bool) {
        let source = self.bench.source(&self.bench.settings());
        let (mut reader, mut writer) = (source.reader().await.unwrap(), source.writer().await.unwrap());
        let ordered = in_order(mappings);
        let mut engine = Engine {
            reader: &mut reader,
            writer: &mut writer,
            mapping: ordered[0],
            day: &self.bench.day(),
            key: &key(),
            installation: INSTALLATION,
            last_committed: self.bench.marker().await.map(|id| id.parse().unwrap()),
            log_pages_max: 0,
            gap: Duration::ZERO,
            released: None,
        };
        let report = engine.erase_joint(journal, &ordered, groups).await;
        let is_released = engine.released.is_some();
        self.bench.sql(TAKE_THE_LOCK).await;
        reader.close().await;
        writer.close().await;
        (report, is_released)
    }

    async fn erase(&self, journal: &mut Watched<'_>, groups: Vec<Vec<Joined>>) -> JointReport {
        let (report, is_released) = self.erase_with(&self.mappings, journal, groups).await;
        assert!(is_released);
        let report = report.unwrap();
        assert!(report.longest_lock > Duration::ZERO);
        report
    }

    fn watched(&self) -> Watched<'_> {
        Watched::new(|| self.bench.sql_at_once(TAKE_THE_LOCK))
    }
}

fn told(report: &JointReport) -> Vec<String> {
    let told = |(category, of): (&_, &erasured::erasure::BatchReport)| {
        let counts = [
            (of.deleted, "deleted"),
            (of.anonymised, "anonymised"),
            (of.returned, "returned"),
            (of.withdrawn, "withdrawn"),
            (of.held, "held"),
            (of.dependents.deleted, "dependents deleted"),
        ];
        let said: Vec<String> =
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        format!("{category}: {}", said.join(", "))
    };
    report.categories.iter().map(told).collect()
}

fn ids(of: impl IntoIterator<Item = i64>) -> Vec<ProposalId> {
    of.into_iter().map(ProposalId).collect()
}

#[tokio::test]
async fn one_that_is_held_when_the_intent_is_written_stops_its_group_and_no_other() {
    let people = People::new().await;
    let mut journal = people.watched();
    (journal.held, journal.takes) = (ids([200]), LONG);
    let groups = vec![people.maier(), people.group(&["prospect/2"]), people.group(&["prospect/4"])];
    let report = people.erase(&mut journal, groups).await;
    assert_eq!(told(&report), ["member: 1 held", "person: 1 held", "prospect: 1 deleted, 1 anonymised, 1 held"]);
    assert!(report.longest_lock >= LONG, "{report:?}");
    assert_eq!(journal.gaps, [ids([1, 3])]);
    assert_eq!(
        people.bench.rows("SELECT id, last_name FROM prospects ORDER BY id").await,
        ["1|'Maier'", "2|NULL", "3|'Gruber'"]
    );
    assert_eq!(people.bench.rows("SELECT count(*) FROM members WHERE no = 'M-1'").await, ["1"]);
}

#[tokio::test]
async fn where_all_are_held_nothing_more_is_tried() {
    let people = People::new().await;
    let mut journal = people.watched();
    journal.held = ids([100]);
    let report = people.erase(&mut journal, vec![people.maier()]).await;
    assert_eq!(told(&report), ["member: 1 held", "person: 1 held", "prospect: 1 held"]);
    assert_eq!(journal.intents.len(), 1);
}

#[tokio::test]
async fn a_batch_of_nobody_but_those_who_are_ruled_out_is_told() {
    let people = People::new().await;
    people
        .bench
        .sql("UPDATE persons SET seen_on = '2026-10-01'; UPDATE prospects SET last_name = 'Else' WHERE id = 4")
        .await;
    let mut journal = people.watched();
    let report = people.erase(&mut journal, vec![people.maier(), people.group(&["prospect/4"])]).await;
    assert_eq!(told(&report), ["member: 1 returned", "person: 1 withdrawn", "prospect: 2 returned"]);
    assert_eq!((journal.intents.len(), journal.journal.ruled_out.len()), (1, 2));
}

#[tokio::test]
async fn a_journal_that_fails_at_the_intent_lets_the_lock_go() {
    let people = People::new().await;
    let mut journal = people.watched();
    journal.journal = MemoryJournal { fail_at: Some(1), ..MemoryJournal::default() };
    let (report, _) = people.erase_with(&people.mappings, &mut journal, vec![people.maier()]).await;
    assert!(matches!(report, Err(EngineError::Journal(_))), "{report:?}");
}

#[tokio::test]
async fn the_lock_is_held_until_the_intent_is_written() {
    let people = People::new().await;
    let mut journal = people.watched();
    journal.takes = LONG;
    let report = people.erase(&mut journal, vec![people.maier()]).await;
    assert!(report.longest_lock >= LONG, "{report:?}");
    let person = "person: 1 deleted, 1 dependents deleted";
    assert_eq!(told(&report), ["member: 1 deleted", person, "prospect: 1 deleted"]);
}

#[tokio::test]
async fn a_group_that_is_ruled_out_beside_one_that_goes_is_told() {
    let people = People::new().await;
    people.bench.sql("UPDATE persons SET seen_on = '2026-10-01'").await;
    let mut journal = people.watched();
    let report = people.erase(&mut journal, vec![people.maier(), people.group(&["prospect/4"])]).await;
    assert_eq!(told(&report), ["member: 1 returned", "person: 1 withdrawn", "prospect: 1 deleted, 1 returned"]);
}

#[tokio::test]
async fn two_claims_on_one_record_stop_everything() {
    let people = People::new().await;
    let mut twice = people.group(&["prospect/4", "prospect/4"]);
    twice[1].claim.proposal = ProposalId(300);
    let mut journal = people.watched();
    let report = people.erase(&mut journal, vec![twice]).await;
    assert_eq!(told(&report), ["prospect: 2 returned"]);
    assert_eq!(people.bench.rows("SELECT count(*) FROM prospects").await, ["4"]);
}

#[tokio::test]
async fn a_group_that_is_refused_goes_back_and_what_was_ruled_out_beside_it_is_told_once() {
    let people = People::guarded("member", "members", "old.no = 'M-1'").await;
    people.bench.sql("UPDATE prospects SET seen_on = '2026-10-01' WHERE id = 2").await;
    let mut journal = people.watched();
    let groups = vec![people.maier(), people.group(&["prospect/2"]), people.group(&["prospect/4"])];
    let report = people.erase(&mut journal, groups).await;
    let prospects = "prospect: 1 deleted, 1 returned, 1 withdrawn";
    assert_eq!(told(&report), ["member: 1 returned", "person: 1 returned", prospects]);
    assert_eq!(journal.gaps, [ids([0, 100, 200]), ids([3])]);
    let intents: Vec<_> = journal.intents.iter().map(|plan| (plan.ruled_out.len(), plan.proposals.clone())).collect();
    assert_eq!(intents, [(1, Vec::new()), (0, ids([3]))]);
    assert!(journal.intents[0].records.is_empty());
    assert_eq!(journal.journal.refused.len(), 3);
    people.bench.assert_sound().await;
}

#[tokio::test]
async fn a_single_group_that_is_refused_holds_the_lock_for_a_time_that_is_told() {
    let people = People::guarded("member", "members", "old.no = 'M-1'").await;
    let mut journal = people.watched();
    let report = people.erase(&mut journal, vec![people.maier()]).await;
    assert_eq!(told(&report), ["member: 1 returned", "person: 1 returned", "prospect: 1 returned"]);
    assert!(journal.intents.is_empty() && journal.gaps.is_empty());
}

#[tokio::test]
async fn an_error_that_is_about_no_record_stops_the_run_and_blames_nobody() {
    let people = People::new().await;
    let bench = &people.bench;
    // A damaged page, of a table that only the layout reads.
    let place =
        "SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = 'accounts'";
    let place: usize = bench.rows(place).await[0].parse().unwrap();
    let mut bytes = std::fs::read(bench.database()).unwrap();
    bytes[place..place + 16].fill(0xff);
    std::fs::write(bench.database(), bytes).unwrap();
    let mut journal = people.watched();
    let groups = vec![people.maier()];
    let (report, _) = people.erase_with(&people.mappings, &mut journal, groups).await;
    assert!(matches!(report, Err(EngineError::Source(_))), "{report:?}");
    assert!(journal.intents.is_empty() && journal.journal.calls.is_empty());
    assert_eq!(bench.rows("SELECT count(*) FROM prospects").await, ["4"]);
}

#[tokio::test]
async fn a_batch_of_groups_that_is_refused_is_halved() {
    let mut people = People::guarded("prospect", "prospects", "old.id = 108").await;
    let more: Vec<String> = (101..=108).map(|id| format!("({id}, 'Berger', '2019-02-01', NULL)")).collect();
    people.bench.sql(&format!("INSERT INTO prospects VALUES {}", more.join(", "))).await;
    people = People::of(people.bench).await;
    let groups: Vec<_> = (101..=108).map(|id| people.group(&[format!("prospect/{id}").as_str()])).collect();
    let mut journal = people.watched();
    let report = people.erase(&mut journal, groups).await;
    assert_eq!(told(&report), ["prospect: 7 deleted, 1 returned"]);
    assert_eq!(journal.gaps.len(), 6, "twice each 4, 2 and 1");
}

#[tokio::test]
async fn a_group_with_one_that_no_longer_stands_between_two_attempts_is_not_tried_again() {
    let people = People::guarded("prospect", "prospects", "old.id = 4").await;
    let mut journal = people.watched();
    journal.between = Box::new(|left| Some(left.iter().copied().filter(|id| id.0 != 200).collect()));
    let report = people.erase(&mut journal, vec![people.maier(), people.group(&["prospect/4"])]).await;
    assert_eq!(told(&report), ["prospect: 1 returned"]);
    assert_eq!(people.bench.rows("SELECT count(*) FROM prospects").await, ["4"]);
}

#[tokio::test]
async fn where_no_more_is_to_be_begun_the_rest_is_left() {
    let people = People::guarded("prospect", "prospects", "old.id = 4").await;
    let mut journal = people.watched();
    journal.between = Box::new(|_| None);
    let report = people.erase(&mut journal, vec![people.maier(), people.group(&["prospect/4"])]).await;
    assert_eq!((told(&report), journal.gaps.len()), (Vec::new(), 1));
    assert_eq!(people.bench.rows("SELECT count(*) FROM prospects").await, ["4"]);
}

/// The settings know no trigger on our own table; it raises when the batch is all but done.
#[tokio::test]
async fn what_is_refused_at_the_commit_is_taken_back_and_tried_again() {
    let people = People::new().await;
    let first = people.group(&["prospect/4"]);
    people.erase(&mut people.watched(), vec![first]).await;
    let bench = people.bench;
    bench
        .sql(
            "CREATE TRIGGER late BEFORE UPDATE ON erasured_commit WHEN NOT EXISTS (SELECT 1 FROM persons WHERE id = 1)
             BEGIN SELECT RAISE(ABORT, 'late'); END;
             CREATE TRIGGER too_late BEFORE INSERT ON erasured_commit WHEN NOT EXISTS (SELECT 1 FROM persons WHERE id = 1)
             BEGIN SELECT RAISE(ABORT, 'late'); END;",
        )
        .await;
    let people = People::of(bench).await;
    let groups = vec![people.maier(), people.group(&["prospect/2"]), people.group(&["prospect/3"])];
    people.bench.sql("UPDATE prospects SET seen_on = '2026-10-01' WHERE id = 3").await;
    let mut journal = people.watched();
    journal.takes = LONG;
    let report = people.erase(&mut journal, groups).await;
    let prospects = "prospect: 1 anonymised, 1 returned, 1 withdrawn";
    assert_eq!(told(&report), ["member: 1 returned", "person: 1 returned", prospects]);
    assert!(report.longest_lock >= LONG, "{report:?}");
    assert_eq!((journal.journal.rolled_back.len(), journal.journal.committed.len()), (2, 1));
    people.bench.assert_sound().await;
}

/// The caller leaves such groups out.
#[tokio::test]
async fn of_a_group_with_a_category_that_cannot_be_looked_at_nothing_is_erased() {
    let people = People::new().await;
    let mut journal = people.watched();
    let (report, _) = people.erase_with(&people.mappings[..2], &mut journal, vec![people.maier()]).await;
    assert_eq!(told(&report.unwrap()), ["member: 1 returned", "person: 1 returned", "prospect: 1 returned"]);
    assert_eq!(people.bench.rows("SELECT count(*) FROM persons WHERE id = 1").await, ["1"]);
}

#[tokio::test]
async fn what_stays_without_a_name_keeps_what_it_refers_to_when_it_is_foreseen_too() {
    let people = People::new().await;
    let mut reader = people.bench.source(&people.bench.settings()).reader().await.unwrap();
    let (prospects, members) = (&people.mappings[0], &people.mappings[2]);
    // An invoice keeps the second member.
    for (member, prospect, outcome) in [("M-1", "1", "deleted"), ("M-2", "2", "anonymised")] {
        let records =
            [(members, vec![RecordKey::from_text(member)]), (prospects, vec![RecordKey::from_text(prospect)])];
        let foreseen = preview_joint(&mut reader, &records, &key()).await.unwrap();
        let outcomes: Vec<&str> = foreseen.iter().flatten().map(|preview| preview.planned.outcome.as_str()).collect();
        assert_eq!(outcomes, [outcome, outcome]);
    }
    reader.close().await;
}
