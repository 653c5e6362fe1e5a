//! A hold on one record of a group stops all of it, at whatever step it comes.

use erasured::desk::Reason;
use erasured::erasure::{BatchPlan, Claim, Engine, Fresh, Intent, Joined, Journal, JournalError, in_order};
use erasured::proposal::{BatchId, ProposalId};
use erasured::store::JobKind;

use crate::common::{INSTALLATION, MemoryJournal, key};
use crate::office::{Office, bench, leave};

#[tokio::test]
async fn one_that_is_held_keeps_all_and_they_stay_confirmed() {
    let office = Office::open().await;
    office.confirm("prospect/1", &["person/1", "member/M-1"]).await.unwrap();
    let reason = Reason::new("lawsuit").unwrap();
    office.desk.hold(&leave(&[]), "request", &"member/M-1".parse().unwrap(), &reason, "3 Cg 17/26").await.unwrap();
    let said = office.verdict(&leave(&[]), "prospect/1").await;
    assert!(said.contains("member/M-1 blocked until -: held since 2026-11-21: lawsuit (3 Cg 17/26)"), "{said}");
    assert_eq!(office.foreseen().await, ["member/M-1 held", "person/1 held", "prospect/1 held"]);
    let before = office.bench.dump().await;
    let report = office.run(JobKind::Erase).await;
    assert_eq!(office.bench.dump().await, before);
    assert_eq!(report.total().named().find(|(name, _)| name == "held").map(|(_, n)| n), Some(3));
    let group = ["prospect/1", "person/1", "member/M-1"];
    assert_eq!(office.states(&group).await, group.map(|record| format!("{record} confirmed (together)")));
    // Nor is it confirmed together with what is held.
    assert!(office.confirm("user/7", &["member/M-1"]).await.is_err());
}

/// A journal that finds one record held when the first intent is to be written.
struct HeldOnce {
    journal: MemoryJournal,
    held: Option<ProposalId>,
}

impl Journal for HeldOnce {
    async fn intent(&mut self, plan: &BatchPlan) -> Result<Intent, JournalError> {
        match self.held.take() {
            Some(held) => Ok(Intent::Held(vec![held])),
            None => self.journal.intent(plan).await,
        }
    }

    async fn outcome(&mut self, batch: BatchId) -> Result<(), JournalError> {
        self.journal.outcome(batch).await
    }

    async fn rolled_back(&mut self, batch: BatchId) -> Result<(), JournalError> {
        self.journal.rolled_back(batch).await
    }

    async fn refused(&mut self, claims: &[(Claim, Fresh)], message: String) -> Result<(), JournalError> {
        self.journal.refused(claims, message).await
    }
}

#[tokio::test]
async fn one_that_is_held_when_the_intent_is_written_stops_its_group_and_no_other() {
    let bench = bench().await;
    let (mut mappings, mut joined) = (Vec::new(), Vec::new());
    for (place, category) in ["prospect", "person", "member"].into_iter().enumerate() {
        for mut claim in bench.due(category).await {
            claim.proposal = ProposalId(claim.proposal.0 + 100 * i64::try_from(place).unwrap());
            joined.push(Joined { category: category.parse().unwrap(), claim });
        }
        mappings.push(bench.mapping(category).await);
    }
    let find = |name: &str, key: &str| {
        let is_it = |one: &&Joined| one.category.as_str() == name && one.claim.key.as_str() == key;
        joined.iter().find(is_it).unwrap().clone()
    };
    let maier = vec![find("prospect", "1"), find("person", "1"), find("member", "M-1")];
    let wagner = vec![find("prospect", "4")];
    let mut journal = HeldOnce { journal: MemoryJournal::default(), held: Some(maier[2].claim.proposal) };
    let source = bench.source(&bench.settings());
    let (mut reader, mut writer) = (source.reader().await.unwrap(), source.writer().await.unwrap());
    let ordered = in_order(&mappings);
    let mut engine = Engine {
        reader: &mut reader,
        writer: &mut writer,
        mapping: ordered[0],
        day: &bench.day(),
        key: &key(),
        installation: INSTALLATION,
        last_committed: None,
        log_pages_max: 0,
        gap: std::time::Duration::ZERO,
        released: None,
    };
    let report = engine.erase_joint(&mut journal, &ordered, vec![maier, wagner]).await.unwrap();
    reader.close().await;
    writer.close().await;
    let held: u64 = report.categories.values().map(|of| of.held).sum();
    let deleted: u64 = report.categories.values().map(|of| of.deleted).sum();
    assert_eq!((held, deleted), (3, 1));
    assert_eq!(bench.rows("SELECT id FROM prospects ORDER BY id").await, ["1", "2", "3"]);
    assert_eq!(bench.rows("SELECT count(*) FROM members WHERE no = 'M-1'").await, ["1"]);
}
