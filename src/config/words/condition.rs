//! A condition in words, where that does not change what it means.
//!
//! "Unless X" is said only of conditions that hold exactly when X does not. A comparison with NULL neither holds nor fails:
//! `status <> 'customer'` leaves out a record without a status, and the sentence says so.

/// Words that are no names of columns.
const KEYWORDS: [&str; 12] = [
    "NULL",
    "TRUE",
    "FALSE",
    "NOT",
    "EXISTS",
    "CASE",
    "CAST",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "IS",
    "LIKE",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A bare word.
    Word,
    /// A name in one of the three styles of quotes.
    QuotedName,
    /// Text between single quotes.
    Text,
    Number,
    /// Anything else, one character or one of the comparisons of two.
    Sign,
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    /// Where it begins.
    at: usize,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text.eq_ignore_ascii_case(word)
    }

    fn is_literal(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Number)
    }

    fn is_name(&self) -> bool {
        match self.kind {
            Kind::QuotedName => true,
            Kind::Word => !KEYWORDS.iter().any(|keyword| self.text.eq_ignore_ascii_case(keyword)),
            Kind::Text | Kind::Number | Kind::Sign => false,
        }
    }
}

/// The tokens of an expression; `None` where it has comments or quotes that do not end.
fn tokens(sql: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("--") || rest.starts_with("/*") {
            return None;
        }
        let (kind, length) = match first {
            '\'' => (Kind::Text, quoted(rest, '\'')?),
            '"' | '`' => (Kind::QuotedName, quoted(rest, first)?),
            '[' => (Kind::QuotedName, rest.find(']')? + 1),
            c if c.is_ascii_digit() => (Kind::Number, length_of(rest, |c| c.is_ascii_digit() || c == '.')),
            c if c.is_alphanumeric() || c == '_' => (Kind::Word, length_of(rest, |c| c.is_alphanumeric() || c == '_')),
            _ if ["<>", "!=", "=="].iter().any(|sign| rest.starts_with(sign)) => (Kind::Sign, 2),
            c => (Kind::Sign, c.len_utf8()),
        };
        tokens.push(Token { kind, text: &rest[..length], at });
        at += length;
    }
    Some(tokens)
}

fn length_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length of a quoted piece; a doubled quote within it is one of its characters.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text.get(at..)?.find(quote)? + 1;
        if text[at..].starts_with(quote) {
            at += 1;
        } else {
            return Some(at);
        }
    }
}

/// The expression with every run of blanks outside quotes as one; as it is where it has comments.
pub fn on_one_line(sql: &str) -> String {
    let Some(tokens) = tokens(sql) else { return sql.trim().to_owned() };
    let mut line = String::with_capacity(sql.len());
    let mut end = None;
    for token in tokens {
        if end.is_some_and(|end| end < token.at) {
            line.push(' ');
        }
        line.push_str(token.text);
        end = Some(token.at + token.text.len());
    }
    line
}

/// Whether the expression is the name of a column and nothing else.
pub fn is_column(sql: &str) -> bool {
    tokens(sql).is_some_and(|tokens| matches!(tokens.as_slice(), [name] if name.is_name()))
}

/// "unless …" or "and only if …".
pub fn clause(condition: &str, is_never_null: &dyn Fn(&str) -> bool) -> String {
    tokens(condition)
        .and_then(|tokens| unless(condition, &tokens, is_never_null))
        .map_or_else(|| format!("and only if {}", on_one_line(condition)), |what| format!("unless {what}"))
}

/// What the condition is the exact opposite of.
fn unless(sql: &str, tokens: &[Token<'_>], is_never_null: &dyn Fn(&str) -> bool) -> Option<String> {
    let differs = |column: &Token<'_>, literal: &Token<'_>| {
        let (name, value) = (column.text, literal.text);
        if is_never_null(&bare(name)) {
            format!("{name} = {value}")
        } else {
            format!("{name} = {value} or {name} is NULL")
        }
    };
    match tokens {
        [column, sign, literal] if column.is_name() && literal.is_literal() && (sign.is("<>") || sign.is("!=")) => {
            Some(differs(column, literal))
        }
        [column, is, not, null] if column.is_name() && is.is("IS") && not.is("NOT") && null.is("NULL") => {
            Some(format!("{} is NULL", column.text))
        }
        [column, is, not, literal] if column.is_name() && is.is("IS") && not.is("NOT") && literal.is_literal() => {
            Some(format!("{} = {}", column.text, literal.text))
        }
        [not, exists, inside @ ..] if not.is("NOT") && exists.is("EXISTS") && are_in_parentheses(inside) => {
            Some(on_one_line(sql.get(exists.at..)?))
        }
        [not, inside @ ..] if not.is("NOT") && are_in_parentheses(inside) => match inside {
            [_, column, sign, literal, _]
                if column.is_name() && literal.is_literal() && (sign.is("=") || sign.is("==")) =>
            {
                Some(differs(column, literal))
            }
            [_, column, is, null, _] if column.is_name() && is.is("IS") && null.is("NULL") => {
                Some(format!("{} is NULL", column.text))
            }
            [open, ..] => Some(format!("{} is true or NULL", on_one_line(sql.get(open.at..)?))),
            [] => None,
        },
        _ => None,
    }
}

/// Whether the first token opens a parenthesis that the last one closes.
fn are_in_parentheses(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return index > 0 && index + 1 == tokens.len();
        }
    }
    false
}

/// The name without its quotes.
fn bare(name: &str) -> String {
    let mut characters = name.chars();
    match characters.next() {
        Some(quote @ ('"' | '`')) => {
            let doubled = format!("{quote}{quote}");
            characters.as_str().trim_end_matches(quote).replace(&doubled, &quote.to_string())
        }
        Some('[') => characters.as_str().trim_end_matches(']').to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn say(condition: &str) -> String {
        clause(condition, &|column| column == "sure" || column == "so sure")
    }

    #[test]
    fn exact_opposites_are_said_with_unless() {
        for (condition, words) in [
            ("sure <> 'customer'", "unless sure = 'customer'"),
            ("[so sure] != 5", "unless [so sure] = 5"),
            ("status <> 'customer'", "unless status = 'customer' or status is NULL"),
            ("status is not 'customer'", "unless status = 'customer'"),
            ("deleted_on IS NOT NULL", "unless deleted_on is NULL"),
            ("NOT (status = 'it''s')", "unless status = 'it''s' or status is NULL"),
            ("NOT (left_on IS NULL)", "unless left_on is NULL"),
            ("NOT (a = 1 OR\n  b = 2)", "unless (a = 1 OR b = 2) is true or NULL"),
            ("NOT EXISTS (x (')') y)", "unless EXISTS (x (')') y)"),
        ] {
            assert_eq!(say(condition), words);
        }
    }

    #[test]
    fn everything_else_is_said_as_it_is() {
        for condition in [
            "status = 'lead'",
            "sure <> 'a' AND sure <> 'b'",
            "sure <> other",
            "sure <> \"customer\"",
            "sure <> NULL",
            "NULL <> 'x'",
            "'a' <> 'x'",
            "sure <> -1",
            "NOT (a) OR (b)",
            "NOT EXISTS (a) OR (b)",
            "NOT sure",
            "NOT ()) (",
            "NOT",
            "sure <> 'never closed",
            "sure <> 'x' -- a remark",
            "",
        ] {
            assert_eq!(say(condition), format!("and only if {}", condition.trim()));
        }
    }

    #[test]
    fn a_column_is_a_name_alone() {
        for sql in ["last_contact_on", "\"last contact\"", "[Zuletzt gesehen]", "`end`", "größe"] {
            assert!(is_column(sql), "{sql}");
        }
        for sql in ["max(a)", "a + 1", "'a'", "5", "a.b", "NULL", "current_date", ""] {
            assert!(!is_column(sql), "{sql}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in r#"[a-z '"\[\]`()<>!=\-/*\n0-9äNOTISUL]{0,30}"#) {
            let _ = say(&text);
            let _ = is_column(&text);
        }
    }
}
