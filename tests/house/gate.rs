//! The schema gate: what the application changes in its schema stops the category that minds, by name, and no other.

use std::sync::atomic::{AtomicBool, Ordering};

use erasured::actor::{Asker, Authorised, Grant, Permission, Reach, authorise};
use erasured::desk::GateError;
use serde_json::json;

use super::*;

/// Due customers, who fill a first batch and half of another.
const MANY: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1300)
    INSERT INTO customers SELECT n, 'Maier ' || n, '2019-01-01' FROM numbers";
/// Behind them as many who are not due as are read ahead of what is written, and more, and one who is.
const MANY_MORE: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 2000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 41000)
    INSERT INTO customers SELECT n, 'Maier ' || n, iif(n = 41000, '2019-01-01', '2026-10-01') FROM numbers";
const FIRST_BATCH: u64 = 200;

/// Whoever runs the tests, with this permission.
fn me_who_may(permission: Permission) -> Authorised {
    let identity = identity_of(nix::unistd::geteuid().as_raw()).unwrap();
    let grant = Grant {
        users: [identity.user.clone()].into(),
        groups: Default::default(),
        permissions: [permission].into(),
        reach: Reach::default(),
    };
    authorise(&Asker::alone(identity), permission, &[grant], "2026-11-21".parse().unwrap(), 0).unwrap()
}

/// A category of which no run proposes or erases too much.
fn unbraked(category: &str) -> String {
    format!("{category}\n[brake]\nshare = \"100 %\"\n")
}

/// The house of the other tests, without a brake on its customers.
async fn unbraked_living() -> Living {
    let bench = Bench::with_sql(SQL).await;
    bench.category("customer", &unbraked(CUSTOMER)).category("user", USER);
    living_over(bench, Arc::new(identity_of), Arc::new(identity_named)).await
}

impl Living {
    /// A house in which a customer and the user are confirmed.
    async fn confirmed() -> Self {
        let living = Self::prepared().await;
        living.json(&["confirm", "customer/1", "user/anna%403"]).await;
        living
    }

    /// A house in which all of many customers are confirmed, and the user.
    async fn many_confirmed() -> Self {
        let living = unbraked_living().await;
        living.bench.sql(MANY).await;
        living.json(&["run", "prepare", "--wait"]).await;
        let records: Vec<String> = (1..4).chain(1000..1301).map(|id| format!("customer/{id}")).collect();
        for some in records.chunks(100) {
            let (count, mut words) = (some.len().to_string(), some.iter().map(String::as_str).collect::<Vec<_>>());
            words.splice(0..0, ["confirm", "--yes-confirm", &count]);
            living.json(&words).await;
        }
        living.json(&["confirm", "user/anna%403"]).await;
        living
    }

    /// A run of the job, to its end, during which the application does this after the first piece of work.
    async fn run_while(&self, job: &str, sql: &str) -> Value {
        let is_done = AtomicBool::new(false);
        let stop = || {
            // The final run asks before its first batch as well.
            let has_begun = job != "erase" || self.bench.has_batch_at_once();
            if has_begun && !is_done.swap(true, Ordering::SeqCst) {
                self.bench.sql_at_once(sql);
            }
            false
        };
        let run = self.carry_out(job, &stop).await;
        assert!(is_done.load(Ordering::SeqCst), "nothing was changed meanwhile");
        run
    }

    /// What status says of a category.
    async fn category_status(&self, category: &str) -> Value {
        let status = self.json(&["status"]).await;
        let all = status["categories"].as_array().unwrap();
        all.iter().find(|of| of["category"] == category).unwrap().clone()
    }

    /// A final run, which must leave one category out; gives what it says of that.
    async fn erased_in_part(&self) -> (Value, String) {
        let said = self.ctl(&["run", "erase", "--wait", "--json"]).await;
        let run = said.json();
        assert_eq!((said.exit, &run["state"]), (Exit::Refused, &json!("partly")), "{run}");
        let told = run["problem"]["detail"].as_str().unwrap().to_owned();
        (run, told)
    }
}

#[tokio::test]
async fn a_column_added_overnight_stops_its_category_and_no_other() {
    let living = Living::confirmed().await;
    living.bench.sql("ALTER TABLE customers ADD COLUMN nickname TEXT").await;
    let (run, told) = living.erased_in_part().await;
    assert_eq!((&run["deleted"], &run["left"]), (&json!(1), &json!(1)), "{run}");
    let why = "the settings do not fit the schema: column nickname of customers is not classified; \
               in categories/customer.toml: write it into keep = [\"nickname\"] if it is not personal, \
               or into anonymise with what replaces it";
    assert!(told.ends_with(&format!("customer: {why}")), "{told}");
    assert_eq!(living.json(&["show", "customer/1"]).await["state"], "confirmed");
    assert_eq!(living.json(&["show", "user/anna%403"]).await["state"], "erased");
    assert_eq!(living.category_status("customer").await["problem"], why);
    assert_eq!(living.category_status("user").await["problem"], Value::Null);

    living.bench.category(
        "customer",
        &CUSTOMER.replace("last_name = \"null\"\n", "last_name = \"null\"\nnickname = \"null\"\n"),
    );
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    assert_eq!(living.category_status("customer").await["problem"], Value::Null);
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["state"], &run["deleted"], &run["left"]), (&json!("done"), &json!(1), &json!(0)));
}

#[tokio::test]
async fn what_is_not_classified_stops_its_category_with_what_to_write() {
    for (sql, why) in [
        (
            "CREATE TABLE visits (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id))",
            "customer of visits refers to customers, and no [[dependent]] says what becomes of it; \
             in categories/customer.toml: write [[dependent]] with table = \"visits\", column = \"customer\" \
             and rule = \"keep\", \"delete\" or \"unlink\"",
        ),
        (
            "CREATE TRIGGER remember BEFORE DELETE ON customers BEGIN UPDATE orders SET ship_name = old.last_name; END",
            "the trigger remember on customers would run and is not named; \
             in categories/customer.toml: look at what it does, then write triggers = [\"remember\"]",
        ),
        (
            "ALTER TABLE orders ADD COLUMN ship_street TEXT",
            "column ship_street of orders is not classified; \
             in categories/customer.toml: write it into keep = [\"ship_street\"] if it is not personal, \
             or into anonymise with what replaces it",
        ),
        (
            "ALTER TABLE customers RENAME TO clients",
            "there is no table customers; in categories/customer.toml: there are clients, orders, users",
        ),
        (
            "ALTER TABLE customers RENAME COLUMN last_contact_on TO last_contact",
            "customers has no column last_contact_on; in categories/customer.toml: did you mean last_contact?",
        ),
    ] {
        let living = Living::confirmed().await;
        living.bench.sql(sql).await;
        let (run, told) = living.erased_in_part().await;
        assert!(told.contains(&format!("customer: the settings do not fit the schema: {why}")), "{told}");
        assert_eq!((&run["deleted"], &run["left"]), (&json!(1), &json!(1)), "{sql}: the user goes, the customer stays");
        assert_eq!(living.json(&["show", "customer/1"]).await["state"], "confirmed");
        assert_eq!(living.json(&["show", "user/anna%403"]).await["state"], "erased");
    }
}

#[tokio::test]
async fn a_schema_that_changes_between_two_batches_is_caught_in_the_second() {
    let living = Living::many_confirmed().await;
    let run = living.run_while("erase", "ALTER TABLE customers ADD COLUMN nickname TEXT").await;
    let told = run["problem"]["detail"].as_str().unwrap();
    assert_eq!(run["state"], "partly", "{run}");
    assert!(told.contains("customer: the settings do not fit the schema: column nickname of customers"), "{told}");
    assert_eq!(told.matches("nickname of").count(), 1, "{told}");
    let [deleted, anonymised, left] = ["deleted", "anonymised", "left"].map(|name| run[name].as_u64().unwrap());
    assert_eq!((deleted + anonymised, left), (FIRST_BATCH + 1, 304 - FIRST_BATCH), "a batch, and the user: {run}");
    assert_eq!(living.category_status("customer").await["confirmed"], 304 - FIRST_BATCH);
    assert_eq!(living.category_status("customer").await["erasing"], 0);
    let rows = living.bench.rows("SELECT count(*) FROM customers WHERE last_name LIKE 'Maier%'").await;
    assert_eq!(rows, [(304 - FIRST_BATCH).to_string()], "all that is left is as it was");
    living.bench.assert_sound().await;
}

#[tokio::test]
async fn an_older_copy_that_comes_back_between_two_batches_closes_the_source() {
    let living = Living::many_confirmed().await;
    // What an older copy carries, of this installation: nothing.
    let run = living.run_while("erase", "DELETE FROM erasured_commit").await;
    let told = run["problem"]["detail"].as_str().unwrap();
    assert!(told.contains("the source's commit marker is from elsewhere"), "{told}");
    assert_eq!((&run["state"], &run["left"]), (&json!("partly"), &json!(305 - FIRST_BATCH)), "{run}");
    assert_eq!(living.category_status("customer").await["confirmed"], 304 - FIRST_BATCH);
    assert_eq!(living.bench.rows("SELECT count(*) FROM users").await, ["1"], "nor is anything else of it erased");
    let status = living.json(&["status"]).await;
    let problem = status["sources"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("restored from elsewhere"), "{problem}");
}

#[tokio::test]
async fn another_category_that_minds_stops_and_this_one_goes_on() {
    let living = Living::many_confirmed().await;
    let run = living.run_while("erase", "ALTER TABLE users ADD COLUMN nickname TEXT").await;
    let told = run["problem"]["detail"].as_str().unwrap();
    assert!(told.contains("user: the settings do not fit the schema: column nickname of users"), "{told}");
    assert_eq!((&run["state"], &run["left"]), (&json!("partly"), &json!(1)), "{run}");
    assert_eq!(living.bench.rows("SELECT count(*) FROM users").await, ["1"]);
    assert_eq!(living.category_status("customer").await["confirmed"], 0);
}

#[tokio::test]
async fn a_change_that_nobody_minds_holds_nothing_up() {
    let living = Living::many_confirmed().await;
    let run = living.run_while("erase", "CREATE TABLE staging (id INTEGER PRIMARY KEY); ANALYZE").await;
    assert_eq!((&run["state"], &run["left"]), (&json!("done"), &json!(0)), "{run}");
}

#[tokio::test]
async fn a_schema_that_changes_during_the_walk_stops_it() {
    let living = unbraked_living().await;
    living.bench.sql(&format!("{MANY};{MANY_MORE}")).await;
    let run = living.run_while("prepare", "ALTER TABLE customers RENAME COLUMN last_name TO surname").await;
    assert_eq!(run["state"], "partly", "{run}");
    let told = run["problem"]["detail"].as_str().unwrap();
    let changed = "customer: the schema of app has changed while its records were looked at; \
                   what is left is done by the next run";
    assert!(told.contains(changed), "{told}");
    assert!(told.contains("customer: the settings do not fit the schema: "), "{told}");
    assert_eq!(run["proposed"], 305, "those before the change, and the user: {run}");
    let list = living.json(&["list", "--category", "user"]).await;
    assert_eq!(list["total"], 1, "the other category goes on");
}

/// What a user's category relies on beside its table: a view over a view, a trigger, a computed column.
const RELIED_ON: &str = "
    ALTER TABLE users ADD COLUMN initial TEXT AS (substr(login, 1, 1));
    CREATE TABLE logins (login TEXT NOT NULL, at TEXT, note TEXT);
    CREATE VIEW quiet AS SELECT login FROM users WHERE login NOT IN (SELECT login FROM logins);
    CREATE VIEW candidates AS SELECT login FROM quiet;
    CREATE TRIGGER farewell BEFORE DELETE ON users BEGIN SELECT 1; END;
    CREATE TRIGGER unrelated AFTER INSERT ON logins BEGIN SELECT 1; END;";

/// A house in which the user's category relies on all that, and the user is confirmed.
async fn relying() -> Living {
    let bench = Bench::with_sql(&format!("{SQL}{RELIED_ON}")).await;
    let user = USER.replace(
        "period = \"1 year\"\n",
        "period = \"1 year\"\nwhere = \"users.login IN (SELECT login FROM candidates)\"\n",
    );
    bench.category("customer", CUSTOMER).category("user", &unbraked(&format!("triggers = [\"farewell\"]\n{user}")));
    let living = living_over(bench, Arc::new(identity_of), Arc::new(identity_named)).await;
    let run = living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!((&run["state"], &run["proposed"]), (&json!("done"), &json!(4)), "{run}");
    living.json(&["confirm", "customer/1", "user/anna%403"]).await;
    living
}

/// The users' table anew, with columns of these types and this expression.
fn users_anew(login: &str, last_seen_on: &str, initial: &str) -> String {
    format!(
        "DROP VIEW candidates; DROP VIEW quiet; DROP TRIGGER farewell;
         CREATE TABLE anew (login {login} PRIMARY KEY NOT NULL, last_seen_on {last_seen_on}, initial TEXT AS ({initial}));
         INSERT INTO anew SELECT login, last_seen_on FROM users; DROP TABLE users; ALTER TABLE anew RENAME TO users;
         CREATE VIEW quiet AS SELECT login FROM users WHERE login NOT IN (SELECT login FROM logins);
         CREATE VIEW candidates AS SELECT login FROM quiet;
         CREATE TRIGGER farewell BEFORE DELETE ON users BEGIN SELECT 1; END"
    )
}

/// The table that the view looks into anew, with a column of this type.
fn logins_anew(login: &str) -> String {
    format!(
        "DROP VIEW candidates; DROP VIEW quiet; ALTER TABLE logins RENAME TO old; CREATE TABLE logins (login {login});
         CREATE VIEW quiet AS SELECT login FROM users WHERE login NOT IN (SELECT login FROM logins);
         CREATE VIEW candidates AS SELECT login FROM quiet"
    )
}

#[tokio::test]
async fn what_a_category_relies_on_stops_it_when_it_has_changed() {
    let same = "substr(login, 1, 1)";
    for (sql, why) in [
        (users_anew("TEXT", "INTEGER", same), "the type of last_seen_on of users was TEXT and is INTEGER"),
        (users_anew("TEXT COLLATE NOCASE", "TEXT", same), "the collation of login of users was BINARY and is NOCASE"),
        (users_anew("TEXT", "TEXT", "login"), "initial of users is computed by another expression"),
        (
            "DROP VIEW quiet; CREATE VIEW quiet AS SELECT login FROM users".to_owned(),
            "the view quiet does not read what it did",
        ),
        (
            "DROP VIEW quiet; CREATE TABLE quiet AS SELECT login FROM users".to_owned(),
            "quiet was a view and is a table",
        ),
        (
            "DROP TRIGGER farewell; CREATE TRIGGER farewell BEFORE DELETE ON users BEGIN SELECT 2; END".to_owned(),
            "the trigger farewell does not do what it did",
        ),
        (logins_anew("INT NOT NULL"), "the type of login of logins was TEXT and is INT"),
        // One NULL among them, and nobody is due any more.
        (logins_anew("TEXT"), "login of logins refused NULL and takes it"),
    ] {
        let living = relying().await;
        living.bench.sql(&sql).await;
        let hint = "if the settings still mean what they should, accept it: erasurectl schema accept user";
        let (run, told) = living.erased_in_part().await;
        assert!(told.ends_with(&format!("user: the schema has changed: {why}; {hint}")), "{sql}: {told}");
        assert_eq!((&run["deleted"], &run["left"]), (&json!(1), &json!(1)), "{sql}: the customer goes");
        assert_eq!(living.json(&["show", "user/anna%403"]).await["state"], "confirmed");
        let gate = &living.category_status("user").await["gate"];
        assert_eq!((&gate["findings"][0]["message"], &gate["findings"][0]["hint"]), (&json!(why), &json!(hint)));
        assert_eq!(living.category_status("customer").await["gate"], Value::Null);
    }
}

#[tokio::test]
async fn what_it_does_not_rely_on_and_what_is_written_otherwise_stops_nothing() {
    for sql in [
        "DROP TRIGGER unrelated; CREATE TRIGGER unrelated AFTER INSERT ON logins BEGIN SELECT 2; END".to_owned(),
        "DROP VIEW quiet; CREATE VIEW quiet AS select \"login\"
         from Users /* all */ where login not in (select login from logins)"
            .to_owned(),
        "ALTER TABLE logins DROP COLUMN note; ALTER TABLE logins ADD COLUMN level TEXT".to_owned(),
        users_anew("text", "TEXT", "substr(login,1,1)"),
        "CREATE VIEW more AS SELECT * FROM users; CREATE INDEX seen ON users (last_seen_on); ANALYZE".to_owned(),
    ] {
        let living = relying().await;
        living.bench.sql(&sql).await;
        let run = living.json(&["run", "erase", "--wait"]).await;
        assert_eq!((&run["state"], &run["deleted"]), (&json!("done"), &json!(2)), "{sql}: {run}");
    }
}

impl Living {
    /// The entries of the trail about gates, the oldest first: kind, actor, summary.
    async fn gate_entries(&self) -> Vec<String> {
        let entries = self.json(&["audit", "list"]).await["items"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let about = entries.iter().rev().filter(|entry| entry["kind"].as_str().unwrap().starts_with("schema_"));
        about.map(|entry| format!("{}: {}", text(&entry["kind"]), text(&entry["summary"]))).collect()
    }

    async fn gate_of(&self, category: &str) -> Value {
        let gates = self.json(&["schema"]).await;
        gates["categories"].as_array().unwrap().iter().find(|of| of["category"] == category).unwrap().clone()
    }
}

const OTHER_VIEW: &str = "DROP VIEW quiet; CREATE VIEW quiet AS SELECT login FROM users";

#[tokio::test]
async fn what_has_changed_is_accepted_by_what_was_seen() {
    let living = relying().await;
    living.bench.sql(OTHER_VIEW).await;
    let seen = living.gate_of("user").await;
    assert_eq!(seen["gate"]["since"], Value::Null, "no run has met it yet");
    living.erased_in_part().await;
    let dry = living.ctl(&["run", "erase", "--dry-run", "--wait"]).await;
    assert_eq!(dry.exit, Exit::Refused, "{}", dry.err);
    living.erased_in_part().await;
    let closed = living.gate_of("user").await;
    assert!(closed["gate"]["since"].is_string(), "{closed}");
    let digest = closed["gate"]["digest"].as_str().unwrap().to_owned();

    living.bench.sql(&format!("{OTHER_VIEW} WHERE login <> 'nobody'")).await;
    let stale = living.ctl(&["schema", "accept", "user", "--digest", &digest]).await;
    assert_eq!(stale.exit, Exit::Conflict, "{}", stale.err);
    assert!(stale.err.contains("it is not the change that was looked at"), "{}", stale.err);
    assert!(!living.gate_of("user").await["gate"].is_null(), "nothing was accepted");

    let accepted = living.ctl(&["schema", "accept", "user"]).await;
    assert_eq!(accepted.exit, Exit::Done, "{}", accepted.err);
    assert_eq!(accepted.err, "the view quiet does not read what it did\n");
    assert_eq!(living.gate_of("user").await["gate"], Value::Null);
    let again = living.ctl(&["schema", "accept", "user"]).await;
    assert_eq!(again.exit, Exit::Conflict, "{}", again.err);
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["state"], &run["deleted"]), (&json!("done"), &json!(1)), "{run}");
    let hint = "if the settings still mean what they should, accept it: erasurectl schema accept user";
    let view = "the view quiet does not read what it did";
    assert_eq!(
        living.gate_entries().await,
        [
            "schema_noted: the schema was noted as it is, for customer, user".to_owned(),
            format!("schema_gate_closed: user was stopped: the schema has changed: {view}; {hint}"),
            format!("schema_accepted: the changed schema was accepted for user: {view}"),
        ]
    );
}

/// The source is read before the state is held: what was read is accepted only if nothing has changed since.
#[tokio::test]
async fn an_acceptance_that_is_overtaken_changes_nothing() {
    let living = relying().await;
    living.bench.sql(OTHER_VIEW).await;
    let seen = living.gate_of("user").await;
    let (user, digest) = ("user".parse().unwrap(), seen["gate"]["digest"].as_str().unwrap());
    let leave = me_who_may(Permission::Configure);
    let accept = || living.desk.accept_schema(&leave, "r", &user, digest);
    // As soon as so many hold the settings they were read; what comes after that waits for the state.
    let read = async |settings: &Arc<Settings>, holders: usize| {
        while Arc::strong_count(settings) < holders {
            tokio::task::yield_now().await;
        }
    };

    let (settings, turn) = (living.settings.in_force(), living.store.turn().await);
    let others = Arc::strong_count(&settings);
    let (accepted, ()) = tokio::join!(accept(), async {
        read(&settings, others + 1).await;
        living.settings.post(Arc::new(living.bench.settings()), &[]);
        drop(turn);
    });
    assert!(matches!(accepted, Err(GateError::Overtaken)), "{accepted:?}");
    assert!(!living.gate_of("user").await["gate"].is_null());

    let (settings, turn) = (living.settings.in_force(), living.store.turn().await);
    let others = Arc::strong_count(&settings);
    let (one, other, ()) = tokio::join!(accept(), accept(), async {
        read(&settings, others + 2).await;
        drop(turn);
    });
    let overtaken = [&one, &other].into_iter().filter(|done| matches!(done, Err(GateError::Overtaken))).count();
    assert_eq!((overtaken, one.is_ok() || other.is_ok()), (1, true), "{one:?}, {other:?}");
    assert_eq!(living.entries("schema_accepted").await.len(), 1);
}

#[tokio::test]
async fn what_the_settings_do_not_fit_is_not_accepted_but_classified() {
    let living = Living::confirmed().await;
    living.bench.sql("ALTER TABLE customers ADD COLUMN nickname TEXT").await;
    living.erased_in_part().await;
    let gate = living.gate_of("customer").await;
    assert_eq!(
        (&gate["gate"]["digest"], &gate["gate"]["findings"][0]["file"]),
        (&Value::Null, &json!("categories/customer.toml"))
    );
    let said = living.ctl(&["schema", "accept", "customer", "--digest", "00"]).await;
    assert_eq!(said.exit, Exit::Conflict, "{}", said.err);
    assert!(said.err.contains("column nickname of customers is not classified"), "{}", said.err);
    let toml = CUSTOMER.replace("[erase.anonymise]\n", "[erase.anonymise]\nnickname = \"null\"\n");
    living.bench.category("customer", &toml);
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["state"], &run["deleted"]), (&json!("done"), &json!(1)), "{run}");
    let entries = living.gate_entries().await;
    let kinds: Vec<&str> = entries.iter().filter_map(|entry| entry.split(": ").next()).collect();
    assert_eq!(kinds, ["schema_noted", "schema_gate_closed", "schema_noted", "schema_gate_opened"], "{entries:?}");
    assert!(entries[3].ends_with("customer fits its schema again"), "{entries:?}");
}

#[tokio::test]
async fn a_view_that_changes_between_two_batches_stops_its_category() {
    let living = relying().await;
    living
        .bench
        .sql(
            "WITH RECURSIVE numbers (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1299)
             INSERT INTO users SELECT 'user' || n, '2019-01-01' FROM numbers",
        )
        .await;
    living.json(&["run", "prepare", "--wait"]).await;
    let records: Vec<String> = (1000..1300).map(|id| format!("user/user{id}")).collect();
    for some in records.chunks(100) {
        let mut words = vec!["confirm", "--yes-confirm", "100"];
        words.extend(some.iter().map(String::as_str));
        living.json(&words).await;
    }
    living.json(&["run", "erase", "--wait", "--dry-run"]).await;
    living.json(&["restore", "customer/1"]).await;
    let run = living.run_while("erase", OTHER_VIEW).await;
    let told = run["problem"]["detail"].as_str().unwrap();
    assert!(told.contains("user: the schema has changed: the view quiet does not read what it did"), "{told}");
    assert_eq!((&run["deleted"], &run["left"]), (&json!(FIRST_BATCH), &json!(301 - FIRST_BATCH)), "{run}");
}

/// Two columns, each of which names a person, and orders that refer to one of them.
fn people([id, no, person]: [&str; 3]) -> String {
    format!(
        "CREATE TABLE people (id INTEGER {id}, no INTEGER {no}, name TEXT, last_on TEXT);
         CREATE TABLE buys (id INTEGER PRIMARY KEY, person INTEGER {person}, what TEXT);
         INSERT INTO people VALUES (100, 200, 'Maier', '2019-01-01'), (200, 100, 'Huber', '2019-01-01');
         INSERT INTO buys VALUES (1, 100, 'of Maier'), (2, 200, 'of Huber')"
    )
}

const PERSON: &str = "table = \"people\"\nidentity = [\"name\"]\n
    [[criterion]]\nname = \"old\"\nsince = \"last_on\"\nperiod = \"3 years\"\n
    [erase]\nkeep = [\"id\", \"no\"]\n[erase.anonymise]\nname = \"null\"\nlast_on = \"null\"\n
    [[dependent]]\ntable = \"buys\"\ncolumn = \"person\"\nrule = \"delete\"\n
    [brake]\nshare = \"100 %\"\n";

/// The schema is rebuilt with the same columns, of which another names the person: what is confirmed waits until somebody
/// has looked, and no order of somebody else's goes.
#[tokio::test]
async fn another_column_that_names_a_person_stops_its_category() {
    let key = "the key of people was id and is no; with key = [\"id\"] it stays the same";
    let moved = "person of buys referred to id of people and refers to no";
    let same = format!("{moved}; with references = [\"id\"] it stays the same");
    let (id, no) = ("REFERENCES people (id)", "REFERENCES people (no)");
    for (was, is, why, last) in [
        (["PRIMARY KEY", "UNIQUE", ""], ["UNIQUE", "PRIMARY KEY", ""], format!("{key}; {HINT} (and 1 more)"), same),
        (["PRIMARY KEY", "UNIQUE", id], ["PRIMARY KEY", "UNIQUE", no], format!("{moved}; {HINT}"), moved.to_owned()),
    ] {
        let bench = Bench::with_sql(&people(was)).await;
        bench.category("person", PERSON);
        let living = living_over(bench, Arc::new(identity_of), Arc::new(identity_named)).await;
        living.json(&["run", "prepare", "--wait"]).await;
        living.json(&["confirm", "person/200"]).await;
        let rebuilt = format!("DROP TABLE buys; DROP TABLE people; {}", people(is));
        living.bench.sql(&rebuilt).await;
        let before = living.bench.dump().await;
        let said = living.ctl(&["run", "prepare", "--wait", "--json"]).await.json();
        assert_eq!((&said["state"], &said["withdrawn"], &said["proposed"]), (&json!("partly"), &json!(0), &json!(0)));
        let (_, told) = living.erased_in_part().await;
        assert!(told.ends_with(&format!("person: the schema has changed: {why}")), "{told}");
        assert_eq!(living.bench.dump().await, before, "{why}");
        let findings = living.category_status("person").await["gate"]["findings"].to_string();
        assert!(findings.contains(&json!(last).to_string()), "{findings}");

        let is_declared = was[2] == id;
        if is_declared {
            living.json(&["schema", "accept", "person"]).await;
        } else {
            living.bench.category("person", &PERSON.replace("identity =", "key = [\"id\"]\nidentity ="));
            living.settings.post(Arc::new(living.bench.settings()), &[]);
        }
        let run = living.json(&["run", "erase", "--wait"]).await;
        assert_eq!((&run["state"], &run["deleted"]), (&json!("done"), &json!(1)), "{run}");
        let left = if is_declared { "'of Huber'" } else { "'of Maier'" };
        assert_eq!(living.bench.rows("SELECT what FROM buys").await, [left], "by what was said of the schema");
    }
}

const HINT: &str = "if the settings still mean what they should, accept it: erasurectl schema accept person";
