//! The daemon's JSON, made readable without touching it: order, numbers and unknown fields stay as they came.

/// Blanks for each level.
const INDENT: usize = 2;

/// The same JSON on lines of its own. What is no JSON comes out as it went in, give or take blanks.
pub(super) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().filter({
        // Blanks outside strings are ours to set.
        let mut string = Inside::default();
        move |&c| string.enters(c) || !c.is_ascii_whitespace()
    });
    let mut string = Inside::default();
    let mut rest = chars.by_ref().peekable();
    while let Some(c) = rest.next() {
        if string.enters(c) {
            out.push(c);
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(close) = rest.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    begin_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                begin_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                begin_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => out.push(c),
        }
    }
    out.push('\n');
    out
}

fn begin_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', depth * INDENT));
}

/// Whether the reading is inside a string.
#[derive(Default)]
struct Inside {
    string: bool,
    escaped: bool,
}

impl Inside {
    /// Reads one character; whether it belongs to a string, its quotes included.
    fn enters(&mut self, c: char) -> bool {
        if !self.string {
            self.string = c == '"';
            return self.string;
        }
        if self.escaped {
            self.escaped = false;
        } else if c == '\\' {
            self.escaped = true;
        } else if c == '"' {
            self.string = false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_change() {
        let json = r#"{"z":1.50,"a":"{\"x, y\": [1]}\\","e":[],"o":{ },"l":[1,{"m":null}]}"#;
        let pretty = pretty(json);
        insta::assert_snapshot!(pretty);
        let same = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(same(json), same(&pretty));
    }
}
