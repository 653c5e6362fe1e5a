//! What the tables themselves refuse.

use super::*;

/// Statements that would make a row no move can make.
const IMPOSSIBLE: &[&str] = &[
    "UPDATE proposal SET state = 'postponed' WHERE key = '1'",
    "UPDATE proposal SET state = 'postponed', until = '2027-01-01' WHERE key = '1'",
    "UPDATE proposal SET until = '2027-01-01' WHERE key = '1'",
    "UPDATE proposal SET state = 'erasing' WHERE key = '1'",
    "UPDATE proposal SET state = 'erasing', batch = zeroblob(16) WHERE key = '1'",
    "UPDATE proposal SET state = 'erased', outcome = 'deleted' WHERE key = '1'",
    "UPDATE proposal SET outcome = 'deleted' WHERE key = '1'",
    "UPDATE proposal SET state = 'withdrawn' WHERE key = '1'",
    "UPDATE proposal SET state = 'withdrawn', reason = 'changed_person' WHERE key = '1'",
    "UPDATE proposal SET state = 'withdrawn', reason = 'no_longer_due' WHERE key = '1'",
    "UPDATE proposal SET state = 'withdrawn', reason = 'gone', detail = 'x' WHERE key = '1'",
    "UPDATE proposal SET state = 'confirmed', reason = 'gone' WHERE key = '1'",
    "UPDATE proposal SET reason = 'gone' WHERE key = '1'",
    "UPDATE proposal SET state = 'held' WHERE key = '1'",
    "UPDATE proposal SET criterion = NULL WHERE key = '1'",
    "UPDATE proposal SET fingerprint = x'00' WHERE key = '1'",
    "UPDATE proposal SET form = 99 WHERE key = '1'",
    "UPDATE proposal SET key = '2' WHERE key = '1'",
    "UPDATE proposal SET version = 'many' WHERE key = '1'",
    "INSERT INTO meta VALUES (2, '0123456789abcdef0123456789abcdef', 'x')",
    "UPDATE run SET state = 'queued'",
    "UPDATE run SET state = 'done'",
    "UPDATE run SET state = 'stopped'",
    "UPDATE run SET slot = 'x'",
    "UPDATE run SET actor = NULL",
    "UPDATE run SET reason = 'x'",
    "INSERT INTO run (job, actor, dry_run, state, queued_at, started_at, report) \
     VALUES ('prepare', '\"daemon\"', 0, 'running', 'x', 'x', '{}')",
    "INSERT INTO batch VALUES (zeroblob(16), 'crm', 1, 'committed', 'x', NULL, NULL)",
    "INSERT INTO batch VALUES (zeroblob(16), 'crm', 1, 'committed', 'x', 'x', '[]')",
    "INSERT INTO batch VALUES (zeroblob(15), 'crm', 1, 'open', 'x', NULL, '[]')",
    "INSERT INTO batch VALUES (zeroblob(16), 'crm', 1, 'open', 'x', NULL, NULL)",
    "INSERT INTO source_state VALUES ('crm', NULL, 'why', NULL, 0)",
    "INSERT INTO decision VALUES (1, 1, 'postponed', NULL, NULL, NULL, NULL)",
    "INSERT INTO decision VALUES (1, 1, 'withdrawn', NULL, NULL, NULL, NULL)",
    "INSERT INTO audit_text VALUES (1, 'reason', x'00', 'text')",
    "INSERT INTO audit_text VALUES (1, 'label', zeroblob(16), 'text')",
    "INSERT INTO hold (category, key, fingerprint, form, set_seq) VALUES ('a', '1', x'00', 1, 1)",
    "INSERT INTO hold (category, key, fingerprint, form, set_seq, asked_standard) \
     VALUES ('a', '1', zeroblob(32), 1, 1, 'x')",
];

#[tokio::test]
async fn impossible_rows_are_refused() {
    let bench = Bench::new().await;
    bench.propose([1, 2]).await;
    let mut turn = bench.store.turn().await;
    for sql in IMPOSSIBLE {
        let mut change = turn.begin().await.unwrap();
        let done = sqlx::query(*sql).execute(&mut *change.transaction).await;
        let told = done.map(|done| done.rows_affected()).map_err(|error| error.to_string());
        let told = told.expect_err(sql);
        assert!(told.contains("constraint failed") || told.contains("cannot store"), "{sql}: {told}");
    }
    // The statements are refused for what they say, not for how they say it.
    let mut change = turn.begin().await.unwrap();
    let possible = "UPDATE proposal SET state = 'postponed', until = '2027-01-01', postponed_count = 1 WHERE key = '1'";
    assert_eq!(sqlx::query(possible).execute(&mut *change.transaction).await.unwrap().rows_affected(), 1);
}
