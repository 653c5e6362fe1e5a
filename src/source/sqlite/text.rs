//! SQL text: quoting, and enough of the language's words to read triggers and expressions.

/// An identifier, quoted: the one function through which names of tables and columns reach SQL.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal.
pub(super) fn literal(text: &str) -> String {
    // A NUL cannot stand in the text of a statement.
    if text.contains('\0') {
        return format!("CAST(x'{}' AS TEXT)", crate::record::hex(text.as_bytes()));
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// `table.column`, both quoted.
pub(super) fn qualified(table: &str, column: &str) -> String {
    format!("{}.{}", quote(table), quote(column))
}

/// SQL: columns of one row refer to columns of another, as a declared reference does. Affinity and collation are those
/// of the columns referred to; the first half of each pair is what an index can be used for.
pub(super) fn refers(referring: &[String], referred: &[String]) -> String {
    let pairs: Vec<String> =
        referring.iter().zip(referred).map(|(from, to)| format!("{to} = {from} AND {to} = +{from}")).collect();
    pairs.join(" AND ")
}

/// SQL: columns of a row refer to one of the rows of `query`, whose columns compare by these collations.
pub(super) fn refers_to_one_of(referring: &[String], query: &str, collations: &[Option<&str>]) -> String {
    let exact: Vec<String> = referring
        .iter()
        .zip(collations)
        .map(|(column, collation)| format!("+{column} COLLATE {}", quote(collation.unwrap_or("BINARY"))))
        .collect();
    let exact = format!("({}) IN ({query})", exact.join(", "));
    // An index of the referring column finds those that are equal byte by byte, and no others.
    if collations.iter().all(Option::is_none) {
        format!("({}) IN ({query}) AND {exact}", referring.join(", "))
    } else {
        exact
    }
}

/// One word of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a bare name.
    Word(String),
    /// A name in quotes of any style; in double quotes it may be meant as text.
    Name(String),
    /// Text in single quotes.
    Text(String),
    /// A parameter with its sign: `:today`.
    Parameter(String),
    /// Anything else, by itself.
    Sign(char),
}

impl Token {
    /// The name that the token may be.
    pub(super) fn as_name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Name(name) | Self::Text(name) => Some(name),
            Self::Parameter(_) | Self::Sign(_) => None,
        }
    }

    /// Whether it is this keyword.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }
}

/// A token with the bytes of the text that it takes.
#[derive(Debug, Clone)]
pub(super) struct Located {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The tokens of `sql`; blanks and comments are passed over, and what is left open ends with the text.
pub(super) fn tokens(sql: &str) -> Vec<Located> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = sql[at..].chars().next() {
        let rest = &sql[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
        } else if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else {
            let (token, length) = token(rest, c);
            found.push(Located { token, start: at, end: at + length });
            at += length;
        }
    }
    found
}

fn token(rest: &str, first: char) -> (Token, usize) {
    match first {
        '\'' => {
            let (text, length) = quoted(rest, '\'');
            (Token::Text(text), length)
        }
        '"' | '`' => {
            let (name, length) = quoted(rest, first);
            (Token::Name(name), length)
        }
        '[' => {
            let end = rest.find(']').unwrap_or(rest.len());
            (Token::Name(rest[1..end].to_owned()), (end + 1).min(rest.len()))
        }
        ':' | '@' | '$' | '?' => {
            let end = 1 + word_length(&rest[1..]);
            (Token::Parameter(rest[..end].to_owned()), end)
        }
        c if is_word(c) => {
            let end = word_length(rest);
            (Token::Word(rest[..end].to_owned()), end)
        }
        c => (Token::Sign(c), c.len_utf8()),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn word_length(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

fn quoted(rest: &str, mark: char) -> (String, usize) {
    let mut text = String::new();
    let mut at = 1;
    while let Some(end) = rest[at..].find(mark) {
        text.push_str(&rest[at..at + end]);
        at += end + 1;
        if !rest[at..].starts_with(mark) {
            return (text, at);
        }
        text.push(mark);
        at += 1;
    }
    (text + &rest[at.min(rest.len())..], rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(sql: &str) -> Vec<Token> {
        tokens(sql).into_iter().map(|located| located.token).collect()
    }

    #[test]
    fn every_style_of_quotes_is_a_name() {
        let name = |text: &str| Token::Name(text.into());
        assert_eq!(plain(r#"[a b] "c""d" `e``f`"#), [name("a b"), name("c\"d"), name("e`f")]);
        assert_eq!(plain("'it''s' x"), [Token::Text("it's".into()), Token::Word("x".into())]);
    }

    #[test]
    fn comments_are_passed_over() {
        let words = plain("a -- b 'c\n/* d ' */ e");
        assert_eq!(words, [Token::Word("a".into()), Token::Word("e".into())]);
        assert_eq!(plain("x /* open"), [Token::Word("x".into())]);
    }

    #[test]
    fn what_is_left_open_ends_with_the_text() {
        assert_eq!(plain("'open"), [Token::Text("open".into())]);
        assert_eq!(plain("["), [Token::Name(String::new())]);
        assert_eq!(plain("'"), [Token::Text(String::new())]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_tokens(text in "\\PC*") {
            let _ = tokens(&text);
        }

        #[test]
        fn what_is_quoted_is_read_back(name in "\\PC*") {
            proptest::prop_assert_eq!(plain(&quote(&name)), [Token::Name(name.clone())]);
            proptest::prop_assert_eq!(plain(&literal(&name)), [Token::Text(name)]);
        }
    }
}
