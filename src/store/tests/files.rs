//! The file: made, opened, refused.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};

use super::*;

/// A connection beside the store, as somebody with the file in hand has one.
async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap()
}

async fn execute(path: &Path, sql: &'static str) {
    let mut connection = raw(path).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn refused(path: &Path) -> String {
    let before = std::fs::read(path).ok();
    let error = Store::open(path, Arc::new(SetClock::new(Timestamp::UNIX_EPOCH))).await.unwrap_err();
    assert_eq!(std::fs::read(path).ok(), before, "the file has been changed");
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{error}{hint}").replace(&path.display().to_string(), "state.db")
}

/// A state that has been closed.
async fn closed() -> (tempfile::TempDir, std::path::PathBuf) {
    let bench = Bench::new().await;
    let path = bench.path();
    bench.propose(1..=3).await;
    bench.store.close().await;
    (bench.dir, path)
}

#[tokio::test]
async fn a_new_state_is_private_durable_and_can_be_opened_again() {
    let bench = Bench::new().await;
    for name in ["state.db", "state.db-wal"] {
        let mode = bench.dir.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(!bench.dir.path().join("state.db.unfinished").exists());
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    for (pragma, expected) in [
        ("PRAGMA synchronous", "2"),
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA foreign_keys", "1"),
        ("PRAGMA secure_delete", "1"),
    ] {
        let row = sqlx::query(pragma).fetch_one(&mut *change.transaction).await.unwrap();
        let value = sqlx::Row::try_get_unchecked::<String, _>(&row, 0).unwrap();
        assert_eq!(value, expected, "{pragma}");
    }
    drop(change);
    drop(turn);
    let installation = bench.store.installation().to_owned();
    let path = bench.path();
    bench.store.close().await;
    let again = Store::open(&path, bench.clock.clone()).await.unwrap();
    assert_eq!(again.installation(), installation);
    assert_eq!(again.audit_after(0, 1).await.unwrap()[0].kind, "state_created");
}

#[tokio::test]
async fn a_state_is_made_only_where_there_is_nothing() {
    let (dir, path) = closed().await;
    let clock = Arc::new(SetClock::new(Timestamp::UNIX_EPOCH));
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::create(&path, clock.clone()).await, Err(StoreError::Exists(_))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let nowhere = dir.path().join("nowhere");
    assert!(matches!(Store::open(&nowhere, clock.clone()).await, Err(StoreError::Missing(_))));
    assert!(!nowhere.exists());
    // A start that ended in the middle of making a state has left an unfinished one.
    std::fs::write(dir.path().join("nowhere.unfinished"), "half").unwrap();
    Store::create(&nowhere, clock).await.unwrap();
}

#[tokio::test]
async fn what_is_no_state_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let mut told = vec![refused(&path).await];
    std::fs::write(&path, "").unwrap();
    told.push(refused(&path).await);
    std::fs::write(&path, "Dear diary, today I was mistaken for a database.").unwrap();
    told.push(refused(&path).await);
    std::fs::remove_file(&path).unwrap();
    let mut other = SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", path.display())).await.unwrap();
    sqlx::raw_sql("CREATE TABLE customers (id INTEGER)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    told.push(refused(&path).await);
    insta::assert_snapshot!(told.join("\n\n"));
}

#[tokio::test]
async fn a_state_of_a_later_version_is_refused() {
    let (_dir, path) = closed().await;
    execute(&path, "INSERT INTO _sqlx_migrations VALUES (7, 'later', '2030-01-01', 1, x'00', 1)").await;
    insta::assert_snapshot!(refused(&path).await, @r"
    cannot open the state: state.db is of version 7, and this program knows versions up to 1
    hint: start the program that wrote it, or a later one
    ");
}

/// Overwrites the first page of a table, which must be there.
async fn damage(path: &Path, table: &str) {
    let mut connection = raw(path).await;
    let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = ?1")
        .bind(table)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let (mut bytes, page) = (std::fs::read(path).unwrap(), usize::try_from(page).unwrap());
    bytes[(page - 1) * 4096..page * 4096].fill(0xff);
    std::fs::write(path, bytes).unwrap();
}

async fn opened(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, Arc::new(SetClock::new(Timestamp::UNIX_EPOCH))).await
}

/// What grows with history is not read before the daemon is up: damage there shows right behind it.
#[tokio::test]
async fn a_damaged_state_is_refused() {
    for table in ["audit", "_sqlx_migrations"] {
        let (_dir, path) = closed().await;
        damage(&path, table).await;
        refused(&path).await;
    }
    for table in ["proposal", "proposal_open", "ledger", "decision", "batch", "audit_text", "audit_kind"] {
        let (_dir, path) = closed().await;
        damage(&path, table).await;
        let store = opened(&path).await.unwrap_or_else(|error| panic!("{table} is read at start: {error}"));
        let error = store.check_whole(|| false).await.unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{table}: {error}");
        assert_eq!(error.hint(), Some("restore it from a backup"));
        assert!(!store.check_whole(|| true).await.unwrap(), "who wants it no longer gets no verdict");
    }
    let (_dir, path) = closed().await;
    assert!(opened(&path).await.unwrap().check_whole(|| false).await.unwrap());
}

/// Whatever page it is, one sentence says it once, and a hint what to do.
#[tokio::test]
async fn a_damaged_page_is_told_of_in_one_sentence() {
    let (_dir, path) = closed().await;
    let whole = std::fs::read(&path).unwrap();
    let mut told = std::collections::BTreeSet::new();
    for (page, begin) in (0..whole.len()).step_by(4096).enumerate() {
        let mut bytes = whole.clone();
        bytes[if page == 0 { 100 } else { begin }..begin + 4096].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let checked = match opened(&path).await {
            Ok(store) => store.check_whole(|| false).await,
            Err(error) => Err(error),
        };
        let error = checked.unwrap_err();
        assert_eq!(error.hint(), Some("restore it from a backup"), "page {page}: {error:?}");
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let sentence = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        let clauses: Vec<&str> = sentence.split([':', '\n']).map(str::trim).collect();
        let once: std::collections::BTreeSet<&&str> = clauses.iter().collect();
        assert!(once.len() == clauses.len() && !sentence.contains('\n'), "page {page}: {sentence}");
        told.insert(sentence);
    }
    assert!(told.iter().any(|told| told == "cannot bring the state to this version: it is damaged"), "{told:#?}");
}

/// A run that was cut short leaves entries without a checkpoint, however many.
#[tokio::test]
async fn a_long_end_of_the_trail_is_followed_behind_the_start() {
    let bench = Bench::new().await;
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let kinds: Vec<_> = (0..2_500).map(|of| crate::audit::Kind::DaemonStopped { why: of.to_string() }).collect();
    change.append_all(&crate::audit::By::daemon(), &kinds).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    let path = bench.path();
    bench.store.close().await;
    assert!(opened(&path).await.unwrap().check_whole(|| false).await.unwrap());
    execute(&path, "DROP TRIGGER audit_is_not_changed").await;
    for (seq, at_start) in [(400, false), (2_450, true)] {
        let mut connection = raw(&path).await;
        let rewritten = "UPDATE audit SET kind = ?2 WHERE seq = ?1";
        sqlx::query(rewritten).bind(seq).bind("forged").execute(&mut connection).await.unwrap();
        let found = match opened(&path).await {
            Err(error) if at_start => error,
            Ok(store) if !at_start => store.check_whole(|| false).await.unwrap_err(),
            other => panic!("{seq}: {other:?}"),
        };
        assert!(found.to_string().contains(&format!("entry {seq}")), "{found}");
        sqlx::query(rewritten).bind(seq).bind("daemon_stopped").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_trail_that_was_changed_is_refused() {
    for (edit, expected) in [
        ("UPDATE audit SET actor = '\"daemon\"' WHERE seq = 2", "entry 2: its hash does not fit its content"),
        ("DELETE FROM audit WHERE seq = 2", "entry 2: it is missing"),
        ("UPDATE audit SET prev = zeroblob(32) WHERE seq = 3", "entry 3: it is not tied to the entry before it"),
    ] {
        let (_dir, path) = closed().await;
        execute(&path, "DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_removed").await;
        execute(&path, edit).await;
        let error = Store::open(&path, Arc::new(SetClock::new(Timestamp::UNIX_EPOCH))).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn the_trail_cannot_be_changed_through_sql_by_mistake() {
    let (_dir, path) = closed().await;
    let mut connection = raw(&path).await;
    for sql in ["UPDATE audit SET kind = 'x'", "DELETE FROM audit WHERE seq = 1"] {
        assert!(sqlx::query(sql).execute(&mut connection).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn the_note_of_the_newest_entry_is_one_that_the_trail_has_or_says_nothing() {
    let bench = Bench::new().await;
    bench.propose([1]).await;
    let mut note = bench.path().into_os_string();
    note.push(".newest");
    let noted = std::fs::read_to_string(&note).unwrap();
    // A power cut just when it was made.
    for nothing in [Vec::new(), vec![0; noted.len()]] {
        std::fs::write(&note, nothing).unwrap();
        Store::open(&bench.path(), bench.clock.clone()).await.unwrap();
    }
    let (hash, last) = noted.trim_end().split_at(noted.trim_end().len() - 1);
    let other_hash = format!("{hash}{}\n", if last == "0" { "1" } else { "0" });
    for other in [other_hash, noted.replacen("000", "001", 1)] {
        std::fs::write(&note, &other).unwrap();
        let refused = Store::open(&bench.path(), bench.clock.clone()).await.unwrap_err();
        assert!(matches!(refused, StoreError::Older { .. }), "{other}: {refused}");
    }
}
