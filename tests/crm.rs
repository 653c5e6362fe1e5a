//! The settings in `config/crm` against the sample database that they are written for.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use erasured::config::{self, Settings};
use erasured::record::RecordKey;
use erasured::source::check::{self, Depth};
use erasured::source::{Mapping, Outcome, Reader, Row, Source, sample};
use jiff::civil::{Date, date};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};

const TODAY: Date = date(2026, 11, 21);

/// Copies the settings into `folder` and makes the database that they speak of.
async fn lay_out(folder: &Path) -> Settings {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/crm");
    fs::create_dir(folder.join("categories")).unwrap();
    fs::copy(from.join("erasured.toml"), folder.join("erasured.toml")).unwrap();
    for entry in fs::read_dir(from.join("categories")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join("categories").join(entry.file_name())).unwrap();
    }
    sample::create(&folder.join("crm.db"), 1, TODAY).await.unwrap();
    let loaded = config::load(folder).unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    loaded.settings
}

async fn checked(reader: &mut Reader, settings: &Settings, name: &str) -> (Mapping, Vec<String>) {
    let category = &settings.categories[&name.parse().unwrap()];
    let checked = check::category(reader, settings, category, Depth::Rows).await.unwrap();
    let told: Vec<String> = checked.findings.iter().map(ToString::to_string).collect();
    (checked.mapping.unwrap_or_else(|| panic!("{}", told.join("\n"))), told)
}

fn is_due(row: &Row, mapping: &Mapping, settings: &Settings) -> bool {
    row.criteria.iter().zip(&mapping.criteria).any(|(found, criterion)| {
        let has_come = criterion.since.as_ref().is_none_or(|since| {
            let start = since.format.read(&found.since, &settings.time_zone).ok().flatten();
            start.and_then(|start| since.period.value.due_on(start, since.starts)).is_some_and(|day| day <= TODAY)
        });
        found.holds && has_come
    })
}

/// The keys of records that are due and that nothing keeps.
async fn due(reader: &mut Reader, mapping: &Mapping, settings: &Settings) -> Vec<RecordKey> {
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let page = reader.page(mapping, TODAY, after.as_ref(), 50).await.unwrap();
        let rows = page.rows.iter().filter(|row| is_due(row, mapping, settings));
        keys.extend(rows.map(|row| row.key.clone().unwrap()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut kept = vec![false; keys.len()];
    for retained in reader.retained(mapping, TODAY, &keys).await.unwrap() {
        let retention = mapping.nodes[retained.node].retention.as_ref().unwrap();
        let start = retention.format.read(&retained.since, &settings.time_zone).unwrap().unwrap();
        kept[retained.record] |= retention.period.value.due_on(start, retention.starts).unwrap() > TODAY;
    }
    let mut kept = kept.into_iter();
    keys.retain(|_| !kept.next().unwrap());
    keys
}

#[tokio::test]
async fn the_settings_fit_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let settings = lay_out(folder.path()).await;
    let source = Source::of(settings.sources.values().next().unwrap());
    let mut reader = source.reader().await.unwrap();
    let mut told = BTreeMap::new();
    for name in settings.categories.keys() {
        told.insert(name.to_string(), checked(&mut reader, &settings, name.as_str()).await.1.join("\n"));
    }
    insta::assert_debug_snapshot!(told);
}

#[tokio::test]
async fn erasing_what_is_due_deletes_some_and_anonymises_others() {
    let folder = tempfile::tempdir().unwrap();
    let settings = lay_out(folder.path()).await;
    let source = Source::of(settings.sources.values().next().unwrap());
    let (mut found, mut mails) = (BTreeMap::new(), Vec::new());
    for name in ["prospect", "person", "member", "user"] {
        let mut reader = source.reader().await.unwrap();
        let (mapping, _) = checked(&mut reader, &settings, name).await;
        let keys = due(&mut reader, &mapping, &settings).await;
        mails.extend(mail_addresses(folder.path(), &mapping, &keys).await);
        let mut writer = source.writer().await.unwrap();
        writer.begin(&mapping, &mut reader).await.unwrap();
        let staged = writer.stage(&mapping, &keys).await.unwrap();
        writer.apply(&mapping).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        writer.commit().await.unwrap();
        writer.close().await;
        reader.close().await;
        let deleted = staged.records.iter().filter(|record| record.outcome == Outcome::Delete).count();
        found.insert(name, (deleted, staged.records.len() - deleted));
    }
    let expected = BTreeMap::from([("prospect", (26, 16)), ("person", (11, 11)), ("member", (9, 6)), ("user", (8, 5))]);
    assert_eq!(found, expected, "deleted and anonymised");
    assert_eq!(mails.len(), 92);
    is_sound_and_without(folder.path(), &mails).await;
}

async fn open(folder: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(folder.join("crm.db"))).await.unwrap()
}

/// Mail addresses name one person each, unlike names.
async fn mail_addresses(folder: &Path, mapping: &Mapping, keys: &[RecordKey]) -> Vec<String> {
    let mut connection = open(folder).await;
    let sql = format!("SELECT email FROM {} WHERE {} = ?", mapping.nodes[0].table, mapping.key[0]);
    let mut mails = Vec::new();
    for key in keys {
        let row = sqlx::query_scalar(AssertSqlSafe(sql.clone())).bind(key.as_str());
        mails.push(row.fetch_one(&mut connection).await.unwrap());
    }
    mails
}

/// References lead somewhere, the search indexes say what the tables say, and none of `mails` is in any table.
async fn is_sound_and_without(folder: &Path, mails: &[String]) {
    let mut connection = open(folder).await;
    let dangling = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await.unwrap();
    assert!(dangling.is_empty());
    for index in ["prospect_search", "person_search"] {
        let check = format!("INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)");
        sqlx::query(AssertSqlSafe(check)).execute(&mut connection).await.unwrap();
    }
    for table in ["prospects", "persons", "members", "users"] {
        let sql = format!("SELECT count(*) FROM {table} WHERE email = ?");
        for mail in mails {
            let count = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.clone())).bind(mail);
            assert_eq!(count.fetch_one(&mut connection).await.unwrap(), 0, "{table} still knows somebody");
        }
    }
    let copies = "SELECT (SELECT count(*) FROM invoices JOIN prospects p ON p.id = prospect_id
                          WHERE p.last_name = '(erased)' AND (billing_name IS NOT NULL OR billing_address IS NOT NULL))
                       + (SELECT count(*) FROM orders JOIN prospects p ON p.id = prospect_id
                          WHERE p.last_name = '(erased)' AND ship_name IS NOT NULL)
                       + (SELECT count(*) FROM donations JOIN persons p ON p.id = person_id
                          WHERE p.last_name = '(erased)' AND donor_name IS NOT NULL)
                       + (SELECT count(*) FROM fees JOIN members m USING (member_no)
                          WHERE m.last_name = '(erased)' AND (payer_name IS NOT NULL OR payer_iban IS NOT NULL))";
    let copies: i64 = sqlx::query_scalar(copies).fetch_one(&mut connection).await.unwrap();
    assert_eq!(copies, 0, "a copy of a name was left");
}
