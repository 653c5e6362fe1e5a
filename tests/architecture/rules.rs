//! The rules: each a function from a file to faults.

use super::scan::Scan;
use super::{CRATES, PRINTING, ROOMS, SQL_ROOMS, UNSAFE_MODULE};

/// A file of `src`.
pub struct SourceFile {
    /// From the crate's root, with slashes.
    pub path: String,
    /// Its text; of SQL, without comments.
    scan: Scan,
}

impl SourceFile {
    /// The file with this text.
    pub fn new(path: &str, text: &str) -> Self {
        let scan = if path.ends_with(".sql") {
            let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
            Scan { code: code.join("\n"), literals: Vec::new() }
        } else {
            Scan::of(text)
        };
        Self { path: path.to_owned(), scan }
    }

    fn is_sql(&self) -> bool {
        self.path.ends_with(".sql")
    }

    /// Its room; `bin` for the main files, `None` for `lib.rs`.
    fn room(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        let first = below.split('/').next()?;
        (first != "lib.rs").then(|| first.strip_suffix(".rs").unwrap_or(first))
    }

    /// How many modules deep the file is: 1 for a room's own.
    fn depth(&self) -> usize {
        let below = self.path.trim_start_matches("src/");
        let directories = below.matches('/').count();
        if below.ends_with("/mod.rs") { directories } else { directories + 1 }
    }

    fn fault(&self, at: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, self.scan.line(at))
    }

    fn is_in(&self, rooms: &[&str]) -> bool {
        self.room().is_some_and(|room| rooms.contains(&room))
    }
}

fn leading_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

/// The first words of `a::b` or of each member of `{a::b, c}`.
fn imported(path: &str) -> Vec<&str> {
    let Some(list) = path.trim_start().strip_prefix('{') else { return vec![leading_word(path)] };
    let (mut depth, mut members, mut is_new) = (0_usize, Vec::new(), true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_new = true,
            _ if is_new && !c.is_whitespace() => {
                members.push(leading_word(&list[at..]));
                is_new = false;
            }
            _ => {}
        }
    }
    members
}

/// Paths that begin at the crate's root, with their places.
fn root_paths(file: &SourceFile) -> Vec<(usize, &str)> {
    let code = &file.scan.code;
    let root = if file.room() == Some("bin") { "erasured::" } else { "crate::" };
    let mut found: Vec<(usize, &str)> = file.scan.find_words(root).map(|at| (at, &code[at + root.len()..])).collect();
    let mut from = 0;
    for at in file.scan.find_words("super::") {
        if at < from {
            continue;
        }
        let steps = "super::".len();
        let count = code[at..].split("super::").take_while(|before| before.is_empty()).count().max(1);
        from = at + count * steps;
        if count >= file.depth() {
            found.push((at, &code[from..]));
        }
    }
    found
}

/// A room imports only what its row allows; the main files only the two rooms that they start.
pub fn imports_keep_the_order(file: &SourceFile) -> Vec<String> {
    let Some(room) = file.room() else { return Vec::new() };
    let allowed: &[&str] = match room {
        "bin" => &["daemon", "ctl"],
        _ => ROOMS.iter().find(|(name, _)| *name == room).map_or(&[], |(_, allowed)| allowed),
    };
    let mut faults = Vec::new();
    for (at, path) in root_paths(file) {
        for word in imported(path) {
            if word != room && !allowed.contains(&word) {
                faults.push(file.fault(at, &format!("{room} may not import {word:?}")));
            }
        }
    }
    faults
}

/// Every file is in a room of the table, and tests are told from code.
pub fn rooms_are_in_the_table(file: &SourceFile) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(room) = file.room()
        && room != "bin"
        && !ROOMS.iter().any(|(name, _)| *name == room)
    {
        faults.push(file.fault(0, &format!("the table has no room {room:?}")));
    }
    for at in file.scan.find_words("mod tests") {
        faults.push(file.fault(at, "tests without #[cfg(test)]"));
    }
    faults
}

/// Whether a text is SQL: it begins as statements do.
fn is_sql(text: &str) -> bool {
    let line = text.replace("\\n", " ").replace("\\\n", " ");
    let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |word: &str| words.contains(&word);
    match words.as_slice() {
        ["select", _, ..] => has("from") || text.trim_start().starts_with("SELECT"),
        ["insert" | "replace", "into" | "or", ..] | ["delete", "from", _, ..] | ["alter", "table", ..] => true,
        ["update", ..] => has("set"),
        ["create", "table" | "index" | "unique" | "trigger" | "view" | "virtual" | "temp" | "temporary", ..]
        | ["drop", "table" | "index" | "trigger" | "view", ..]
        | ["begin", "immediate" | "exclusive" | "deferred" | "transaction", ..]
        | ["pragma" | "savepoint" | "attach" | "detach", _, ..] => true,
        ["with", _, "as", ..] | ["with", "recursive", ..] => has("select") || has("(select"),
        [..] => {
            matches!(
                text.trim().trim_end_matches(';'),
                "BEGIN" | "COMMIT" | "ROLLBACK" | "VACUUM" | "ANALYZE" | "REINDEX"
            )
        }
    }
}

/// SQL stands in few rooms, as text and as files.
pub fn sql_stays_in_its_rooms(file: &SourceFile) -> Vec<String> {
    if file.is_in(&SQL_ROOMS) {
        return Vec::new();
    }
    if file.is_sql() {
        return vec![file.fault(0, "SQL files stand in source and store")];
    }
    let sql = file.scan.literals.iter().filter(|literal| is_sql(&literal.text));
    sql.map(|literal| file.fault(literal.at, "SQL text stands in source and store")).collect()
}

/// Only `clock` reads the time of day; databases do not read it for anybody.
pub fn only_the_clock_tells_the_time(file: &SourceFile) -> Vec<String> {
    if file.is_in(&["clock"]) {
        return Vec::new();
    }
    let fault = |at| file.fault(at, "the time of day is read in clock alone");
    let reads = ["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "Local::now", "OffsetDateTime::now"];
    let mut faults: Vec<String> = if file.is_sql() {
        Vec::new()
    } else {
        reads.iter().flat_map(|read| file.scan.find_words(read)).map(fault).collect()
    };
    let tells_time = |sql: &str| {
        let lower = sql.to_lowercase();
        ["'now'", "current_timestamp", "current_date", "current_time", "unixepoch()", "datetime()", "julianday()"]
            .iter()
            .any(|word| lower.contains(word))
    };
    if file.is_sql() && tells_time(&file.scan.code) {
        faults.push(fault(0));
    }
    let sql = file.scan.literals.iter().filter(|literal| is_sql(&literal.text) && tells_time(&literal.text));
    faults.extend(sql.map(|literal| fault(literal.at)));
    faults
}

/// Output is the job of few.
pub fn only_some_print(file: &SourceFile) -> Vec<String> {
    if file.is_in(&PRINTING) || file.is_sql() {
        return Vec::new();
    }
    let printing = ["println!", "eprintln!", "print!", "eprint!", "dbg!", "stdout()", "stderr()"];
    let found = printing.iter().flat_map(|word| file.scan.find_words(word).map(move |at| (at, word)));
    found.map(|(at, word)| file.fault(at, &format!("{word} stands in ctl, daemon and the main files"))).collect()
}

/// Some crates are known to few rooms.
pub fn crates_stay_in_their_rooms(file: &SourceFile) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, rooms) in CRATES {
        if file.is_in(rooms) || file.is_sql() {
            continue;
        }
        let found = file.scan.find_words(name).filter(|at| {
            let code = &file.scan.code;
            let is_path = code[at + name.len()..].starts_with("::") && !code[..*at].ends_with("::");
            is_path || code[..*at].trim_end().ends_with("use")
        });
        faults.extend(found.map(|at| file.fault(at, &format!("{name} may be named in {} alone", rooms.join(", ")))));
    }
    faults
}

/// One module may be unsafe.
pub fn only_the_guard_is_unsafe(file: &SourceFile) -> Vec<String> {
    if file.path.starts_with(UNSAFE_MODULE) || file.is_sql() {
        return Vec::new();
    }
    file.scan.find_words("unsafe").map(|at| file.fault(at, "unsafe stands in the guard of source alone")).collect()
}
