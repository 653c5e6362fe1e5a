//! What people type for one argument, read.

use crate::api::{RecordAt, RuleDecisionRequest, State};

/// A rule as typed: its name, or `name@change`.
pub(super) fn rule_at(text: &str) -> Result<RuleDecisionRequest, String> {
    match text.rsplit_once('@') {
        Some((name, change)) => match change.parse() {
            Ok(change) => Ok(RuleDecisionRequest { name: name.to_owned(), change: Some(change) }),
            Err(_) => Err(format!("{change:?} is not the number of a change")),
        },
        None => Ok(RuleDecisionRequest { name: text.to_owned(), change: None }),
    }
}

/// A record as typed: `category/key`, or `category/key@version`. No key ends in `@` and digits (the daemon writes `%40`
/// there), so what is typed has one meaning.
pub(super) fn record(text: &str) -> Result<RecordAt, String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (record, version) = match text.rsplit_once('@') {
        Some((record, version)) if digits(version) => {
            (record, Some(version.parse().map_err(|_| format!("{version} is too large for a version"))?))
        }
        _ => (text, None),
    };
    match record.split_once('/') {
        Some((category, key)) if !category.is_empty() && !key.is_empty() => {
            Ok(RecordAt { record: record.to_owned(), version })
        }
        _ => Err("a record is written category/key, for example prospect/4711".to_owned()),
    }
}

pub(super) fn state(text: &str) -> Result<State, String> {
    use serde::Deserialize as _;
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};
    let deserializer: StrDeserializer<'_, Error> = text.into_deserializer();
    State::deserialize(deserializer)
        .map_err(|_| "the states are proposed, confirmed, postponed, erasing, erased and withdrawn".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_has_one_meaning() {
        let read = |text| record(text).map(|at| (at.version, at.record));
        assert_eq!(read("prospect/4711"), Ok((None, "prospect/4711".into())));
        assert_eq!(read("prospect/4711@3"), Ok((Some(3), "prospect/4711".into())));
        assert_eq!(read("user/anna%403"), Ok((None, "user/anna%403".into())));
        assert_eq!(read("user/anna%403@3"), Ok((Some(3), "user/anna%403".into())));
        for plain in ["user/anna@", "user/anna@+3", "user/anna@b3", "user/anna@example.org"] {
            assert_eq!(read(plain), Ok((None, plain.into())));
        }
        assert_eq!(read("visit/2024/17,3"), Ok((None, "visit/2024/17,3".into())));
        for wrong in ["4711", "/4711", "prospect/", "", "4711@3", "prospect/@3", "a/1@99999999999999999999"] {
            assert!(record(wrong).is_err(), "{wrong:?}");
        }
    }
}
