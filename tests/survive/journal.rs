//! A journal that fails at any of its calls, and what settlement makes of it.

use std::collections::BTreeMap;

use erasured::erasure::{Claim, Settlement, settlement};

use super::{PERSON, left_with};
use crate::common::{Bench, INSTALLATION, MemoryJournal};

/// Of seven people one is somebody else by now, one is no longer due, and one is guarded by a trigger, so that the batch is
/// halved: the journal sees every kind of call.
async fn bench() -> (Bench, Vec<Claim>) {
    let people: Vec<String> = (1..=7).map(|id| format!("({id}, 'Huber {id}', '2019-01-01')")).collect();
    let sql = format!(
        "{PERSON} INSERT INTO person VALUES {};
         CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person, text TEXT);
         INSERT INTO note VALUES (1, 3, 'about Huber 3'), (2, 4, 'about Huber 4'), (3, 6, 'about Huber 6');
         CREATE TRIGGER guard BEFORE DELETE ON person WHEN old.id = 5 BEGIN SELECT RAISE(ABORT, 'no'); END;",
        people.join(", ")
    );
    let bench = Bench::with_sql(&sql).await;
    let note =
        "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\nanonymise = { text = \"null\" }\n";
    bench.category("person", &format!("{}{note}", left_with("triggers = [\"guard\"]")));
    let claims = bench.due("person").await;
    bench
        .sql("UPDATE person SET left_on = '2026-01-01' WHERE id = 1; UPDATE person SET name = 'Else' WHERE id = 2;")
        .await;
    (bench, claims)
}

/// What a daemon does at its start: what is open is settled by the marker alone.
async fn settle(bench: &Bench, journal: &mut MemoryJournal) -> Option<Settlement> {
    use erasured::erasure::Journal as _;
    let open = journal.open.as_ref().map(|plan| plan.batch)?;
    let last = journal.committed.last().map(|plan| plan.batch);
    let settled = settlement(bench.marker().await.as_deref(), open, last);
    match settled {
        Settlement::Committed => journal.outcome(open).await.unwrap(),
        Settlement::RolledBack => journal.rolled_back(open).await.unwrap(),
        Settlement::Foreign => panic!("{INSTALLATION} alone has written"),
    }
    Some(settled)
}

/// Those about whom nothing stands in the journal yet.
fn waiting(journal: &MemoryJournal, claims: &[Claim]) -> Vec<Claim> {
    let erased = journal.committed.iter().flat_map(|plan| &plan.records).map(|record| &record.key);
    let done: Vec<_> =
        erased.chain(journal.ruled_out.iter().map(|out| &out.0)).chain(journal.refused.iter().map(|r| &r.0)).collect();
    claims.iter().filter(|claim| !done.contains(&&claim.key)).cloned().collect()
}

fn sorted(journal: &MemoryJournal) -> Vec<String> {
    let mut rulings = journal.rulings();
    rulings.sort();
    rulings
}

/// The end without any failure, and the journal's calls on the way there.
async fn undisturbed() -> (BTreeMap<String, Vec<String>>, Vec<String>, Vec<&'static str>) {
    let (bench, claims) = bench().await;
    let (_, journal) = bench.erase("person", claims).await;
    (bench.dump().await, sorted(&journal), journal.calls)
}

#[tokio::test]
async fn whichever_call_fails_settlement_leads_to_the_same_end() {
    let (dump, rulings, calls) = undisturbed().await;
    assert_eq!(rulings.len(), 7, "{rulings:?}");
    for kind in ["intent", "outcome", "rolled_back", "refused"] {
        assert!(calls.contains(&kind), "{calls:?}");
    }
    let mut settlements = Vec::new();
    for (at, when_written) in (1..=calls.len()).flat_map(|at| [(at, false), (at, true)]) {
        let (bench, claims) = bench().await;
        let mut journal =
            MemoryJournal { fail_at: Some(at), fails_when_written: when_written, ..MemoryJournal::default() };
        let failed = bench.erase_with(&mut journal, "person", claims.clone(), None).await;
        assert!(failed.is_err(), "call {at} was to fail");
        assert_eq!(journal.calls.len(), at, "the engine stops at once");
        settlements.extend(settle(&bench, &mut journal).await);
        let last = journal.committed.last().map(|plan| plan.batch);
        let left = waiting(&journal, &claims);
        bench.erase_with(&mut journal, "person", left, last).await.unwrap();
        assert_eq!(bench.dump().await, dump, "after call {at}, written: {when_written}");
        assert_eq!(sorted(&journal), rulings, "after call {at}, written: {when_written}");
        bench.assert_sound().await;
    }
    assert!(settlements.contains(&Settlement::Committed) && settlements.contains(&Settlement::RolledBack));
}

#[tokio::test]
async fn a_source_from_elsewhere_is_noticed_before_anything_more_is_done() {
    let (bench, claims) = bench().await;
    let (_, journal) = bench.erase("person", claims[4..].to_vec()).await;
    let last = journal.committed.last().map(|plan| plan.batch);
    bench.sql("UPDATE erasured_commit SET batch = '00000000000000000000000000000001'").await;
    let open = journal.committed[0].batch;
    assert_eq!(settlement(bench.marker().await.as_deref(), open, last), Settlement::Foreign);
}
