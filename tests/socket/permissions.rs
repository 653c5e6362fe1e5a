//! Who may do what: every route against every permission.

use std::collections::BTreeMap;
use std::sync::Arc;

use erasured::actor::{Identity, Permission};
use erasured::admin::{PeerError, routes};
use hyper::StatusCode;

use crate::backend::Fake;
use crate::serving::{granted, serve, serve_knowing};

/// What each route needs, as its users are told. Written a second time on purpose.
const MATRIX: [(&str, Permission); 34] = [
    ("GET /openapi.json", Permission::View),
    ("GET /v1/status", Permission::View),
    ("GET /metrics", Permission::View),
    ("GET /v1/proposals", Permission::View),
    ("GET /v1/proposals/totals", Permission::View),
    ("GET /v1/proposals/digest", Permission::Decide),
    ("GET /v1/proposals/{category}/{key*}", Permission::View),
    ("GET /v1/policy", Permission::View),
    ("GET /v1/schema", Permission::View),
    ("POST /v1/schema/accept", Permission::Configure),
    ("POST /v1/policy/set", Permission::Configure),
    ("POST /v1/policy/unset", Permission::Configure),
    ("POST /v1/policy/approve", Permission::Configure),
    ("POST /v1/policy/reject", Permission::Configure),
    ("POST /v1/confirm", Permission::Decide),
    ("POST /v1/postpone", Permission::Decide),
    ("POST /v1/restore", Permission::Restore),
    ("POST /v1/hold", Permission::Hold),
    ("POST /v1/release", Permission::Hold),
    ("GET /v1/holds", Permission::Hold),
    ("GET /v1/reasons", Permission::View),
    ("POST /v1/mark", Permission::Mark),
    ("POST /v1/runs", Permission::Run),
    ("GET /v1/runs", Permission::Run),
    ("GET /v1/runs/{id}", Permission::Run),
    ("GET /v1/brake", Permission::Run),
    ("POST /v1/brake/override", Permission::Brake),
    ("GET /v1/audit", Permission::Audit),
    ("GET /v1/audit/export", Permission::Audit),
    ("GET /v1/audit/verify", Permission::Audit),
    ("GET /v1/audit/checkpoints", Permission::Audit),
    ("GET /v1/access", Permission::Configure),
    ("GET /v1/access/{user}", Permission::Configure),
    ("POST /v1/access", Permission::Configure),
];

/// What it needs beside.
const ALSO: [(&str, Permission); 1] = [("POST /v1/brake/override", Permission::Run)];

/// A request that the route answers with success.
fn request(route: &str) -> (&str, String, &'static str) {
    let (method, path) = route.split_once(' ').unwrap();
    let path = path.replace("{category}", "customer").replace("{key*}", "17").replace("{id}", "7");
    let path = path.replace("{user}", "karl").replace("/v1/brake", "/v1/brake?job=prepare");
    let path = path.replace("?job=prepare/override", "/override");
    let body = match route {
        "POST /v1/confirm" | "POST /v1/restore" => r#"{"records":[{"record":"customer/17"}]}"#,
        "POST /v1/postpone" => r#"{"records":[{"record":"customer/17"}],"until":"2027-06-30","reason":"court case"}"#,
        "POST /v1/hold" => r#"{"record":"customer/17","reason":"lawsuit","reference":"3 Cg 17/26"}"#,
        "POST /v1/release" => r#"{"record":"customer/17"}"#,
        "POST /v1/access" => r#"{"change":"add-unit","user":"karl","unit":"graz"}"#,
        "POST /v1/mark" => r#"{"record":"customer/17","reason":"asked for"}"#,
        "POST /v1/schema/accept" => r#"{"category":"customer","digest":"0a1b"}"#,
        "POST /v1/policy/set" => r#"{"name":"customer.inactive.period","value":"4 years"}"#,
        "POST /v1/policy/unset" | "POST /v1/policy/approve" | "POST /v1/policy/reject" => {
            r#"{"name":"customer.inactive.period"}"#
        }
        "POST /v1/runs" => r#"{"job":"erase"}"#,
        "POST /v1/brake/override" => {
            r#"{"job":"prepare","digest":"18000-00000000000000000000000000","reason":"the archive was merged"}"#
        }
        _ => "",
    };
    (method, path, body)
}

#[tokio::test]
async fn every_route_against_every_permission() {
    let needs: BTreeMap<&str, Permission> = MATRIX.into();
    let table: Vec<String> = routes::<Fake>().iter().map(|route| route.name()).collect();
    for route in &table {
        assert!(needs.contains_key(route.as_str()), "{route} has no row in the matrix");
    }
    assert_eq!(table.len(), MATRIX.len(), "a row of the matrix has no route");
    for permission in Permission::ALL {
        let serving = serve(Fake { grants: granted(&[permission]), ..Fake::default() }).await;
        for (route, needed) in MATRIX {
            let (method, path, body) = request(route);
            let response = serving.ask(method, &path, body).await;
            let needs_another = ALSO.iter().any(|(also, _)| *also == route);
            if permission == needed && !needs_another {
                assert!(response.status.is_success(), "{route} with {permission}: {}", response.status);
            } else {
                assert_eq!(response.status, StatusCode::FORBIDDEN, "{route} with {permission}");
                assert_eq!(response.code(), "not-permitted");
            }
        }
        let decided = serving.backend.decided.lock().unwrap().len();
        let expected = match permission {
            Permission::Decide => 2,
            Permission::Restore | Permission::Mark => 1,
            _ => 0,
        };
        assert_eq!(decided, expected, "decisions made with {permission}");
    }
    for (route, also) in ALSO {
        let serving = serve(Fake { grants: granted(&[needs[route], also]), ..Fake::default() }).await;
        let (method, path, body) = request(route);
        let response = serving.ask(method, &path, body).await;
        assert!(response.status.is_success(), "{route} with both: {}", response.status);
    }
}

#[tokio::test]
async fn a_user_without_any_grant_is_refused_with_a_code() {
    let stranger = |uid| Ok(Identity { uid, user: "4242".into(), groups: Default::default() });
    let serving =
        serve_knowing(Fake { grants: granted(&Permission::ALL), ..Fake::default() }, Arc::new(stranger)).await;
    let response = serving.ask("GET", "/v1/status", "").await;
    assert_eq!((response.status, response.code().as_str()), (StatusCode::FORBIDDEN, "not-permitted"));
    let (exit, stdout, stderr) = serving.erasurectl(&["confirm", "customer/17"]).await;
    assert_eq!((exit, stdout.as_str()), (Some(4), ""));
    assert_eq!(
        stderr,
        "error: cannot do this: 4242 has no grant with the permission decide\n\
         hint: the operator can give it in erasured.toml: a [[grant]] with permissions = [\"decide\"]\n"
    );
    assert!(serving.backend.decided.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_cannot_be_identified_is_refused_whatever_the_grants() {
    let nobody_knows = |uid| Err(PeerError::User { uid, source: nix::Error::EIO });
    let serving = serve_knowing(Fake::default(), Arc::new(nobody_knows)).await;
    let response = serving.ask("GET", "/v1/status", "").await;
    assert_eq!((response.status, response.code().as_str()), (StatusCode::FORBIDDEN, "unknown-peer"));
    assert_eq!(serving.erasurectl(&["status"]).await.0, Some(4));
}

#[tokio::test]
async fn refusals_are_reported_once_a_minute() {
    let serving = serve(Fake { grants: granted(&[Permission::View]), ..Fake::default() }).await;
    for _ in 0..3 {
        serving.ask("POST", "/v1/confirm", "{}").await;
    }
    let refusals = serving.backend.refusals.lock().unwrap();
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0].route, "POST /v1/confirm");
    assert_eq!(refusals[0].permission, Permission::Decide);
    assert_eq!(refusals[0].uid, nix::unistd::geteuid().as_raw());
}

#[tokio::test]
async fn a_record_out_of_reach_is_reported_too() {
    let serving = serve(Fake { grants: granted(&[Permission::Decide]), ..Fake::default() }).await;
    let body = r#"{"records":[{"record":"customer/17"},{"record":"customer/403"}]}"#;
    let response = serving.ask("POST", "/v1/confirm", body).await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!((&response.json()["done"], &response.json()["refused"]), (&0.into(), &1.into()));
    assert_eq!(serving.backend.refusals.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_in_the_table_is_refused() {
    let serving = serve(Fake::default()).await;
    for path in
        ["/", "/v1", "/v1/status/", "/v1/nothing", "/v1/proposals/customer", "/v1/proposals/customer/", "//v1/status"]
    {
        let response = serving.ask("GET", path, "").await;
        assert_eq!((response.status, response.code().as_str()), (StatusCode::NOT_FOUND, "no-such-route"), "{path}");
    }
    for (method, path, allow) in [
        ("DELETE", "/v1/runs", "POST, GET"),
        ("HEAD", "/v1/status", "GET"),
        ("POST", "/v1/proposals/customer/17", "GET"),
    ] {
        let response = serving.ask(method, path, "").await;
        assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(response.headers["allow"], allow, "{method} {path}");
    }
}

#[tokio::test]
async fn the_description_is_made_from_the_table() {
    let serving = serve(Fake::default()).await;
    let response = serving.ask("GET", "/openapi.json", "").await;
    let described = response.json();
    for route in routes::<Fake>() {
        let path = route.path.replace("*}", "}");
        let verb = route.verb.as_str().to_ascii_lowercase();
        assert_eq!(described["paths"][&path][&verb]["summary"], route.summary, "{}", route.name());
    }
    let text = serde_json::to_string_pretty(&described).unwrap();
    for name in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(described["components"]["schemas"][name].is_object(), "{name} is referred to and not described");
    }
    insta::assert_snapshot!(text);
}
