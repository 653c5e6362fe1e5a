//! What is read in one pass is what is read the long way.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::actor::Actor;
use crate::audit::{By, Entry, Kind, canonical};

fn entry(actor: Actor, request: Option<String>, run: Option<i64>, kind: String, details: &Value, at: i64) -> Entry {
    let by = By { actor, run, request };
    let at = Timestamp::from_millisecond(at).unwrap();
    let first = Kind::DaemonStopped { why: String::new() };
    let mut entry = Entry::next(&Head { entries: 41, hash: [0xab; 32] }, at, by, &first);
    (entry.kind, entry.details) = (kind, canonical::text(details));
    entry.hash = entry.computed_hash();
    entry
}

/// Texts with all that has to be escaped in them, and all that looks like it.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", "[\u{0}-\u{20}\"\\\\/äß€😀\u{7f}]{0,8}"]
}

fn details() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-9_i64..9).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![Just(Actor::Daemon), (any::<u32>(), text()).prop_map(|(uid, name)| Actor::User { uid, name })]
}

fn entries() -> impl Strategy<Value = Entry> {
    let at = -377_000_000_000_i64..253_000_000_000_000;
    (actor(), prop::option::of(text()), prop::option::of(any::<i64>()), text(), details(), at)
        .prop_map(|(actor, request, run, kind, details, at)| entry(actor, request, run, kind, &details, at))
}

/// What is read here is read the long way too, and is the same.
fn agrees(line: &str) -> bool {
    let Some(read) = Line::read(line) else { return false };
    let entry = Entry::from_line(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!((read.seq, read.prev, read.hash), (entry.seq, entry.prev, entry.hash), "{line}");
    assert_eq!((read.computed_hash(), read.head()), (entry.computed_hash(), entry.head()), "{line}");
    true
}

proptest! {
    #[test]
    fn it_agrees_on_whatever_is_written(entry in entries()) {
        agrees(&entry.to_line());
    }

    #[test]
    fn it_agrees_on_whatever_is_changed(
        entry in entries(), place in any::<prop::sample::Index>(), cut in 0_usize..3, put in "[ -~]{0,3}|\\\\u00[01][0-9a-fA-F]",
    ) {
        let line: Vec<char> = entry.to_line().chars().collect();
        let place = place.index(line.len());
        let behind = line.get(place + cut..).unwrap_or_default();
        let changed: String = line[..place].iter().copied().chain(put.chars()).chain(behind.iter().copied()).collect();
        agrees(&changed);
    }
}

/// The point of it: what the daemon writes is read in one pass.
#[test]
fn what_is_written_every_day_is_read_so() {
    let details = json!({
        "batch": "00", "dependents": {"kept": 2}, "left": -7, "none": null, "record": "müller/a\"b\n\u{1}",
        "records": [{"keys": ["1", "2"]}, []], "sure": true, "tried": false,
    });
    for (actor, run, request) in [
        (Actor::Daemon, Some(3), None),
        (Actor::User { uid: 1000, name: "vera \"v\" ä".into() }, None, Some("r-1".to_owned())),
    ] {
        let line = entry(actor, request, run, "erased".into(), &details, 1_773_540_000_123).to_line();
        assert!(agrees(&line), "{line}");
        for other in [line.replace("02:00:00", "02:00:59"), line.replace("-7", "0")] {
            assert!(agrees(&other), "{other}");
        }
        let read = Line::read(&line).unwrap();
        assert!(read.is_of_kind("erased") && !read.is_of_kind("pruned") && !read.is_of_kind("erase"));
        for other in [
            line.replace(":42}", ":042}"),
            line.replace(":42}", ":42.0}"),
            line.replace(":42}", ":-0}"),
            line.replace("\\n", "\\u000a"),
            line.replace("\\u0001", "\u{1}"),
            line.replace("\\u0001", "\\u0001\\/"),
            line.replace("\"left\":-7,", ""),
            line.replace("-7", "-0"),
            line.replace("\"left\":-7", "\"left\":-7,\"left\":-7"),
            line.replace("\"kept\":2", "\"kept\":2,\"a\":1"),
            line.replace("02:00:00", "02:00:60"),
            line.replace("abab", "ABAB"),
            format!("{line} "),
            line[1..].to_owned(),
        ] {
            let is_read = agrees(&other);
            assert!(!is_read || other.contains("\"dependents\":{\"kept\":2},\"none\""), "{other}");
        }
    }
}

#[test]
fn what_is_nested_too_deep_is_left_to_others() {
    let list = |inner: Value| json!([inner]);
    let members = |inner: Value| json!({ "a": inner });
    for nest in [list as fn(Value) -> Value, members] {
        let of_depth = |depth| {
            let details = (0..depth).fold(Value::Null, |inner, _| nest(inner));
            entry(Actor::Daemon, None, None, "of_a_later_version".into(), &details, 0).to_line()
        };
        assert!(agrees(&of_depth(DEPTH_MAX)) && !agrees(&of_depth(DEPTH_MAX + 1)));
    }
}
