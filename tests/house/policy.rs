//! Changing rules while the daemon runs, by two people who are not the same.

use erasured::actor::{Asker, Authorised, Grant, Identity, Permission, Reach, authorise};
use erasured::desk::{RuleError, RuleOutcome, RuleWish};

use super::*;

const PERIOD: &str = "customer.inactive.period";

fn may(user: &str, uid: u32) -> Authorised {
    let grant = Grant {
        users: [user.to_owned()].into(),
        groups: Default::default(),
        permissions: [Permission::Configure].into(),
        reach: Reach::default(),
    };
    let identity = Identity { uid, user: user.to_owned(), groups: Default::default() };
    authorise(&Asker::alone(identity), Permission::Configure, &[grant], jiff::civil::date(2026, 11, 21), 0).unwrap()
}

fn vera() -> Authorised {
    may("vera", 1001)
}

fn otto() -> Authorised {
    may("otto", 1002)
}

fn set(value: &str) -> RuleWish {
    RuleWish::Set(value.to_owned())
}

impl Living {
    async fn wish_for(&self, who: &Authorised, name: &str, wish: RuleWish) -> Result<RuleOutcome, RuleError> {
        self.desk.change_rule(who, "request", name, &wish).await.map(|(outcome, _)| outcome)
    }

    async fn refused_rule(&self, who: &Authorised, name: &str, wish: RuleWish) -> String {
        self.wish_for(who, name, wish).await.unwrap_err().to_string()
    }

    /// How a rule stands, as the client is told.
    async fn rule_of(&self, name: &str) -> Value {
        let policy = self.json(&["policy", "list"]).await;
        policy["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == name).cloned().unwrap_or(Value::Null)
    }

    async fn value_of(&self, name: &str) -> (Value, Value) {
        let rule = self.rule_of(name).await;
        (rule["value"].clone(), rule["file"].clone())
    }

    async fn rule_kinds(&self) -> Vec<String> {
        let trail = self.store.audit_after(0, 1_000).await.unwrap();
        trail.into_iter().map(|entry| entry.kind).filter(|kind| kind.starts_with("rule_")).collect()
    }

    /// What the files say now, taken up as a reload does.
    async fn take_up_files(&self) -> Vec<String> {
        let asides = self.settings.take_up(&self.store, self.bench.settings(), "digest".into()).await.unwrap();
        asides.into_iter().map(|aside| format!("{}: {}", aside.name, aside.why)).collect()
    }
}

#[tokio::test]
async fn what_tightens_holds_at_once_and_what_was_confirmed_before_comes_back() {
    let living = Living::prepared().await;
    living.json(&["confirm", "customer/1"]).await;
    let version = living.json(&["show", "customer/1"]).await["rule_version"].clone();
    assert_eq!(living.wish_for(&vera(), PERIOD, set("P4Y")).await.unwrap(), RuleOutcome::Holds);
    let rule = living.rule_of(PERIOD).await;
    assert_eq!((&rule["value"], &rule["file"]), (&json!("4 years"), &json!("3 years")));
    assert_eq!((&rule["set"]["by"], &rule["set"]["approved_by"]), (&json!("vera"), &Value::Null));
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["deleted"], &run["returned"]), (&json!(0), &json!(1)), "{run}");
    let back = living.json(&["show", "customer/1"]).await;
    assert_eq!(back["state"], "proposed");
    assert!(back["reason"].as_str().unwrap().contains("reworded"), "{back}");
    assert_ne!(back["rule_version"], version);
    let policy = living.json(&["policy"]).await;
    assert_eq!(policy["categories"][0]["criteria"][0]["version"], back["rule_version"]);
    // Confirmed under the rule as it is now, it goes.
    living.json(&["confirm", "customer/1"]).await;
    assert_eq!(living.json(&["run", "erase", "--wait"]).await["deleted"], 1);
}

#[tokio::test]
async fn what_loosens_waits_for_somebody_else() {
    let living = Living::prepared().await;
    living.bench.sql("INSERT INTO customers VALUES (6, 'Moser', '2024-06-01')").await;
    assert_eq!(living.wish_for(&vera(), PERIOD, set("2 years")).await.unwrap(), RuleOutcome::Waits);
    assert_eq!(living.value_of(PERIOD).await, (json!("3 years"), json!("3 years")));
    let waiting = living.rule_of(PERIOD).await["waiting"].clone();
    assert_eq!((&waiting["value"], &waiting["by"]), (&json!("2 years"), &json!("vera")));
    living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!(living.ctl(&["show", "customer/6"]).await.exit, Exit::NoSuchRecord);

    let change = waiting["change"].as_u64().unwrap();
    let told = [
        living.refused_rule(&vera(), PERIOD, RuleWish::Approve(None)).await,
        living.refused_rule(&otto(), PERIOD, RuleWish::Approve(Some(change + 1))).await,
        living.refused_rule(&otto(), "user.unseen.period", RuleWish::Approve(None)).await,
        living.refused_rule(&otto(), PERIOD, RuleWish::Unset).await,
    ];
    assert_eq!(
        told,
        [
            "vera has asked for it, and a second person has to approve it".to_owned(),
            format!("change {} no longer waits there; change {change} does", change + 1),
            "nothing waits there for a second person".to_owned(),
            "nobody has set it: the file's value holds".to_owned(),
        ]
    );
    assert_eq!(living.wish_for(&otto(), PERIOD, RuleWish::Approve(Some(change))).await.unwrap(), RuleOutcome::Holds);
    let rule = living.rule_of(PERIOD).await;
    assert_eq!((&rule["value"], &rule["waiting"]), (&json!("2 years"), &Value::Null));
    assert_eq!((&rule["set"]["by"], &rule["set"]["approved_by"]), (&json!("vera"), &json!("otto")));
    living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!(living.json(&["show", "customer/6"]).await["state"], "proposed");

    // Back to the file is tighter here, and needs nobody else.
    assert_eq!(living.wish_for(&vera(), PERIOD, RuleWish::Unset).await.unwrap(), RuleOutcome::Holds);
    assert_eq!(living.value_of(PERIOD).await, (json!("3 years"), json!("3 years")));
    assert_eq!(living.rule_kinds().await, ["rule_change_asked", "rule_change_approved", "rule_changed"]);
    assert_eq!(living.json(&["audit", "verify"]).await["intact"], true);
}

#[tokio::test]
async fn back_to_a_looser_file_waits_and_what_waits_can_be_dropped() {
    let living = Living::prepared().await;
    living.wish_for(&vera(), PERIOD, set("5 years")).await.unwrap();
    assert_eq!(living.refused_rule(&vera(), PERIOD, set("P5Y")).await, "it is 5 years already");
    assert_eq!(living.wish_for(&otto(), PERIOD, RuleWish::Unset).await.unwrap(), RuleOutcome::Waits);
    assert_eq!(living.rule_of(PERIOD).await["waiting"]["value"], Value::Null);
    assert!(living.refused_rule(&otto(), PERIOD, RuleWish::Approve(None)).await.starts_with("otto has asked"));
    // Whoever has asked may think better of it.
    assert_eq!(living.wish_for(&otto(), PERIOD, RuleWish::Reject(None)).await.unwrap(), RuleOutcome::Dropped);
    assert_eq!(living.value_of(PERIOD).await.0, "5 years");
    // Another wish takes the place of the one that waits, whose approval is then refused.
    living.wish_for(&vera(), PERIOD, set("4 years")).await.unwrap();
    let first = living.rule_of(PERIOD).await["waiting"]["change"].as_u64().unwrap();
    living.wish_for(&vera(), PERIOD, set("1 day")).await.unwrap();
    assert!(living.refused_rule(&otto(), PERIOD, RuleWish::Approve(Some(first))).await.contains("no longer waits"));
    living.wish_for(&otto(), PERIOD, RuleWish::Unset).await.unwrap();
    assert_eq!(living.wish_for(&vera(), PERIOD, RuleWish::Approve(None)).await.unwrap(), RuleOutcome::Holds);
    let rule = living.rule_of(PERIOD).await;
    assert_eq!((&rule["value"], &rule["set"], &rule["waiting"]), (&json!("3 years"), &Value::Null, &Value::Null));
}

#[tokio::test]
async fn every_rule_can_be_changed_and_is_shown_beside_its_file() {
    let living = Living::prepared().await;
    for (name, value, waits) in [
        ("customer.inactive.enabled", "false", false),
        ("customer.auto_confirm", "true", true),
        ("customer.cooling_off", "1 week", false),
        ("customer.decisions", "2", false),
        ("customer.label", "{last_name:.1}.", false),
    ] {
        let outcome = living.wish_for(&vera(), name, set(value)).await.unwrap();
        assert_eq!(outcome, if waits { RuleOutcome::Waits } else { RuleOutcome::Holds }, "{name}");
    }
    let policy = living.json(&["policy", "list"]).await;
    let told: Vec<String> = policy["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            format!("{}: {} ({}), waits: {}", rule["name"], rule["value"], rule["file"], rule["waiting"]["value"])
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
    let shown = living.json(&["list", "--category", "customer"]).await;
    assert_eq!(shown["items"][0]["label"], "M.");
    let [customer, _] = &living.settings.in_force().categories.values().cloned().collect::<Vec<_>>()[..] else {
        panic!("there are two categories")
    };
    assert_eq!((customer.decisions, customer.manual.auto_confirm), (2, false));
    // The criterion makes nobody due any more; whom to take for the same person is not changed by the label.
    let run = living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!(run["withdrawn"], 3, "{run}");
    assert_eq!(living.json(&["show", "customer/1"]).await["reason"], "no longer due: no criterion is met");
}

#[tokio::test]
async fn further_decisions_and_cooling_off_hold_from_then_on() {
    let living = Living::prepared().await;
    living.json(&["confirm", "customer/1"]).await;
    living.wish_for(&vera(), "customer.decisions", set("2")).await.unwrap();
    living.wish_for(&vera(), "user.cooling_off", set("7 days")).await.unwrap();
    living.json(&["confirm", "customer/3", "user/anna%403"]).await;
    assert_eq!(living.json(&["show", "customer/3"]).await["state"], "proposed", "one of two");
    assert_eq!(living.json(&["show", "user/anna%403"]).await["state"], "confirmed");
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["deleted"], &run["returned"], &run["cooling_off"]), (&json!(0), &json!(1), &json!(1)), "{run}");
    assert_eq!(living.bench.rows("SELECT count(*) FROM users").await, ["1"]);
    assert_eq!(living.json(&["show", "customer/1"]).await["state"], "proposed", "one person was enough then");
    // As soon as somebody else agrees to it, it is none again, and the user goes.
    living.wish_for(&vera(), "user.cooling_off", RuleWish::Unset).await.unwrap();
    living.json(&["run", "erase", "--wait"]).await;
    assert_eq!(living.bench.rows("SELECT count(*) FROM users").await, ["1"]);
    living.wish_for(&otto(), "user.cooling_off", RuleWish::Approve(None)).await.unwrap();
    living.json(&["run", "erase", "--wait"]).await;
    assert_eq!(living.bench.rows("SELECT count(*) FROM users").await, ["0"]);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_as_the_files_are() {
    let living = Living::prepared().await;
    let mut told = Vec::new();
    for (name, value) in [
        (PERIOD, "4 yaers"),
        ("customer.inactiv.period", "4 years"),
        ("customer.inactive.where", "1"),
        ("customer.label", "{lastname}"),
        ("customer.decisions", "3"),
        ("nothing.decisions", "2"),
    ] {
        let said = living.ctl(&["policy", "set", name, value]).await;
        told.push(format!("{:?}: {}", said.exit, said.err));
    }
    insta::assert_snapshot!(told.concat());
    assert_eq!(living.rule_kinds().await, Vec::<String>::new(), "nothing has been written down");
    // A source that cannot be read says nothing about its schema.
    std::fs::remove_file(living.bench.database()).unwrap();
    let said = living.ctl(&["policy", "set", PERIOD, "4 years"]).await;
    assert!(said.err.contains("the source cannot be read"), "{}", said.err);
}

#[tokio::test]
async fn a_category_that_stopped_before_can_still_be_tightened() {
    let living = Living::prepared().await;
    living.bench.sql("ALTER TABLE customers ADD COLUMN phone TEXT").await;
    assert_eq!(living.wish_for(&vera(), PERIOD, set("4 years")).await.unwrap(), RuleOutcome::Holds);
}

#[tokio::test]
async fn a_change_that_no_longer_fits_the_files_is_set_aside_and_told() {
    let living = Living::prepared().await;
    living.wish_for(&vera(), PERIOD, set("4 years")).await.unwrap();
    living.wish_for(&vera(), "user.unseen.period", set("6 months")).await.unwrap();
    living.wish_for(&otto(), "user.unseen.period", RuleWish::Approve(None)).await.unwrap();
    living.wish_for(&vera(), "user.decisions", set("2")).await.unwrap();
    // The files as they were: everything holds.
    assert_eq!(living.take_up_files().await, Vec::<String>::new());
    assert_eq!(living.value_of(PERIOD).await.0, "4 years");
    // The file has become stricter than what vera alone has set; what two people have agreed on stands.
    living.bench.category("customer", &CUSTOMER.replace("3 years", "5 years"));
    living.bench.category("user", &USER.replace("1 year", "2 years"));
    assert_eq!(
        living.take_up_files().await,
        ["customer.inactive.period: the file now says 5 years, and 4 years would loosen that: a second person must \
          approve it"]
    );
    assert_eq!(living.value_of(PERIOD).await, (json!("5 years"), json!("5 years")));
    assert_eq!(living.value_of("user.unseen.period").await, (json!("6 months"), json!("2 years")));
    let said = living.ctl(&["policy", "list"]).await;
    assert!(said.err.contains("customer.inactive.period 4 years, set by vera, is set aside"), "{}", said.err);
    assert!(living.refused_rule(&vera(), PERIOD, RuleWish::Approve(None)).await.starts_with("vera has asked"));
    living.wish_for(&otto(), PERIOD, RuleWish::Approve(None)).await.unwrap();
    assert_eq!(living.value_of(PERIOD).await, (json!("4 years"), json!("5 years")));
    assert_eq!(living.take_up_files().await, Vec::<String>::new());
    // The criterion is gone, then the category.
    living.bench.category("customer", &CUSTOMER.replace("inactive", "silent"));
    std::fs::remove_file(living.bench.dir.path().join("categories/user.toml")).unwrap();
    assert_eq!(
        living.take_up_files().await,
        [
            "customer.inactive.period: customer has no criterion \"inactive\"",
            "user.decisions: there is no category user",
            "user.unseen.period: there is no category user",
        ]
    );
    let rule = living.rule_of(PERIOD).await;
    assert_eq!(
        (&rule["value"], &rule["set"]["aside"]),
        (&Value::Null, &json!("customer has no criterion \"inactive\""))
    );
    let trail = living.store.audit_after(0, 1_000).await.unwrap();
    let loaded: Vec<&str> = trail.iter().filter(|e| e.kind == "settings_loaded").map(|e| e.details.as_str()).collect();
    insta::assert_snapshot!(loaded.join("\n"));
    // It comes back with the criterion, and can be dropped while it leads nowhere.
    assert_eq!(living.wish_for(&vera(), "user.decisions", RuleWish::Unset).await.unwrap(), RuleOutcome::Holds);
    living.bench.category("customer", CUSTOMER);
    assert_eq!(living.take_up_files().await, ["user.unseen.period: there is no category user"]);
    assert_eq!(living.value_of(PERIOD).await.0, "4 years");
}

#[tokio::test]
async fn rules_survive_the_state_being_opened_again() {
    let living = Living::prepared().await;
    living.wish_for(&vera(), PERIOD, set("4 years")).await.unwrap();
    living.wish_for(&vera(), "customer.auto_confirm", set("true")).await.unwrap();
    let again = Board::new(living.bench.settings());
    assert_eq!(again.take_up(&living.store, living.bench.settings(), "digest".into()).await.unwrap(), []);
    let customer = again.in_force().categories[&"customer".parse().unwrap()].clone();
    assert_eq!(customer.criteria[0].since.as_ref().unwrap().period.value.to_string(), "4 years");
    assert!(!customer.manual.auto_confirm, "what waits does not hold");
    assert_eq!(living.settings.in_force().categories[&customer.name].criteria[0].version, customer.criteria[0].version);
}

#[tokio::test]
async fn without_the_permission_nothing_is_changed_and_out_of_sight_is_not_there() {
    let living = Living::prepared().await;
    living.grant("permissions = [\"view\"]\ncategories = [\"user\"]");
    assert_eq!(living.ctl(&["policy", "set", PERIOD, "4 years"]).await.exit, Exit::NotPermitted);
    let policy = living.json(&["policy", "list"]).await;
    let names: Vec<_> = policy["rules"].as_array().unwrap().iter().map(|rule| rule["name"].as_str().unwrap()).collect();
    // Reasons are everybody's.
    let theirs = |name: &&str| name.starts_with("user.") || name.starts_with("reasons.");
    assert!(names.iter().all(theirs), "{names:?}");
    let narrow = Grant {
        users: ["vera".to_owned()].into(),
        groups: Default::default(),
        permissions: [Permission::Configure].into(),
        reach: Reach { categories: Some(["user".parse().unwrap()].into()), ..Reach::default() },
    };
    let identity = Identity { uid: 1001, user: "vera".into(), groups: Default::default() };
    let vera = authorise(&Asker::alone(identity), Permission::Configure, &[narrow], jiff::civil::date(2026, 11, 21), 0)
        .unwrap();
    let there = living.refused_rule(&vera, "customer.decisions", set("2")).await;
    let nowhere = living.refused_rule(&vera, "nothing.decisions", set("2")).await;
    assert_eq!(there, nowhere.replace("nothing", "customer"));
    let reason = living.wish_for(&vera, "reasons.hold.lawsuit", set("a lawsuit")).await;
    assert_eq!(reason.unwrap(), RuleOutcome::Holds);
}

#[tokio::test]
async fn standard_reasons_are_added_worded_otherwise_and_left_out() {
    const REASONS: &str = "[reasons.postpone]\nfree_text = false\nguarantee = \"the guarantee runs\"\n";
    const LAWSUIT: &str = "reasons.postpone.lawsuit";
    let living = Living::prepared().await;
    let top = living.bench.dir.path().join("erasured.toml");
    let without = std::fs::read_to_string(&top).unwrap();
    std::fs::write(&top, format!("{without}\n{REASONS}")).unwrap();
    living.take_up_files().await;
    let postpone = ["postpone", "customer/1", "--until", "2027-06-30", "--reason", "lawsuit"];
    let refused = living.ctl(&postpone).await;
    assert!(refused.err.contains("none of the standard reasons"), "{}", refused.err);

    // It holds at once, and comes behind what the file has.
    let value = "{ en = \"a lawsuit is pending\", de = \"ein Verfahren läuft\" }";
    assert_eq!(living.wish_for(&vera(), LAWSUIT, set(value)).await.unwrap(), RuleOutcome::Holds);
    let in_order = "{ de = \"ein Verfahren läuft\", en = \"a lawsuit is pending\" }";
    assert_eq!(living.value_of(LAWSUIT).await, (json!(in_order), json!("none")));
    assert_eq!(living.rule_of(LAWSUIT).await["set"]["by"], "vera");
    let offered = living.ctl(&["reasons"]).await.out;
    living.json(&postpone).await;
    let shown = living.json(&["show", "customer/1"]).await;
    assert_eq!(shown["reason"], "a lawsuit is pending");

    // What the loader would refuse is refused, going back to the file included.
    let mut told = Vec::new();
    for (name, wish) in [
        ("reasons.postpone.court", set("A lawsuit is pending")),
        ("reasons.postpone.lawsiut", set("none")),
        ("reasons.postpone.lawsiut", RuleWish::Unset),
        (LAWSUIT, RuleWish::Approve(None)),
        ("reasons.erase.free_text", set("false")),
        ("reasons.prospone.lawsuit", set("a lawsuit")),
    ] {
        told.push(living.refused_rule(&vera(), name, wish).await);
    }
    living.wish_for(&otto(), "reasons.postpone.guarantee", set("none")).await.unwrap();
    told.push(living.refused_rule(&vera(), LAWSUIT, RuleWish::Unset).await);
    living.wish_for(&vera(), "reasons.postpone.runs", set("the guarantee runs")).await.unwrap();
    told.push(living.refused_rule(&vera(), "reasons.postpone.guarantee", RuleWish::Unset).await);
    let now = living.ctl(&["reasons"]).await.out;
    insta::assert_snapshot!([offered, now, told.join("\n")].join("\n"));

    // Across a restart, and over other files: what does not fit them is set aside.
    let again = Board::new(living.bench.settings());
    assert_eq!(again.take_up(&living.store, living.bench.settings(), "digest".into()).await.unwrap(), []);
    assert_eq!(again.in_force().reasons, living.settings.in_force().reasons);
    std::fs::write(&top, format!("{without}\n{REASONS}court = \"a lawsuit is pending\"\n")).unwrap();
    let aside = "reasons.postpone.lawsuit: the reasons \"lawsuit\" and \"court\" read the same";
    assert_eq!(living.take_up_files().await, [aside]);
    assert_eq!(living.value_of(LAWSUIT).await.0, "none");
    assert_eq!(living.json(&["show", "customer/1"]).await["reason"], "lawsuit", "by its name");
    std::fs::write(&top, format!("{without}\n{REASONS}")).unwrap();
    assert_eq!(living.take_up_files().await, Vec::<String>::new());

    // Left out again: it cannot be said any more, and what was said with it keeps its name.
    assert_eq!(living.wish_for(&otto(), LAWSUIT, RuleWish::Unset).await.unwrap(), RuleOutcome::Holds);
    assert_eq!(living.rule_of(LAWSUIT).await, Value::Null);
    let refused = living.ctl(&["postpone", "customer/2", "--until", "2027-06-30", "--reason", "lawsuit"]).await;
    assert!(refused.err.contains("none of the standard reasons"), "{}", refused.err);
    assert_eq!(living.rule_kinds().await, ["rule_changed"; 4]);
    assert_eq!(living.json(&["audit", "verify"]).await["intact"], true);
}
