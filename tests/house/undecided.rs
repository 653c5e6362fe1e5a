//! What might decide about somebody without anybody having decided: keys written otherwise, shells that are none any more,
//! marks whose confirmation was taken back.

use super::marks::{APPLICATION, column_deleted_on, customer};
use super::*;

/// The file of the category `customer` with shells removed, and with lines at the top and behind.
fn removing(top: &str, behind: &str) -> String {
    customer(top, behind).replace("[erase.anonymise]", "[erase]\nremove_shells = true\n[erase.anonymise]")
}

impl Living {
    fn with_file(&self, file: &str) {
        self.bench.category("customer", file);
        self.settings.post(Arc::new(self.bench.settings()), &[]);
    }

    /// A house in which customer 2 is anonymised, and nothing keeps the row any more.
    async fn with_a_shell(file: &str) -> Self {
        let living = Self::prepared().await;
        living.json(&["confirm", "customer/2"]).await;
        assert_eq!(living.erase().await["anonymised"], 1);
        living.with_file(file);
        living.bench.sql("DELETE FROM orders").await;
        living
    }

    /// The same with the shell proposed and confirmed by the rule, and waiting.
    async fn with_a_shell_that_waits() -> Self {
        let living = Self::with_a_shell(&removing("cooling_off = \"7 days\"", "")).await;
        living.clock.advance_to("2026-11-29T09:00:00Z".parse().unwrap());
        living.erase().await;
        assert_eq!(living.state_of("customer/2").await, "confirmed as shell");
        living.with_file(&removing("", ""));
        living
    }

    /// What a dry run and then a run say of these counts.
    async fn both(&self, counts: &[&str]) -> [Vec<Value>; 2] {
        let dry = self.json(&["run", "erase", "--dry-run", "--wait"]).await;
        let run = self.erase().await;
        [dry, run].map(|run| counts.iter().map(|count| run[*count].clone()).collect())
    }
}

/// The application's mark counts, and is confirmed at once.
async fn with_applications_marks() -> Living {
    let living = Living::prepared().await;
    column_deleted_on(&living).await;
    let file = CUSTOMER.replace("last_contact_on = \"null\"", "last_contact_on = \"null\"\ndeleted_on = \"null\"");
    living.with_file(&format!("{file}{APPLICATION}"));
    living
}

#[tokio::test]
async fn a_record_has_one_key_however_it_is_written() {
    let living = Living::prepared().await;
    for key in ["customer/04", "customer/%34", "customer/4.0", "customer/+4"] {
        let marked = living.ctl(&["mark", key, "--reason", "asked by letter"]).await;
        assert_eq!(marked.exit, Exit::NoSuchRecord, "{key}: {}{}", marked.out, marked.err);
        let held = living.ctl(&["hold", key, "--reason", "a lawsuit", "--reference", "A 1"]).await;
        assert_eq!(held.exit, Exit::NoSuchRecord, "{key}: {}{}", held.out, held.err);
    }
}

#[tokio::test]
async fn a_shell_is_kept_by_a_young_dependent_that_would_go_with_it() {
    let contracts = "[[dependent]]\ntable = \"contracts\"\ncolumn = \"customer_id\"\nrule = \"delete\"\n\
                     since = \"signed_on\"\nperiod = \"7 years\"\n";
    let living = Living::prepared().await;
    living.bench.sql("CREATE TABLE contracts (id INTEGER PRIMARY KEY, customer_id INTEGER, signed_on TEXT)").await;
    living.with_file(&removing("", contracts));
    living.json(&["confirm", "customer/2"]).await;
    assert_eq!(living.erase().await["anonymised"], 1);
    living.bench.sql("DELETE FROM orders; INSERT INTO contracts VALUES (1, 2, '2026-11-20')").await;
    let [dry, run] = living.both(&["deleted", "shells"]).await;
    assert_eq!((dry, run), (vec![json!(0), json!(0)], vec![json!(0), json!(0)]));
    assert_eq!(living.bench.rows("SELECT id FROM contracts").await, ["1"]);
}

#[tokio::test]
async fn a_row_that_has_been_filled_again_is_no_shell() {
    let living = Living::with_a_shell(&removing("", "")).await;
    // Somebody without a name yet, and the application has given the key away again.
    living.bench.sql("DELETE FROM customers WHERE id = 2; INSERT INTO customers VALUES (2, NULL, '2026-11-20')").await;
    let [dry, run] = living.both(&["deleted", "shells"]).await;
    assert_eq!((dry, run), (vec![json!(0), json!(0)], vec![json!(0), json!(0)]));
    assert_eq!(living.bench.rows("SELECT id FROM customers WHERE id = 2").await, ["2"]);
}

#[tokio::test]
async fn a_shell_that_waited_is_looked_at_as_if_it_were_new() {
    let removing = removing("", "");
    for (later, sql) in [
        // The category does not ask for it any more.
        (CUSTOMER, "UPDATE orders SET id = 1"),
        // It is in use again.
        (&removing, "UPDATE customers SET last_contact_on = '2026-11-20' WHERE id = 2"),
        // Something keeps it again.
        (&removing, "INSERT INTO orders VALUES (12, 2, 'x')"),
    ] {
        let living = Living::with_a_shell_that_waits().await;
        living.with_file(later);
        living.bench.sql(sql).await;
        let [dry, run] = living.both(&["deleted", "anonymised", "shells", "withdrawn", "left"]).await;
        assert_eq!(dry, run, "{sql}");
        assert_eq!(run, [json!(0), json!(0), json!(0), json!(1), json!(0)], "{sql}");
        assert_eq!(living.bench.rows("SELECT id FROM customers WHERE id = 2").await, ["2"]);
    }
}

#[tokio::test]
async fn a_dry_run_says_of_shells_what_the_run_does() {
    let counts = ["deleted", "shells", "cooling_off", "left"];
    // One that is new, beside one that is confirmed and waits.
    let living = Living::with_a_shell(&removing("cooling_off = \"7 days\"", "")).await;
    living.json(&["confirm", "customer/1"]).await;
    let [dry, run] = living.both(&counts).await;
    assert_eq!(
        (dry, run),
        (vec![json!(0), json!(0), json!(2), json!(0)], vec![json!(0), json!(0), json!(2), json!(0)])
    );
    // One that waited.
    living.with_file(&removing("", ""));
    living.json(&["hold", "customer/1", "--reason", "a lawsuit", "--reference", "A 1"]).await;
    let [dry, run] = living.both(&counts).await;
    assert_eq!(
        (dry, run),
        (vec![json!(1), json!(1), json!(0), json!(1)], vec![json!(1), json!(1), json!(0), json!(1)])
    );
    // One that is new, beside one that is held.
    let living = Living::with_a_shell(&removing("", "")).await;
    living.json(&["confirm", "customer/1"]).await;
    living.json(&["hold", "customer/1", "--reason", "a lawsuit", "--reference", "A 1"]).await;
    let [dry, run] = living.both(&counts).await;
    assert_eq!(
        (dry, run),
        (vec![json!(1), json!(1), json!(0), json!(1)], vec![json!(1), json!(1), json!(0), json!(1)])
    );
}

#[tokio::test]
async fn a_shell_that_a_clerk_has_taken_back_is_not_confirmed_again() {
    let living = Living::with_a_shell_that_waits().await;
    living.json(&["restore", "customer/2"]).await;
    assert_eq!(living.state_of("customer/2").await, "withdrawn as shell: the mark was taken back");
    let [dry, run] = living.both(&["deleted", "shells"]).await;
    assert_eq!((dry, run), (vec![json!(0), json!(0)], vec![json!(0), json!(0)]));
    assert_eq!(living.bench.rows("SELECT id FROM customers WHERE id = 2").await, ["2"]);
}

#[tokio::test]
async fn what_a_clerk_has_stopped_is_not_confirmed_by_a_rule_because_the_row_has_changed() {
    for postponed in [false, true] {
        let living = with_applications_marks().await;
        living.bench.sql("UPDATE customers SET deleted_on = '2026-11-20' WHERE id = 4").await;
        living.prepare().await;
        assert_eq!(living.state_of("customer/4").await, "confirmed as application");
        if postponed {
            living.json(&["postpone", "customer/4", "--until", "2027-06-01", "--reason", "a lawsuit"]).await;
            living.bench.sql("UPDATE customers SET deleted_on = NULL WHERE id = 4").await;
            assert_eq!(living.prepare().await["withdrawn"], 1);
            living.bench.sql("UPDATE customers SET deleted_on = '2026-11-21' WHERE id = 4").await;
        } else {
            living.json(&["restore", "customer/4"]).await;
            // The name is spelt otherwise now: to the daemon this is somebody else.
            living.bench.sql("UPDATE customers SET last_name = 'Baur' WHERE id = 4").await;
        }
        let dry = living.json(&["run", "prepare", "--dry-run", "--wait"]).await;
        let run = living.prepare().await;
        assert_eq!(dry["proposed"], run["proposed"]);
        assert_eq!(living.state_of("customer/4").await, "proposed as application", "{postponed}");
        assert_eq!(living.erase().await["deleted"], 0);
    }
}

#[tokio::test]
async fn a_rule_that_confirms_nobody_any_more_has_confirmed_nobody() {
    let living = with_applications_marks().await;
    living.bench.sql("UPDATE customers SET deleted_on = '2026-11-20' WHERE id = 4").await;
    living.prepare().await;
    let file = CUSTOMER.replace("last_contact_on = \"null\"", "last_contact_on = \"null\"\ndeleted_on = \"null\"");
    living.with_file(&format!("{file}{}", APPLICATION.replace("true", "false")));
    let [dry, run] = living.both(&["deleted", "returned"]).await;
    assert_eq!((dry, run), (vec![json!(0), json!(1)], vec![json!(0), json!(1)]));
}

#[tokio::test]
async fn a_mark_is_not_lost_because_people_are_told_apart_otherwise() {
    let living = Living::prepared().await;
    living.json(&["mark", "customer/4", "--reason", "asked by letter"]).await;
    living.json(&["postpone", "customer/1", "--until", "2027-06-01", "--reason", "a lawsuit"]).await;
    living
        .with_file(&CUSTOMER.replace("identity = [\"last_name\"]", "identity = [\"last_name\", \"last_contact_on\"]"));
    living.prepare().await;
    assert_eq!(living.state_of("customer/4").await, "proposed as clerk");
    assert_eq!(living.state_of("customer/1").await, "postponed as criterion: a lawsuit");
    // Whether it is the same person nobody can tell: a clerk looks again.
    living.json(&["confirm", "customer/4"]).await;
    let [dry, run] = living.both(&["deleted", "returned"]).await;
    assert_eq!((dry, run), (vec![json!(0), json!(1)], vec![json!(0), json!(1)]));
    living.json(&["confirm", "customer/4"]).await;
    assert_eq!(living.erase().await["deleted"], 1);
}
