//! The permission matrix over the real house: every route × every permission × (in scope, out of scope, denied).

use erasured::actor::Permission;
use erasured::admin::{House, routes};

use super::access::Office;
use super::raw;

/// What a route does with a record that the asker has no access to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// It takes a record, and answers as if it were not there.
    NotThere,
    /// It takes none, and what it answers does not name it.
    Unnamed,
    /// It takes a record and cannot be limited: only what is denied is not there.
    NotThereIfDenied,
    /// It cannot be limited, and is about everything: the trail.
    Whole,
}
use Kept::{NotThere, NotThereIfDenied, Unnamed, Whole};

/// One line for each route: the route, what it needs, what it does with a record out of reach, and a request, about
/// `RECORD` where it takes one.
#[rustfmt::skip]
const MATRIX: &[(&str, Permission, Kept, &str)] = &[
    ("GET /openapi.json",                    Permission::View,      Unnamed,  ""),
    ("GET /v1/status",                       Permission::View,      Unnamed,  ""),
    ("GET /metrics",                         Permission::View,      Unnamed,  ""),
    ("GET /v1/proposals",                    Permission::View,      Unnamed,  ""),
    ("GET /v1/proposals/totals",             Permission::View,      Unnamed,  ""),
    ("GET /v1/proposals/digest",             Permission::Decide,    Unnamed,  ""),
    ("GET /v1/proposals/{category}/{key*}",  Permission::View,      NotThere, ""),
    ("GET /v1/policy",                       Permission::View,      Unnamed,  ""),
    ("POST /v1/confirm",                     Permission::Decide,    NotThere, r#"{"records":[{"record":"RECORD"}]}"#),
    ("POST /v1/postpone",                    Permission::Decide,    NotThere, r#"{"records":[{"record":"RECORD"}],"until":"2027-06-30","reason":"court case"}"#),
    ("POST /v1/restore",                     Permission::Restore,   NotThere, r#"{"records":[{"record":"RECORD"}]}"#),
    ("POST /v1/mark",                        Permission::Mark,      NotThere, r#"{"record":"RECORD","reason":"asked for"}"#),
    ("POST /v1/hold",                        Permission::Hold,      NotThere, r#"{"record":"RECORD","reason":"lawsuit","reference":"3 Cg 17/26"}"#),
    ("POST /v1/release",                     Permission::Hold,      NotThere, r#"{"record":"RECORD","reason":"settled"}"#),
    ("GET /v1/holds",                        Permission::Hold,      Unnamed,  ""),
    ("GET /v1/reasons",                      Permission::View,      Unnamed,  ""),
    ("POST /v1/policy/set",                  Permission::Configure, Unnamed,  r#"{"name":"member.left.period","value":"4 years"}"#),
    ("POST /v1/policy/unset",                Permission::Configure, Unnamed,  r#"{"name":"member.left.period"}"#),
    ("POST /v1/policy/approve",              Permission::Configure, Unnamed,  r#"{"name":"member.left.period"}"#),
    ("POST /v1/policy/reject",               Permission::Configure, Unnamed,  r#"{"name":"member.left.period"}"#),
    ("POST /v1/runs",                        Permission::Run,       Unnamed,  r#"{"job":"prepare","dry_run":true}"#),
    ("GET /v1/runs",                         Permission::Run,       Unnamed,  ""),
    ("GET /v1/runs/{id}",                    Permission::Run,       Unnamed,  ""),
    ("GET /v1/brake",                        Permission::Run,       Unnamed,  ""),
    ("POST /v1/brake/override",              Permission::Brake,     Unnamed,  r#"{"job":"prepare","digest":"1-0","reason":"checked"}"#),
    ("GET /v1/audit",                        Permission::Audit,     Whole,    ""),
    ("GET /v1/audit/export",                 Permission::Audit,     Whole,    ""),
    ("GET /v1/audit/verify",                 Permission::Audit,     Whole,    ""),
    ("GET /v1/audit/checkpoints",            Permission::Audit,     Whole,    ""),
    ("GET /v1/schema",                       Permission::View,      Unnamed,  ""),
    ("POST /v1/schema/accept",               Permission::Configure, Unnamed,  r#"{"category":"member","digest":"00"}"#),
    ("GET /v1/access",                       Permission::Configure, Unnamed,  ""),
    ("GET /v1/access/{user}",                Permission::Configure, Unnamed,  ""),
    ("POST /v1/access",                      Permission::Configure, NotThereIfDenied, r#"{"change":"add-record","user":"nora","record":"RECORD"}"#),
];

/// What a route needs besides: with its first permission alone it is as closed as with none.
const ALSO: [(&str, Permission); 1] = [("POST /v1/brake/override", Permission::Run)];

/// The record of the matrix: in Graz.
const RECORD: &str = "member/1";

/// Where Vera stands towards the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Situation {
    InScope,
    OutOfScope,
    Denied,
}

impl Situation {
    const ALL: [Self; 3] = [Self::InScope, Self::OutOfScope, Self::Denied];

    /// Grants that give Vera this one permission.
    fn grants(self, permission: Permission) -> String {
        let units = match self {
            _ if !permission.is_by_category() => "",
            Self::InScope | Self::Denied => "units = [\"graz\"]",
            Self::OutOfScope => "units = [\"linz\"]",
        };
        format!("users = [\"vera\"]\npermissions = [\"{permission}\"]\n{units}")
    }

    /// Whether Vera has no access to the record, where access is needed as the route is kept.
    fn hides(self, kept: Kept) -> bool {
        match self {
            Self::InScope => false,
            Self::OutOfScope => kept == NotThere,
            Self::Denied => matches!(kept, NotThere | NotThereIfDenied),
        }
    }
}

const OTHERS: &str = "
    [[grant]]\nusers = [\"dora\"]\npermissions = [\"configure\"]\n
    [[grant]]\nusers = [\"olga\"]\npermissions = [\"run\"]\n
    [[grant]]\ngroups = [\"nowhere\"]\npermissions = [\"view\"]\nunits = []\n";

/// An office in which Vera stands so.
async fn office(situation: Situation) -> Office {
    let office = Office::open(OTHERS).await;
    if situation == Situation::Denied {
        office.dora(&["deny", "add", "vera", RECORD, "--asked-by", "her", "--reason", "kin"]).await;
    }
    office.sit("vera");
    office
}

/// Status and body of a route's answer.
async fn answer(office: &Office, route: &str, body: &str) -> (u16, String) {
    let (verb, path) = route.split_once(' ').unwrap();
    let (category, key) = RECORD.split_once('/').unwrap();
    let path = if path == "/v1/brake" { "/v1/brake?job=prepare" } else { path };
    let path =
        path.replace("{category}", category).replace("{key*}", key).replace("{id}", "1").replace("{user}", "vera");
    raw(&office.living.socket, verb, &path, &body.replace("RECORD", RECORD)).await
}

#[test]
fn every_route_has_its_line() {
    let lines: Vec<_> = MATRIX.iter().map(|(route, needed, ..)| ((*route).to_owned(), *needed)).collect();
    let mut table: Vec<_> = routes::<House>().iter().map(|route| (route.name(), route.permission)).collect();
    for line in &table {
        assert!(lines.contains(line), "{line:?} has no line in the matrix");
    }
    let also: Vec<_> = routes::<House>().iter().filter_map(|route| Some((route.name(), route.also?))).collect();
    assert_eq!(also, ALSO.map(|(route, also)| (route.to_owned(), also)));
    table.dedup();
    assert_eq!(lines.len(), table.len(), "a line of the matrix has no route");
}

#[tokio::test]
async fn every_route_with_every_permission_in_every_situation() {
    for situation in Situation::ALL {
        let office = office(situation).await;
        for permission in Permission::ALL {
            office.living.only_grants(&format!("{OTHERS}\n[[grant]]\n{}\n", situation.grants(permission)));
            for (route, needed, kept, body) in MATRIX {
                let (status, text) = answer(&office, route, body).await;
                let at = format!("{route} with {permission}, {situation:?}: {status} {text}");
                let also = ALSO.iter().find(|(other, _)| other == route);
                if permission != *needed || also.is_some() {
                    assert_eq!(status, 403, "{at}");
                    assert!(text.contains("\"not-permitted\"") && !text.contains(RECORD), "{at}");
                    continue;
                }
                let is_told_absent = text.contains("\"code\":\"no-such-record\"");
                assert_eq!(is_told_absent, situation.hides(*kept), "{at}");
                // Whoever may do something may still be told that the state does not allow it.
                let is_conflict = text.contains("\"code\":\"conflict\"");
                assert!(is_told_absent || is_conflict || status < 300, "{at}");
                if *kept == Unnamed && situation != Situation::InScope {
                    let names = text.contains(RECORD) || text.contains("Maier");
                    assert!(!names || (situation == Situation::OutOfScope && !needed.is_by_category()), "{at}");
                }
            }
        }
    }
}

#[tokio::test]
async fn where_two_permissions_are_needed_both_let_in() {
    let office = office(Situation::InScope).await;
    for (route, also) in ALSO {
        let (_, needed, _, body) = MATRIX.iter().find(|(other, ..)| *other == route).unwrap();
        office.living.only_grants(&format!(
            "{OTHERS}\n[[grant]]\nusers = [\"vera\"]\npermissions = [\"{needed}\", \"{also}\"]\n"
        ));
        let (status, text) = answer(&office, route, body).await;
        assert_eq!(status, 409, "nothing is stopped that could go on: {text}");
    }
}

/// Whoever is denied a record of a category is not told its sums either: one more or less would tell.
#[tokio::test]
async fn sums_tell_nothing_of_a_record_that_is_denied() {
    for situation in [Situation::InScope, Situation::Denied] {
        let office = office(situation).await;
        office.living.only_grants(&format!("{OTHERS}\n[[grant]]\n{}\n", situation.grants(Permission::Run)));
        let run = office.living.json(&["runs", "show", "1"]).await;
        let expected = if situation == Situation::InScope { 6 } else { 2 };
        assert_eq!(run["proposed"], expected, "{situation:?}: {run}");
    }
}
