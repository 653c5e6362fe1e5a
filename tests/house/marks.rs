//! Marks, four eyes, cooling-off, shells: decisions beyond those that a criterion asks for.

use erasured::actor::{Asker, Authorised, Grant, Identity, Permission, Reach, authorise};
use erasured::desk::{DecisionFault, DeskError, MoveError, Target, Wish};

use super::*;

/// What the four categories of these tests have in common, with lines at the top and behind.
pub(crate) fn customer(top: &str, behind: &str) -> String {
    format!("{top}\n{CUSTOMER}{behind}")
}

pub(crate) const APPLICATION: &str = "[manual]\nwhere = \"deleted_on IS NOT NULL\"\nauto_confirm = true\n";

impl Living {
    /// The settings are read again with this file of the category `customer`.
    fn with_customer(&self, top: &str, behind: &str) {
        self.bench.category("customer", &customer(top, behind));
        self.settings.post(Arc::new(self.bench.settings()), &[]);
    }

    pub(crate) async fn state_of(&self, record: &str) -> String {
        let shown = self.json(&["show", record]).await;
        let reason = shown["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{} as {}{reason}", shown["state"].as_str().unwrap(), shown["origin"].as_str().unwrap())
    }

    pub(crate) async fn erase(&self) -> Value {
        self.json(&["run", "erase", "--wait"]).await
    }

    pub(crate) async fn prepare(&self) -> Value {
        self.json(&["run", "prepare", "--wait"]).await
    }
}

/// Leave for somebody who is not whoever runs the tests.
fn somebody(uid: u32, name: &str, permission: Permission) -> Authorised {
    let identity = Identity { uid, user: name.to_owned(), groups: Default::default() };
    let grant = Grant {
        users: [name.to_owned()].into(),
        groups: Default::default(),
        permissions: [permission].into(),
        reach: Reach::default(),
    };
    authorise(&Asker::alone(identity), permission, &[grant], jiff::civil::date(2026, 11, 21), 0).unwrap()
}

fn target(record: &str) -> [Target; 1] {
    [Target { record: record.parse().unwrap(), version: None }]
}

pub(crate) async fn column_deleted_on(living: &Living) {
    living.bench.sql("ALTER TABLE customers ADD COLUMN deleted_on TEXT").await;
}

#[tokio::test]
async fn a_clerk_marks_whom_no_criterion_asks_for() {
    let living = Living::prepared().await;
    let marked = living.json(&["mark", "customer/4", "--reason", "asked by letter"]).await;
    assert_eq!((&marked["state"], &marked["blocked"]), (&json!("proposed"), &json!([])));
    assert_eq!(living.state_of("customer/4").await, "proposed as clerk");
    let again = living.ctl(&["mark", "customer/4", "--reason", "asked by letter"]).await;
    assert_eq!((again.exit, again.out.as_str()), (Exit::Conflict, ""));
    assert!(
        again.err.contains("cannot mark customer/4: there is a proposal for it already: proposed"),
        "{}",
        again.err
    );
    // Prepare finds no criterion that is met, and leaves it alone: it was asked for.
    assert_eq!(living.prepare().await["withdrawn"], 0);
    living.json(&["confirm", "customer/4"]).await;
    let run = living.erase().await;
    assert_eq!(run["deleted"], 1);
    assert!(living.bench.rows("SELECT id FROM customers WHERE id = 4").await.is_empty());
    let shown = living.json(&["show", "customer/4"]).await;
    let history: Vec<&str> =
        shown["history"].as_array().unwrap().iter().map(|step| step["to"].as_str().unwrap()).collect();
    assert_eq!(history, ["proposed", "confirmed", "erased"]);
    assert_eq!(shown["history"][0]["reason"], "marked by hand: asked by letter");
    assert_eq!((&shown["history"][1]["run"], &shown["history"][2]["run"]), (&Value::Null, &run["id"]), "{run}");
    let trail = living.json(&["audit", "list", "--record", "customer/4"]).await;
    assert!(trail.to_string().contains("1 record marked: asked by letter"), "{trail}");
    let gone = living.ctl(&["mark", "customer/4", "--reason", "asked by letter"]).await;
    assert_eq!(gone.exit, Exit::NoSuchRecord, "{}", gone.err);
}

#[tokio::test]
async fn a_mark_that_is_taken_back_is_withdrawn() {
    let living = Living::prepared().await;
    for confirmed in [false, true] {
        living.json(&["mark", "customer/4", "--reason", "asked by letter"]).await;
        if confirmed {
            living.json(&["confirm", "customer/4"]).await;
        }
        living.json(&["restore", "customer/4"]).await;
        assert_eq!(living.state_of("customer/4").await, "withdrawn as clerk: the mark was taken back");
    }
    assert_eq!(living.erase().await["deleted"], 0);
}

#[tokio::test]
async fn another_person_under_a_marked_key_is_left_alone() {
    let living = Living::prepared().await;
    living.json(&["mark", "customer/4", "--reason", "asked by letter"]).await;
    living.json(&["confirm", "customer/4"]).await;
    living.bench.sql("UPDATE customers SET last_name = 'Moser' WHERE id = 4").await;
    let run = living.erase().await;
    assert_eq!((&run["deleted"], &run["withdrawn"]), (&json!(0), &json!(1)));
    assert_eq!(living.state_of("customer/4").await, "withdrawn as clerk: another person has been given the key");
}

#[tokio::test]
async fn what_is_kept_by_law_is_kept_from_a_mark_too() {
    let living = Living::prepared().await;
    let invoices = "[[dependent]]\ntable = \"invoices\"\ncolumn = \"customer_id\"\nrule = \"keep\"\nkeep = [\"billed_on\"]\n\
                    since = \"billed_on\"\nperiod = \"7 years\"\n";
    living.bench.sql("CREATE TABLE invoices (id INTEGER PRIMARY KEY, customer_id INTEGER, billed_on TEXT)").await;
    living.bench.sql("INSERT INTO invoices VALUES (1, 4, '2024-05-01')").await;
    living.with_customer("", invoices);
    let marked = living.json(&["mark", "customer/4", "--reason", "asked by letter"]).await;
    assert_eq!(marked["blocked"], json!([{ "until": "2031-05-02", "reason": "it stays until 2031-05-01: invoices" }]));
    assert_eq!(living.json(&["show", "customer/4"]).await["blocked"], marked["blocked"]);
    living.json(&["confirm", "customer/4"]).await;
    assert_eq!(living.erase().await["returned"], 1);
    let why = "proposed as clerk: it cannot be erased yet: it stays until 2031-05-01: invoices";
    assert_eq!(living.state_of("customer/4").await, why);
}

#[tokio::test]
async fn the_applications_mark_is_confirmed_at_once_and_never_again() {
    let living = Living::prepared().await;
    column_deleted_on(&living).await;
    let behind = CUSTOMER.replace("last_contact_on = \"null\"", "last_contact_on = \"null\"\ndeleted_on = \"null\"");
    living.bench.category("customer", &format!("{behind}{APPLICATION}"));
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.bench.sql("UPDATE customers SET deleted_on = '2026-11-20' WHERE id = 4").await;
    let plan = living.json(&["run", "prepare", "--dry-run", "--wait"]).await;
    assert_eq!(plan["proposed"], 1);
    assert_eq!(living.prepare().await["proposed"], 1);
    assert_eq!(living.state_of("customer/4").await, "confirmed as application");
    let listed = living.json(&["list", "--state", "confirmed"]).await;
    assert_eq!(
        (&listed["items"][0]["record"], &listed["items"][0]["confirmations"]),
        (&json!("customer/4"), &json!(0))
    );
    // Restorable until the final job; then it is there as proposed, and stays so.
    living.json(&["restore", "customer/4"]).await;
    assert_eq!(living.state_of("customer/4").await, "proposed as application");
    living.prepare().await;
    assert_eq!(living.state_of("customer/4").await, "proposed as application");
    // Not even when the application takes its mark back and sets it anew.
    living.bench.sql("UPDATE customers SET deleted_on = NULL WHERE id = 4").await;
    assert_eq!(living.prepare().await["withdrawn"], 1);
    let why = "withdrawn as application: no longer due: the application's mark is gone";
    assert_eq!(living.state_of("customer/4").await, why);
    living.bench.sql("UPDATE customers SET deleted_on = '2026-11-21' WHERE id = 4").await;
    living.prepare().await;
    assert_eq!(living.state_of("customer/4").await, "proposed as application");
    // Somebody else's mark is confirmed at once.
    living.bench.sql("INSERT INTO customers VALUES (8, 'Lang', '2026-10-01', '2026-11-21')").await;
    living.prepare().await;
    assert_eq!(living.state_of("customer/8").await, "confirmed as application");
    assert_eq!(living.erase().await["deleted"], 1);
    assert!(living.bench.rows("SELECT id FROM customers WHERE id = 8").await.is_empty());
    // So is a clerk's.
    assert_eq!(living.json(&["mark", "customer/5", "--reason", "asked by letter"]).await["state"], "confirmed");
    assert_eq!(living.erase().await["deleted"], 1);
}

#[tokio::test]
async fn two_different_people_have_to_confirm() {
    let living = Living::prepared().await;
    living.with_customer("decisions = 2", "");
    let (vera, otto) = (somebody(2001, "vera", Permission::Decide), somebody(2002, "otto", Permission::Decide));
    let confirm = |who: Authorised| {
        let desk = living.desk.clone();
        async move { desk.decide(&who, "r", Wish::Confirm, &target("customer/1")).await }
    };
    assert_eq!(confirm(vera.clone()).await.unwrap()[0].state.as_str(), "proposed");
    assert_eq!(living.json(&["show", "customer/1"]).await["confirmations"], 1);
    let Err(DeskError::Refused(failures)) = confirm(vera.clone()).await else { panic!("twice by the same person") };
    assert_eq!(failures[0].fault, DecisionFault::Rule(MoveError::SamePerson));
    assert_eq!(living.erase().await["deleted"], 0, "one of two is none");
    // What was confirmed so far is taken back as a whole.
    living.json(&["restore", "customer/1"]).await;
    assert_eq!(confirm(otto.clone()).await.unwrap()[0].state.as_str(), "proposed");
    assert_eq!(confirm(vera).await.unwrap()[0].state.as_str(), "confirmed");
    assert_eq!(living.json(&["show", "customer/1"]).await["confirmations"], 2);
    assert_eq!(living.erase().await["deleted"], 1);
    let trail = living.json(&["audit", "list", "--record", "customer/1"]).await;
    let kinds: Vec<&str> =
        trail["items"].as_array().unwrap().iter().rev().map(|e| e["kind"].as_str().unwrap()).collect();
    let expected =
        ["proposed", "first_confirmed", "restored", "first_confirmed", "confirmed", "batch_intent", "erased"];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn who_gives_the_first_of_two_confirmations_is_told_so() {
    const WAITS: &str = "waits for a second person";
    let living = Living::prepared().await;
    living.with_customer("decisions = 2", "");
    let said = living.ctl(&["confirm", "customer/1", "customer/2", "user/anna%403"]).await;
    let remark = "first of two confirmations: another person has to confirm it too";
    assert_eq!(said.out.matches(remark).count(), 2, "{}", said.out);
    assert_eq!(said.err, "1 done, 2 wait for a second person\n");
    let listed = living.ctl(&["list"]).await.out;
    let waiting: Vec<&str> = listed.lines().filter(|line| line.ends_with(WAITS)).collect();
    assert!(
        matches!(waiting[..], [one, two] if one.contains("customer/1 ") && two.contains("customer/2 ")),
        "{listed}"
    );
    let shown = async |record: &str| {
        let shown = living.ctl(&["show", record]).await.out;
        shown.lines().find_map(|line| line.strip_prefix("confirmations")).map(|given| given.trim().to_owned())
    };
    assert_eq!(shown("customer/1").await.as_deref(), Some("1 of 2"));
    assert_eq!(shown("customer/3").await.as_deref(), Some("0 of 2"));
    assert_eq!(shown("user/anna%403").await.as_deref(), Some("1"));
    let otto = somebody(2002, "otto", Permission::Decide);
    living.desk.decide(&otto, "r", Wish::Confirm, &target("customer/1")).await.unwrap();
    assert_eq!(shown("customer/1").await.as_deref(), Some("2 of 2"));
    // What is taken back has been confirmed by nobody, and is not said to wait for a second.
    let restored = living.json(&["restore", "customer/2"]).await;
    assert_eq!((&restored["await_second"], &restored["answers"][0]["blocked"]), (&json!(0), &Value::Null));
    assert!(!living.ctl(&["list"]).await.out.contains(WAITS));
    // All that is left, as a set.
    let set = ["--category", "customer", "--state", "proposed"];
    let digest = living.json(&[["list"].as_slice(), &set, &["--digest"]].concat()).await;
    let digest = digest["digest"].as_str().unwrap().to_owned();
    let all = [["confirm", "--all", "--digest", &digest, "--yes-confirm", "2"].as_slice(), &set].concat();
    assert_eq!(living.ctl(&all).await.err, "2 wait for a second person\n");
}

#[tokio::test]
async fn who_confirmed_alone_before_two_were_asked_for_is_not_enough() {
    let living = Living::prepared().await;
    living.json(&["confirm", "customer/1"]).await;
    living.with_customer("decisions = 2", "");
    assert_eq!(living.json(&["run", "erase", "--dry-run", "--wait"]).await["returned"], 1);
    assert_eq!(living.erase().await["returned"], 1);
    let why = "proposed as criterion: two different people have to confirm it by now, and one has";
    assert_eq!(living.state_of("customer/1").await, why);
}

#[tokio::test]
async fn a_confirmation_has_to_wait() {
    let living = Living::prepared().await;
    living.with_customer("cooling_off = \"7 days\"", "");
    let confirmed = living.json(&["confirm", "customer/1", "user/anna%403"]).await;
    let blocked = json!([{ "until": "2026-11-29", "reason": "a confirmation has to wait for 7 days" }]);
    assert_eq!(confirmed["answers"][0]["blocked"], blocked);
    assert_eq!((&confirmed["cooling_off"], &confirmed["answers"][1]["blocked"]), (&json!(1), &Value::Null));
    living.json(&["restore", "user/anna%403"]).await;
    assert_eq!(living.json(&["show", "customer/1"]).await["blocked"], blocked);
    for at in ["2026-11-21T09:00:00Z", "2026-11-28T08:59:59Z"] {
        living.clock.advance_to(at.parse().unwrap());
        for words in [["run", "erase", "--wait", "--dry-run"].as_slice(), &["run", "erase", "--wait"]] {
            let run = living.json(words).await;
            assert_eq!((&run["deleted"], &run["cooling_off"], &run["left"]), (&json!(0), &json!(1), &json!(0)), "{at}");
        }
    }
    living.clock.advance_to("2026-11-28T09:00:00Z".parse().unwrap());
    assert_eq!(living.json(&["show", "customer/1"]).await["blocked"], json!([]));
    let run = living.erase().await;
    assert_eq!((&run["deleted"], &run["cooling_off"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn who_confirms_a_set_or_marks_is_told_of_the_wait() {
    let living = Living::prepared().await;
    living.with_customer("cooling_off = \"7 days\"", "[manual]\nauto_confirm = true\n");
    let digest = living.json(&["list", "--digest"]).await;
    let digest = digest["digest"].as_str().unwrap().to_owned();
    let said = living.ctl(&["confirm", "--all", "--digest", &digest, "--yes-confirm", "4"]).await;
    assert_eq!(said.err, "4 done\nof these, 3 in cooling-off: not erased before it is over\n");
    let marked = living.json(&["mark", "customer/4", "--reason", "asked by letter"]).await;
    let blocked = json!([{ "until": "2026-11-29", "reason": "a confirmation has to wait for 7 days" }]);
    assert_eq!((&marked["state"], &marked["blocked"]), (&json!("confirmed"), &blocked));
}

#[tokio::test]
async fn a_shell_goes_when_nothing_keeps_it_any_more() {
    let living = Living::prepared().await;
    let remove = CUSTOMER.replace("[erase.anonymise]", "[erase]\nremove_shells = true\n[erase.anonymise]");
    living.bench.category("customer", &remove);
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.json(&["confirm", "customer/2"]).await;
    assert_eq!(living.erase().await["anonymised"], 1);
    assert_eq!(living.erase().await["deleted"], 0, "its orders keep it");
    let again = living.ctl(&["mark", "customer/2", "--reason", "asked by letter"]).await;
    assert!(again.err.contains("cannot mark customer/2: it is anonymised already"), "{}", again.err);
    living.bench.sql("DELETE FROM orders").await;
    // It must be the one that was anonymised, and nobody else under its key.
    living.bench.sql("UPDATE customers SET last_name = 'Moser' WHERE id = 2").await;
    assert_eq!(living.erase().await["shells"], 0);
    living.bench.sql("UPDATE customers SET last_name = NULL WHERE id = 2").await;
    for words in [["run", "erase", "--wait", "--dry-run"].as_slice(), &["run", "erase", "--wait"]] {
        let run = living.json(words).await;
        assert_eq!((&run["deleted"], &run["shells"], &run["anonymised"]), (&json!(1), &json!(1), &json!(0)));
    }
    assert!(living.bench.rows("SELECT id FROM customers WHERE id = 2").await.is_empty());
    assert_eq!(living.state_of("customer/2").await, "erased as shell");
    assert_eq!(living.erase().await["shells"], 0);
}

#[tokio::test]
async fn two_people_and_nobody_contradict_each_other() {
    let bench = Bench::new();
    bench.category("customer", &customer("decisions = 2", "[manual]\nauto_confirm = true\n"));
    let faults = erasured::config::load(bench.dir.path()).unwrap_err();
    assert!(common::rendered(&faults).contains("contradict each other"), "{}", common::rendered(&faults));
}

#[tokio::test]
async fn what_cannot_be_read_is_not_told_as_a_conflict() {
    let living = Living::prepared().await;
    living.bench.sql("ALTER TABLE customers ADD COLUMN nickname TEXT").await;
    let said = living.ctl(&["mark", "customer/4", "--reason", "asked by letter", "--json"]).await;
    assert_eq!(said.exit, Exit::Refused, "{}{}", said.out, said.err);
    assert!(
        format!("{}{}", said.out, said.err).contains("cannot mark a record of customer"),
        "{}{}",
        said.out,
        said.err
    );
}

#[tokio::test]
async fn somebody_whom_nothing_tells_from_others_is_neither_proposed_nor_marked() {
    let living = living().await;
    living.bench.sql("INSERT INTO customers VALUES (7, NULL, '2019-01-01'), (8, '', '2019-01-01')").await;
    let run = living.prepare().await;
    assert_eq!(run["proposed"], 4, "three customers and a user: {run}");
    let told = "customer: 2 records have nothing in the columns that make it the same person, and cannot be proposed";
    assert!(run["notes"].as_array().unwrap().contains(&json!(told)), "{run}");
    let said = living.ctl(&["mark", "customer/7", "--reason", "request"]).await;
    assert_ne!(said.exit, Exit::Done, "{}", said.err);
    assert!(said.err.contains("nothing stands in the columns that make it the same person"), "{}", said.err);
}
