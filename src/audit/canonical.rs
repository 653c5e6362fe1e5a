//! Canonical JSON: one text for one value.

use serde_json::Value;

/// The canonical text of `value`: members in the order of their names, no blanks.
pub(super) fn text(value: &Value) -> String {
    let mut into = String::new();
    write(&mut into, value);
    into
}

/// The canonical text of a string.
pub(super) fn quoted(value: &str) -> String {
    let mut into = String::with_capacity(value.len() + 2);
    string(&mut into, value);
    into
}

fn write(into: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            // The order of a `Map` depends on a feature that any crate of the tree can switch on.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            list(into, ['{', '}'], members, |into, (name, value)| {
                string(into, name);
                into.push(':');
                write(into, value);
            });
        }
        Value::Array(values) => list(into, ['[', ']'], values, write),
        Value::String(text) => string(into, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => into.push_str(&value.to_string()),
    }
}

fn list<T>(into: &mut String, ends: [char; 2], items: impl IntoIterator<Item = T>, each: impl Fn(&mut String, T)) {
    into.push(ends[0]);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            into.push(',');
        }
        each(into, item);
    }
    into.push(ends[1]);
}

fn string(into: &mut String, text: &str) {
    use std::fmt::Write as _;
    into.push('"');
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        into.push_str(text);
        into.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\u{8}' => into.push_str("\\b"),
            '\u{c}' => into.push_str("\\f"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            c if c < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(into, "\\u{:04x}", u32::from(c));
            }
            c => into.push(c),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_ordered_at_every_depth_and_strings_escaped_as_little_as_can_be() {
        let value: Value =
            serde_json::from_str(r#"{ "b": [1, {"z": null, "a": true}], "a": "\u00e4\/\u0007\u001F\n\"" }"#).unwrap();
        assert_eq!(text(&value), r#"{"a":"ä/\u0007\u001f\n\"","b":[1,{"a":true,"z":null}]}"#);
    }

    #[test]
    fn a_string_of_nothing_but_what_must_be_escaped_is() {
        for (value, expected) in [("\"\"", r#""\"\"""#), ("\\", r#""\\""#), ("\n\u{1}", r#""\n\u0001""#), ("", r#""""#)]
        {
            assert_eq!(quoted(value), expected);
        }
    }
}
