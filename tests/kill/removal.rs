//! Killed after the last batch, before what it has erased is removed from the files, and between any two steps; and before what
//! goes by the numbers of rows is made anew after VACUUM.

use erasured::erasure::POINTS;

use crate::erase::{ends, killed_in_a_run};
use crate::people::{CUSTOMERS, Ending, assert_same_end, confirmed};
use crate::process::{Site, copied};

#[tokio::test]
async fn what_a_kill_leaves_in_the_files_is_removed_after_the_next_start() {
    let start = confirmed("WAL", CUSTOMERS).await;
    let reference = Ending::undisturbed(&copied(&start)).await;
    let steps = "SELECT step FROM removal WHERE step <> 'proof' ORDER BY step";
    for (point, time) in [("removal-begun", 1), ("removal-step-done", 1), ("removal-step-done", 3)] {
        assert!(POINTS.contains(&point));
        let what = format!("{point} for the {time}. time");
        let bench = copied(&start);
        let site = Site::at(bench.dir.path());
        killed_in_a_run(&site, "erase", point, time);
        let owed = ["'checkpoint'", "'full_text'", "'statistics'", "'vacuum'"];
        assert_eq!(site.state().rows(steps).await, owed, "{what}: nothing is forgotten");
        assert!(site.state().rows("SELECT 1 FROM audit WHERE kind = 'removal_done'").await.is_empty(), "{what}");
        let daemon = site.daemon();
        assert_eq!(ends(&site), ["done", "stopped", "done"], "{what}: prepare, the one that was killed, and the rest");
        assert_eq!(site.now(steps).await, Vec::<String>::new(), "{what}");
        assert_eq!(site.entries("removal_done").len() + site.entries("removal_pending").len(), 1, "{what}");
        let log = bench.dir.path().join("app.db-wal");
        assert!(std::fs::metadata(log).map_or(0, |found| found.len()) == 0, "{what}: the log is empty");
        assert_same_end(&bench, &site, &reference, &what).await;
        daemon.stop();
    }
}

#[tokio::test]
async fn a_kill_behind_vacuum_leaves_nobody_who_finds_somebody_else() {
    let bench = confirmed("WAL", CUSTOMERS).await;
    let settings = bench.dir.path().join("erasured.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}[source.app.removal]\nvacuum = \"00:00-24:00\"\n")).unwrap();
    let notes = "CREATE TABLE notes (text TEXT); INSERT INTO notes SELECT 'word' || id FROM customers;
        DELETE FROM notes WHERE rowid % 3 = 0; CREATE VIRTUAL TABLE found USING fts5(text, content = 'notes');
        INSERT INTO found (found) VALUES ('rebuild');";
    bench.sql(notes).await;
    let finds = "SELECT n.text FROM found f JOIN notes n ON n.rowid = f.rowid WHERE found MATCH 'word200'";
    assert_eq!(bench.rows(finds).await, ["'word200'"]);
    let site = Site::at(bench.dir.path());
    killed_in_a_run(&site, "erase", "removal-vacuumed", 1);
    let owed = site.state().rows("SELECT step FROM removal WHERE step = 'rebuild'").await;
    assert_eq!((bench.rows(finds).await == ["'word200'"], owed), (false, vec!["'rebuild'".to_owned()]));
    let daemon = site.daemon();
    site.idle();
    assert_eq!(bench.rows(finds).await, ["'word200'"]);
    daemon.stop();
}

#[tokio::test]
async fn a_batch_that_could_not_be_settled_at_the_start_is_by_whoever_removes() {
    let bench = confirmed("WAL", CUSTOMERS).await;
    let site = Site::at(bench.dir.path());
    killed_in_a_run(&site, "erase", "batch-committed", 1);
    let open = "SELECT 1 FROM batch WHERE state = 'open'";
    let away = bench.dir.path().join("away.db");
    std::fs::rename(bench.database(), &away).unwrap();
    let daemon = site.daemon();
    site.idle();
    assert_eq!(site.now(open).await.len(), 1, "nobody can tell what has become of it");
    std::fs::rename(&away, bench.database()).unwrap();
    // The proof may find what the application's own pages have kept.
    let told = site.ctl(&["run", "remove", "--wait"]);
    assert!(site.now(open).await.is_empty(), "{told:?}");
    assert_eq!(site.entries("batch_settled").len(), 1);
    assert!(!site.erased().is_empty(), "what it has erased is on record");
    assert!(site.now("SELECT step FROM removal WHERE step <> 'proof'").await.is_empty());
    daemon.stop();
}
