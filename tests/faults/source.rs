//! The application's database is not what it was, or cannot be worked with: each way by name.

use std::path::Path;

use erasured::source::SourceError;
use sqlx::Connection as _;

use crate::common::Bench;
use crate::disk::{Disk, fill, make_room};
use crate::office::{erased, names, office};
use crate::process::{Site, copied};
use crate::told::{assert_writable, problem, undone, why};

/// A folder in which everything is confirmed, and no daemon.
pub async fn confirmed() -> Bench {
    let bench = office(6).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    daemon.stop();
    bench
}

/// That the rest is done when all is well again, each record once.
pub fn assert_mended(site: &Site) {
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    assert_eq!(site.erased().len(), 9);
    assert_eq!(problem(site), serde_json::Value::Null);
    site.assert_trail_holds();
}

#[tokio::test]
async fn each_way_of_being_no_database_has_its_sentence() {
    type Break = fn(&Path);
    let ways: [(&str, &str, Break); 4] = [
        ("there is no database at", "put it back", |path| std::fs::remove_file(path).unwrap()),
        ("the file is empty", "no new one is made", |path| std::fs::write(path, "").unwrap()),
        ("the file is no SQLite database", "check the url", |path| {
            std::fs::write(path, "Dear diary. ".repeat(900)).unwrap()
        }),
        ("the database is damaged", "PRAGMA integrity_check", |path| {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(4096 * 2).unwrap();
        }),
    ];
    let start = confirmed().await;
    for (sentence, hint, break_it) in ways {
        let bench = copied(&start);
        let site = Site::at(bench.dir.path());
        let right = std::fs::read(bench.database()).unwrap();
        break_it(&bench.database());
        let broken = std::fs::read(bench.database()).ok();
        let daemon = site.daemon();
        for job in ["prepare", "erase"] {
            let (answer, run) = undone(&site, job, "partly");
            let why = why(&run);
            assert!(why.contains(sentence) && why.contains(hint), "{why}");
            assert!(!answer.stderr.contains("code:"), "in words: {answer:?}");
        }
        let told = problem(&site);
        assert!(told.as_str().is_some_and(|told| told.contains(sentence)), "{told}");
        assert_eq!(std::fs::read(bench.database()).ok(), broken, "it is left as it is");
        assert_eq!(site.records("confirmed").len(), 9, "{sentence}: all wait");
        std::fs::write(bench.database(), right).unwrap();
        assert_mended(&site);
        assert_writable(&bench).await;
        daemon.stop();
    }
}

/// Puts rubbish onto the first page of a table or an index.
async fn damage(bench: &Bench, what: &str) {
    let root = bench.rows(&format!("SELECT rootpage FROM sqlite_schema WHERE name = '{what}'")).await;
    let page: usize = root[0].parse().unwrap();
    let mut bytes = std::fs::read(bench.database()).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0xff);
    std::fs::write(bench.database(), bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_page_ends_the_work_on_its_database() {
    let start = confirmed().await;
    for what in ["customers", "orders", "orders_customer"] {
        let bench = copied(&start);
        let site = Site::at(bench.dir.path());
        let right = std::fs::read(bench.database()).unwrap();
        damage(&bench, what).await;
        let daemon = site.daemon();
        let (_, run) = undone(&site, "erase", "partly");
        assert!(why(&run).contains("the database is damaged (check it"), "{what}: {run}");
        assert_eq!(erased(&run)[..2], [0, 0], "nothing is written into a damaged file: {run}");
        std::fs::write(bench.database(), right).unwrap();
        assert_mended(&site);
        daemon.stop();
    }
}

/// Puts another file under the database's name, as a restore does.
fn replace(bench: &Bench, with: &[u8]) {
    let new = bench.dir.path().join("restored.db");
    std::fs::write(&new, with).unwrap();
    std::fs::rename(new, bench.database()).unwrap();
}

/// The database in a folder of its own, on a disk of its own.
async fn on_a_disk(bench: &Bench, folder: &Path, journal: &str) {
    bench.sql(&format!("PRAGMA journal_mode = {journal}")).await;
    std::fs::copy(bench.database(), folder.join("app.db")).unwrap();
    std::fs::remove_file(bench.database()).unwrap();
    std::os::unix::fs::symlink(folder.join("app.db"), bench.database()).unwrap();
}

#[tokio::test]
async fn a_disk_that_is_read_only_or_full_changes_nothing() {
    for journal in ["DELETE", "WAL"] {
        let bench = confirmed().await;
        let folder = bench.dir.path().join("disk");
        let Some(disk) = Disk::mounted(&folder, "size=1m") else { return };
        on_a_disk(&bench, &folder, journal).await;
        let before = bench.dump().await;
        let site = Site::at(bench.dir.path());
        disk.again("ro");
        let daemon = site.daemon();
        let (_, run) = undone(&site, "erase", "partly");
        let told = why(&run);
        assert!(told.contains("read-only") || told.contains("cannot be opened"), "{journal}: {told}");
        assert!(told.contains("let the daemon's user write") || told.contains("may write to it"), "{told}");
        disk.again("rw");
        fill(&folder);
        let (_, run) = undone(&site, "erase", "partly");
        assert!(why(&run).contains("the disk of the database is full (make room"), "{journal}: {run}");
        make_room(&folder);
        assert_eq!(bench.dump().await, before, "{journal}: nothing is half done");
        assert_writable(&bench).await;
        assert_mended(&site);
        bench.assert_sound().await;
        daemon.stop();
    }
}

/// Whoever is put under the same name has the marker of another time, or none: nothing is erased there.
#[tokio::test]
async fn another_database_in_its_place_closes_the_source() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    let backup = std::fs::read(bench.database()).unwrap();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    replace(&bench, &backup);
    let (_, run) = undone(&site, "erase", "partly");
    assert!(why(&run).contains("app: closed until an operator decides"), "{run}");
    assert_eq!(names(&bench).await.len(), 6);
    assert_writable(&bench).await;
    daemon.stop();
}

/// Whoever has the old file open neither reads from it any more nor writes to it; and an error leaves no lock behind.
#[tokio::test]
async fn connections_do_not_go_on_with_a_file_that_was_exchanged() {
    let bench = office(6).await;
    let (mapping, settings) = (bench.mapping("customer").await, bench.settings());
    let is_replaced = |error: SourceError| matches!(error, SourceError::Replaced { .. });
    let same = std::fs::read(bench.database()).unwrap();
    let today = bench.today;
    let mut reader = bench.source(&settings).reader().await.unwrap();
    let mut idle = bench.source(&settings).writer().await.unwrap();
    let mut busy = bench.source(&settings).writer().await.unwrap();
    busy.begin(&mapping, &mut reader).await.unwrap();
    replace(&bench, &same);
    assert!(is_replaced(reader.page(&mapping, today, None, 10).await.unwrap_err()));
    assert!(is_replaced(busy.commit().await.unwrap_err()));
    busy.roll_back().await.unwrap();
    assert!(is_replaced(idle.begin(&mapping, &mut reader).await.unwrap_err()));
    // The lock on the old file is free again as well: another could take it.
    assert!(is_replaced(busy.begin(&mapping, &mut reader).await.unwrap_err()));
    assert_writable(&bench).await;
    reader.close().await;
    idle.close().await;
    busy.close().await;
}

/// The file is exchanged in the middle of a run: what follows is not written into one that nobody sees any more.
#[tokio::test]
async fn a_file_that_is_exchanged_under_the_daemon_is_noticed_before_the_next_batch() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    let backup = std::fs::read(bench.database()).unwrap();
    let mut application = bench.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut application).await.unwrap();
    site.json(&["run", "erase"]);
    crate::process::wait_until("it waits for the lock", || site.runs()[1]["state"] == "running");
    replace(&bench, &backup);
    sqlx::raw_sql("ROLLBACK").execute(&mut application).await.unwrap();
    application.close().await.unwrap();
    let runs = site.idle();
    // The run may not have opened the file by then, and is then none the worse for it.
    if runs[1]["state"] == "partly" {
        assert!(why(&runs[1]).contains("was replaced by another file while it was open"), "{}", runs[1]);
        assert_mended(&site);
    }
    assert_eq!(names(&bench).await.len(), 0);
    assert_eq!(site.erased().len(), 9, "each once");
    daemon.stop();
}
