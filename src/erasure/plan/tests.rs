use super::*;
use crate::record::IdentityVersion;

/// Of whoever has this name, taken over these columns.
fn fingerprint(columns: &str, name: &str) -> Fingerprint {
    let (key, columns) = (FingerprintKey::from_secret([1; 32]), IdentityVersion::of(&[columns.into()]));
    key.fingerprint(
        &"person".parse().unwrap(),
        &RecordKey::from_text("7"),
        &columns,
        &[crate::record::Value::text(name)],
    )
}

/// What is ruled about what was decided of Huber, now that this is found and no criterion is met.
fn ruled(claim: &Claim, found: Fingerprint, retained: Option<NotDue>) -> String {
    let verdict = Verdict::NotDue(retained.clone().unwrap_or(NotDue::NoCondition));
    let now = Examined::Found { fingerprint: found, identity_is_blank: false, unit: None, verdict, retained };
    match rule(claim, now) {
        Ruling::Erase(fresh) => format!("erased: {}", fresh.origin.code()),
        Ruling::Withdraw(reason) => format!("withdrawn: {reason}"),
        Ruling::Return(reason, _) => format!("returned: {reason}"),
    }
}

#[test]
fn who_is_there_by_now_decides_by_what_was_asked_for() {
    let criterion = Origin::Criterion { name: "left".into(), version: "0a".into(), due_on: None };
    let application = Origin::Application { version: "0b".into() };
    let mut table = String::new();
    for origin in [Origin::Clerk, Origin::Shell, criterion, application] {
        let (proposal, key, fingerprint_then) =
            (ProposalId(1), RecordKey::from_text("7"), fingerprint("name", "Huber"));
        let claim = Claim { proposal, key, origin, lacks: None, unwanted: None, fingerprint: fingerprint_then };
        let kept = NotDue::Retained { dependent: "orders".into(), until: None };
        let lacking = Claim { lacks: Some(ReturnReason::NeedsSecond), ..claim.clone() };
        let unwanted = Claim { unwanted: Some("not asked for"), ..claim.clone() };
        let same = || fingerprint("name", "Huber");
        for (what, ruling) in [
            ("the same", ruled(&claim, same(), None)),
            ("somebody else", ruled(&claim, fingerprint("name", "Maier"), None)),
            ("cannot be told", ruled(&claim, fingerprint("full_name", "Huber"), None)),
            ("kept", ruled(&claim, same(), Some(kept))),
            ("a second lacks", ruled(&lacking, same(), None)),
            ("unwanted", ruled(&unwanted, same(), None)),
        ] {
            table += &format!("{}, {what}: {ruling}\n", claim.origin.code());
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn rows_are_counted_by_what_happens_to_them() {
    let dependent = |rule, deleted, changed, left, shared| DependentPlan {
        name: String::new(),
        rule,
        keeps: false,
        deleted,
        changed,
        left,
        shared,
    };
    let dependents = vec![
        dependent(Rule::Delete, 2, 3, 5, 4),
        dependent(Rule::Keep, 0, 10, 20, 0),
        dependent(Rule::Unlink, 100, 200, 300, 50),
    ];
    let planned = PlannedRecord { key: RecordKey::from_text("7"), outcome: Outcome::Deleted, dependents, after: None };
    let counts = DependentCounts { deleted: 102, anonymised: 13, unlinked: 200, kept: 271, shared_kept: 54 };
    assert_eq!(planned.counts(), counts);
}
