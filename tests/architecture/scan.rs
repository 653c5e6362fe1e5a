//! Rust source, taken apart as far as the rules need: code without comments and texts, and the texts apart.

use std::ops::Range;

/// A text in the source.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    /// Where it begins.
    pub at: usize,
    /// What is between the quotes, escapes as written.
    pub text: String,
}

/// A source file without its tests.
#[derive(Debug)]
pub struct Scan {
    /// The code; comments, texts and tests are blanks, so that every byte stays where it was.
    pub code: String,
    /// The texts of the code.
    pub literals: Vec<Literal>,
}

impl Scan {
    /// Takes `source` apart.
    pub fn of(source: &str) -> Self {
        let mut scan = Lexer { bytes: source.as_bytes(), at: 0, code: Vec::new(), literals: Vec::new() }.run();
        while let Some(test) = next_test(&scan.code) {
            scan.literals.retain(|literal| !test.contains(&literal.at));
            let blank: String = scan.code[test.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            scan.code.replace_range(test, &blank);
        }
        scan
    }

    /// The line of a place, counted from 1.
    pub fn line(&self, at: usize) -> usize {
        self.code.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// Where `needle` stands in the code as words of their own.
    pub fn find_words<'a>(&'a self, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
        let code = &self.code;
        code.match_indices(needle).map(|(at, _)| at).filter(move |at| {
            let before = code[..*at].chars().next_back();
            let after = code[at + needle.len()..].chars().next();
            let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let runs_on = needle.ends_with(char::is_alphanumeric) && goes_on(after);
            !goes_on(before) && !runs_on
        })
    }
}

/// From the next `#[cfg(test)]` to the end of what it stands before.
fn next_test(code: &str) -> Option<Range<usize>> {
    let start = code.find("#[cfg(test)]")?;
    let mut depth = 0_usize;
    for (offset, c) in code[start..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && c == '}' {
                    return Some(start..start + offset + 1);
                }
            }
            ';' if depth == 0 => return Some(start..start + offset + 1),
            _ => {}
        }
    }
    Some(start..code.len())
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    code: Vec<u8>,
    literals: Vec<Literal>,
}

impl Lexer<'_> {
    fn run(mut self) -> Scan {
        while self.at < self.bytes.len() {
            let rest = &self.bytes[self.at..];
            if rest.starts_with(b"//") {
                let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                self.blank(end);
            } else if rest.starts_with(b"/*") {
                self.blank(comment_length(rest));
            } else if let Some((open, close)) = raw_quotes(rest).filter(|_| !self.is_within_word()) {
                self.literal(open, &close, false);
            } else if rest[0] == b'"' {
                self.literal(1, "\"", true);
            } else if let Some(length) = char_length(rest) {
                self.blank(length);
            } else {
                self.code.push(rest[0]);
                self.at += 1;
            }
        }
        Scan { code: String::from_utf8_lossy(&self.code).into_owned(), literals: self.literals }
    }

    fn is_within_word(&self) -> bool {
        self.at > 0 && (self.bytes[self.at - 1].is_ascii_alphanumeric() || self.bytes[self.at - 1] == b'_')
    }

    fn blank(&mut self, length: usize) {
        let end = self.bytes.len().min(self.at + length);
        for byte in &self.bytes[self.at..end] {
            self.code.push(if *byte == b'\n' { b'\n' } else { b' ' });
        }
        self.at = end;
    }

    fn literal(&mut self, open: usize, close: &str, has_escapes: bool) {
        let start = self.at;
        let body = start + open;
        let mut end = body;
        while end < self.bytes.len() && !self.bytes[end..].starts_with(close.as_bytes()) {
            end += if has_escapes && self.bytes[end] == b'\\' { 2 } else { 1 };
        }
        let text = String::from_utf8_lossy(&self.bytes[body..end.min(self.bytes.len())]).into_owned();
        self.literals.push(Literal { at: start, text });
        self.blank(end + close.len() - start);
    }
}

fn comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of what opens a raw text, and what closes it.
fn raw_quotes(rest: &[u8]) -> Option<(usize, String)> {
    let prefix = [&b"br"[..], b"cr", b"r"].into_iter().find(|prefix| rest.starts_with(prefix))?.len();
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    (rest.get(prefix + hashes) == Some(&b'"')).then(|| (prefix + hashes + 1, format!("\"{}", "#".repeat(hashes))))
}

/// The length of a character between quotes; `None` for a lifetime.
fn char_length(rest: &[u8]) -> Option<usize> {
    if rest.first() != Some(&b'\'') {
        return None;
    }
    if rest.get(1) == Some(&b'\\') {
        return rest.iter().skip(3).position(|byte| *byte == b'\'').map(|length| length + 4);
    }
    let text = std::str::from_utf8(&rest[1..rest.len().min(5)])
        .or_else(|error| std::str::from_utf8(&rest[1..1 + error.valid_up_to()]));
    let length = text.ok()?.chars().next()?.len_utf8();
    (rest.get(1 + length) == Some(&b'\'')).then_some(length + 2)
}

#[test]
fn comments_texts_and_tests_are_not_code() {
    let source = r####"
        // crate::one
        /* crate::two /* nested */ crate::three */
        fn f<'a>(x: &'a str) -> char { g("crate::four \" more", r#"crate::"five""#, b"six"); '"' }
        #[cfg(test)]
        #[expect(dead_code)]
        mod tests { fn t() { crate::seven("eight"); } }
        #[cfg(test)]
        mod more;
        fn after() -> char { '\'' } // "
        fn last() { nine("ten") }
    "####;
    let scan = Scan::of(source);
    assert!(!scan.code.contains("crate") && !scan.code.contains("mod"), "{}", scan.code);
    for kept in ["fn f<'a>(x: &'a str)", "fn after()", "nine("] {
        assert!(scan.code.contains(kept), "{kept}: {}", scan.code);
    }
    let texts: Vec<&str> = scan.literals.iter().map(|literal| literal.text.as_str()).collect();
    assert_eq!(texts, ["crate::four \\\" more", "crate::\"five\"", "six", "ten"]);
    assert_eq!(scan.line(scan.code.find("nine").unwrap()), 11);
    assert_eq!(scan.code.len(), source.len());
}
