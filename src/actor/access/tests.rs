use super::*;
use crate::record::CategoryName;

const TODAY: Date = jiff::civil::date(2026, 11, 21);
const VIEW: Permission = Permission::View;

fn identity(uid: u32, user: &str, groups: &[&str]) -> Identity {
    Identity { uid, user: user.into(), groups: groups.iter().map(ToString::to_string).collect() }
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn grant(users: &[&str], groups: &[&str], permission: Permission, categories: &[&str]) -> Grant {
    let categories: Option<BTreeSet<CategoryName>> =
        (!categories.is_empty()).then(|| categories.iter().map(|name| name.parse().unwrap()).collect());
    Grant {
        users: set(users),
        groups: set(groups),
        permissions: BTreeSet::from([permission]),
        reach: Reach { categories, ..Reach::default() },
    }
}

fn within(units: &[&str], mut grant: Grant) -> Grant {
    grant.reach.units = Some(set(units));
    grant
}

fn record(text: &str) -> RecordRef {
    text.parse().unwrap()
}

fn allowed(asker: &Asker, permission: Permission, grants: &[Grant]) -> Option<Scope> {
    authorise(asker, permission, grants, TODAY, 990).ok().map(|leave| leave.scope().clone())
}

#[test]
fn without_a_grant_only_root_and_the_daemon_itself() {
    for (uid, is_allowed) in [(0, true), (990, true), (1000, false)] {
        let answer = allowed(&Asker::alone(identity(uid, "somebody", &[])), VIEW, &[]);
        assert_eq!(answer.is_some(), is_allowed, "uid {uid}");
    }
}

#[test]
fn with_a_grant_root_has_only_what_grants_give() {
    let grants = [grant(&["vera"], &[], VIEW, &[])];
    assert!(allowed(&Asker::alone(identity(0, "root", &["root"])), VIEW, &grants).is_none());
    assert!(allowed(&Asker::alone(identity(7, "vera", &[])), VIEW, &grants).is_some());
    assert!(allowed(&Asker::alone(identity(7, "vera", &[])), Permission::Decide, &grants).is_none());
}

#[test]
fn grants_add_up() {
    let grants = [
        grant(&["vera"], &[], VIEW, &["member"]),
        grant(&[], &["privacy"], VIEW, &["prospect"]),
        grant(&[], &["boss"], VIEW, &[]),
    ];
    let scope = |groups: &[&str]| allowed(&Asker::alone(identity(7, "vera", groups)), VIEW, &grants).unwrap();
    let (member, prospect) = ("member".parse().unwrap(), "prospect".parse().unwrap());
    assert!(scope(&[]).sees(&member) && !scope(&[]).sees(&prospect));
    assert!(scope(&["privacy"]).sees(&member) && scope(&["privacy"]).sees(&prospect));
    assert!(scope(&["boss"]).is_everything() && !scope(&["privacy"]).is_everything());
    assert!(scope(&[]).sees_all_of(&member) && !scope(&[]).sees_all_of(&prospect));
}

#[test]
fn single_records_add_to_units_and_a_denial_beats_all() {
    let graz = Reach { units: Some(set(&["graz"])), ..Reach::default() };
    let given = SingleRecord { record: record("member/7"), digest: [7; 32] };
    let mut scope = Scope { reaches: vec![graz], records: BTreeSet::from([given]), ..Scope::default() };
    let covers = |scope: &Scope, text, unit, digest| scope.covers(&record(text), unit, &[digest; 32]);
    assert!(covers(&scope, "member/1", Some("graz"), 1));
    assert!(!covers(&scope, "member/1", Some("linz"), 1));
    assert!(!covers(&scope, "member/1", None, 1), "a record without a unit needs a grant without units");
    assert!(covers(&scope, "member/7", Some("linz"), 7));
    assert!(!covers(&scope, "member/7", Some("linz"), 8), "the key was given to another person");
    scope.denied = BTreeSet::from([record("member/7"), record("member/1")]);
    assert!(!covers(&scope, "member/7", Some("linz"), 7));
    assert!(!covers(&scope, "member/1", Some("graz"), 1));
    assert!(covers(&scope, "member/2", Some("graz"), 1));
    let nearly = Scope { denied: scope.denied, ..Scope::everything() };
    assert!(!nearly.is_everything());
    assert!(!nearly.sees_all_of(&"member".parse().unwrap()) && nearly.sees_all_of(&"user".parse().unwrap()));
}

#[test]
fn where_nothing_is_within_no_category_exists() {
    let (member, user) = ("member".parse().unwrap(), "user".parse().unwrap());
    let within_both = |categories: Option<&[&str]>, units: Option<&[&str]>| Reach {
        categories: categories.map(|names| names.iter().map(|name| name.parse().unwrap()).collect()),
        units: units.map(set),
        ..Reach::default()
    };
    assert!(within_both(Some(&["member"]), Some(&["graz"])).sees(&member));
    assert!(!within_both(Some(&["member"]), Some(&["graz"])).sees(&user));
    for nowhere in
        [within_both(None, Some(&[])), within_both(Some(&[]), None), within_both(Some(&["member"]), Some(&[]))]
    {
        assert!(nowhere.is_empty() && !nowhere.sees(&member), "{nowhere:?}");
    }
    let single = SingleRecord { record: record("member/7"), digest: [7; 32] };
    let singly = Scope { records: BTreeSet::from([single]), ..Scope::default() };
    assert!(singly.sees(&member) && !singly.sees(&user));
    assert!(!singly.sees_all_of(&member));
}

#[test]
fn an_exception_keeps_the_sums_of_its_category_alone() {
    let reach = Reach { except: BTreeSet::from([record("member/7")]), ..Reach::default() };
    assert!(!reach.sees_all_of(&"member".parse().unwrap()) && reach.sees_all_of(&"user".parse().unwrap()));
}

#[test]
fn a_unit_is_named_as_a_database_would_hold_it() {
    let longest = "x".repeat(UNIT_MAX_BYTES);
    for unit in ["graz", "Graz Süd", &longest] {
        assert!(is_unit(unit), "{unit:?}");
    }
    for other in ["", " ", " graz", "graz ", "graz\tsüd", "\u{1}", &format!("{longest}x")] {
        assert!(!is_unit(other), "{other:?}");
    }
}

#[test]
fn leave_says_as_of_when_and_one_reach_once() {
    let grants = [grant(&["vera"], &[], VIEW, &["member"]), grant(&[], &["privacy"], VIEW, &["member"])];
    for as_of in [None, Some(7)] {
        let asker = Asker { as_of, ..Asker::alone(identity(7, "vera", &["privacy"])) };
        let leave = authorise(&asker, VIEW, &grants, TODAY, 990).unwrap();
        assert_eq!((leave.as_of(), leave.scope().reaches.len()), (as_of, 1));
    }
}

/// What Vera has of three members and a user, in a word each: whether she may view and decide.
fn has(asker: &Asker, grants: &[Grant]) -> Vec<String> {
    let of = |permission| allowed(asker, permission, grants);
    let (view, decide) = (of(VIEW), of(Permission::Decide));
    [("member/1", Some("graz"), 1), ("member/2", Some("linz"), 2), ("member/3", None, 3), ("user/4", Some("graz"), 4)]
        .into_iter()
        .map(|(text, unit, digest)| {
            let covers = |scope: &Option<Scope>| {
                scope.as_ref().is_some_and(|scope| scope.covers(&record(text), unit, &[digest; 32]))
            };
            let (view, decide) = (covers(&view), covers(&decide));
            match (view, decide) {
                (true, true) => format!("{text} both"),
                (true, false) => format!("{text} view"),
                (false, true) => format!("{text} decide"),
                (false, false) => format!("{text} -"),
            }
        })
        .collect()
}

fn assigned(units: &[&str], records: &[(&str, u8)], denied: &[&str]) -> Assigned {
    let single = |(text, digest): &(&str, u8)| SingleRecord { record: record(text), digest: [*digest; 32] };
    Assigned {
        units: set(units),
        records: records.iter().map(single).collect(),
        denied: denied.iter().map(|text| record(text)).collect(),
    }
}

fn vera(assigned: Assigned) -> Asker {
    Asker { person: Person { identity: identity(7, "vera", &[]), assigned }, represents: Vec::new(), as_of: None }
}

#[test]
fn an_assignment_widens_what_is_granted_and_never_adds_a_permission() {
    let nowhere = [within(&[], grant(&["vera"], &[], VIEW, &["member"]))];
    let nothing = ["member/1 -", "member/2 -", "member/3 -", "user/4 -"];
    let cases: [(&[Grant], Assigned, [&str; 4]); 8] = [
        (&nowhere, assigned(&[], &[], &[]), nothing),
        // Within the grant's categories.
        (&nowhere, assigned(&["graz"], &[], &[]), ["member/1 view", "member/2 -", "member/3 -", "user/4 -"]),
        // A single record is reached whatever its category, as long as it is the same person.
        (&nowhere, assigned(&[], &[("user/4", 4)], &[]), ["member/1 -", "member/2 -", "member/3 -", "user/4 view"]),
        (&nowhere, assigned(&[], &[("user/4", 5)], &[]), nothing),
        (
            &nowhere,
            assigned(&["graz", "linz"], &[("member/3", 3)], &["member/1", "member/3"]),
            ["member/1 -", "member/2 view", "member/3 -", "user/4 -"],
        ),
        // Without any grant of her own there is nothing to widen.
        (&[], assigned(&["graz"], &[("member/3", 3)], &[]), nothing),
        (
            &[grant(&["vera"], &[], VIEW, &[]), within(&["linz"], grant(&["vera"], &[], Permission::Decide, &[]))],
            assigned(&["graz"], &[], &[]),
            ["member/1 both", "member/2 both", "member/3 view", "user/4 both"],
        ),
        (
            &[grant(&["vera"], &[], VIEW, &[])],
            assigned(&[], &[], &["member/2"]),
            ["member/1 view", "member/2 -", "member/3 view", "user/4 view"],
        ),
    ];
    for (number, (grants, assigned, expected)) in cases.into_iter().enumerate() {
        assert_eq!(has(&vera(assigned), grants), expected, "case {number}");
    }
}

#[test]
fn what_cannot_be_limited_cannot_be_widened() {
    let grants = [grant(&["vera"], &[], VIEW, &[]), grant(&["karl"], &[], Permission::Audit, &[])];
    let asker = vera(assigned(&["graz"], &[("member/1", 1)], &[]));
    assert!(allowed(&asker, Permission::Audit, &grants).is_none());
    let grants = [grant(&["vera"], &[], Permission::Audit, &[])];
    assert_eq!(allowed(&asker, Permission::Audit, &grants), Some(Scope::everything()));
}

/// Vera takes Karl's place until that day.
fn for_karl(own: Assigned, of_karl: Assigned, until: Date) -> Asker {
    let karl = Person { identity: identity(8, "karl", &["branches"]), assigned: of_karl };
    Asker { represents: vec![Represented { person: karl, until }], ..vera(own) }
}

#[test]
fn a_stand_in_has_what_the_other_has_for_a_time() {
    let both = |users: &[&str], groups: &[&str], units: &[&str]| {
        [VIEW, Permission::Decide].map(|permission| within(units, grant(users, groups, permission, &[])))
    };
    let none = || assigned(&[], &[], &[]);
    let karls = both(&[], &["branches"], &["linz"]);
    let nothing = ["member/1 -", "member/2 -", "member/3 -", "user/4 -"];
    let linz = ["member/1 -", "member/2 both", "member/3 -", "user/4 -"];
    assert_eq!(has(&vera(none()), &karls), nothing);
    assert_eq!(has(&for_karl(none(), none(), TODAY), &karls), linz, "through the last day");
    assert_eq!(has(&for_karl(none(), none(), TODAY.yesterday().unwrap()), &karls), nothing);
    // Where the other has it, and no further; what is her own stays her own.
    let hers = [karls.as_slice(), &[within(&["graz"], grant(&["vera"], &[], VIEW, &[]))]].concat();
    let both_of_them = ["member/1 view", "member/2 both", "member/3 -", "user/4 view"];
    assert_eq!(has(&for_karl(none(), none(), TODAY), &hers), both_of_them);
    // What was assigned to him passes on, his deny entries with it.
    let his = assigned(&["graz"], &[("member/3", 3)], &["member/1", "member/3"]);
    let expected = ["member/1 view", "member/2 both", "member/3 -", "user/4 both"];
    assert_eq!(has(&for_karl(none(), his, TODAY), &hers), expected, "his deny entries do not bind what is her own");
    let his = assigned(&[], &[("member/1", 1), ("member/3", 3)], &["member/1"]);
    let expected = ["member/1 -", "member/2 both", "member/3 both", "user/4 -"];
    assert_eq!(has(&for_karl(none(), his, TODAY), &karls), expected, "what is left of what was given to him singly");
    // Hers bind her wherever she acts.
    let denied = assigned(&[], &[], &["member/1", "member/2"]);
    assert_eq!(has(&for_karl(denied, none(), TODAY), &hers), ["member/1 -", "member/2 -", "member/3 -", "user/4 view"]);
}

#[test]
fn a_stand_in_is_no_auditor() {
    for permission in Permission::ALL {
        let grants = [grant(&["karl"], &[], permission, &[])];
        let asker = for_karl(Assigned::default(), Assigned::default(), TODAY);
        let passes = allowed(&asker, permission, &grants).is_some();
        assert_eq!(passes, permission.is_by_category(), "{permission}");
    }
}

#[test]
fn every_ground_says_through_what() {
    let grants = [
        grant(&["nobody"], &[], VIEW, &[]),
        within(&["linz"], grant(&["vera"], &[], VIEW, &[])),
        grant(&[], &["branches"], VIEW, &["user"]),
    ];
    let asker = for_karl(assigned(&["graz"], &[("member/3", 3)], &[]), assigned(&[], &[], &["user/4"]), TODAY);
    let grounds = grounds(&asker, VIEW, &grants, TODAY, 990).unwrap();
    let told: Vec<_> = grounds
        .iter()
        .map(|of| {
            (of.through, of.represents.as_ref().map(|(user, _)| user.as_str()), matches!(of.area, Area::Records(_)))
        })
        .collect();
    let expected = [
        (Through::Grant(2), None, false),
        (Through::Assignment, None, false),
        (Through::Assignment, None, true),
        (Through::Grant(3), Some("karl"), false),
    ];
    assert_eq!(told, expected);
}
