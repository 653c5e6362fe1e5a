//! Reads triggers: what each waits for, and what it changes.

use sqlx::sqlite::SqliteConnection;

use super::{rows, text};
use crate::source::SourceError;
use crate::source::schema::{Trigger, TriggerEvent};
use crate::source::sqlite::text::{Token, tokens};

pub(super) async fn triggers(connection: &mut SqliteConnection) -> Result<Vec<Trigger>, SourceError> {
    let sql = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name";
    let found = rows(connection, sql).await?;
    Ok(found.iter().map(|row| trigger(text(row, "name"), text(row, "tbl_name"), &text(row, "sql"))).collect())
}

fn trigger(name: String, table: String, sql: &str) -> Trigger {
    let words: Vec<Token> = tokens(sql).into_iter().map(|located| located.token).collect();
    let body = words.iter().position(|word| word.is_word("BEGIN")).unwrap_or(words.len());
    let (head, body) = words.split_at(body);
    // The name may be any word, `update` too: the event is the first one behind it. CREATE TRIGGER x DELETE ON …
    let after_name = head.iter().skip(3);
    let event = after_name
        .clone()
        .find_map(|word| match word {
            word if word.is_word("INSERT") => Some(TriggerEvent::Insert),
            word if word.is_word("DELETE") => Some(TriggerEvent::Delete),
            word if word.is_word("UPDATE") => Some(TriggerEvent::Update),
            _ => None,
        })
        // Unknown code is taken to wait for what we do most.
        .unwrap_or(TriggerEvent::Update);
    let update_of = match head.windows(2).position(|pair| pair[0].is_word("UPDATE") && pair[1].is_word("OF")) {
        None => Vec::new(),
        Some(at) => head[at + 2..]
            .iter()
            .take_while(|word| !word.is_word("ON"))
            .filter_map(|word| word.as_name().map(str::to_owned))
            .collect(),
    };
    Trigger { name, table, event, update_of, writes: written_tables(body), definition: sql.to_owned() }
}

/// The tables that the statements of a trigger change, and how.
fn written_tables(body: &[Token]) -> Vec<(TriggerEvent, String)> {
    let mut written: Vec<(TriggerEvent, String)> = Vec::new();
    let mut last = None;
    for (at, word) in body.iter().enumerate() {
        let rest = &body[at + 1..];
        let write = if word.is_word("INSERT") || word.is_word("REPLACE") || word.is_word("DELETE") {
            // INSERT [OR x] INTO t, DELETE FROM t
            let event = if word.is_word("DELETE") { TriggerEvent::Delete } else { TriggerEvent::Insert };
            let before = rest.iter().take(3).position(|word| word.is_word("INTO") || word.is_word("FROM"));
            before.and_then(|before| rest.get(before + 1)).and_then(Token::as_name).map(|name| (event, name))
        } else if word.is_word("UPDATE") && rest.first().is_some_and(|word| word.is_word("SET")) {
            // INSERT INTO t … ON CONFLICT DO UPDATE SET
            last.map(|name| (TriggerEvent::Update, name))
        } else if word.is_word("UPDATE") {
            let has_or = rest.first().is_some_and(|word| word.is_word("OR"));
            rest.get(if has_or { 2 } else { 0 }).and_then(Token::as_name).map(|name| (TriggerEvent::Update, name))
        } else {
            None
        };
        last = write.map(|(_, name)| name).or(last);
        if let Some((event, name)) = write
            && !written.iter().any(|(own, table)| *own == event && table.eq_ignore_ascii_case(name))
        {
            written.push((event, name.to_owned()));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_read_as_far_as_they_matter() {
        let sql = "CREATE TRIGGER [update] AFTER UPDATE OF name, [e mail] ON \"people\" BEGIN \
                   INSERT OR REPLACE INTO history(x) VALUES (old.name) ON CONFLICT DO UPDATE SET x = 1; UPDATE people SET at = 1 WHERE id = new.id; \
                   DELETE FROM `log`; UPDATE OR IGNORE other SET y = replace(a, 'b', 'c'); END";
        let found = trigger("update".into(), "people".into(), sql);
        assert_eq!(found.event, TriggerEvent::Update);
        assert_eq!(found.update_of, ["name", "e mail"]);
        let writes: Vec<(TriggerEvent, &str)> =
            found.writes.iter().map(|(event, name)| (*event, name.as_str())).collect();
        let expected = [
            (TriggerEvent::Insert, "history"),
            (TriggerEvent::Update, "history"),
            (TriggerEvent::Update, "people"),
            (TriggerEvent::Delete, "log"),
            (TriggerEvent::Update, "other"),
        ];
        assert_eq!(writes, expected);
        let sql = "CREATE TRIGGER t DELETE ON p BEGIN SELECT RAISE(ABORT, 'UPDATE x'); END";
        let found = trigger("t".into(), "p".into(), sql);
        assert_eq!((found.event, found.writes.len()), (TriggerEvent::Delete, 0));
    }
}
