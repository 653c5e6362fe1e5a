//! Reads the schema from SQLite's catalogue.

mod triggers;

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::connection::fetch;
use super::shape::word;
use super::text::{Token, literal, tokens};
use crate::source::SourceError;
use crate::source::schema::{Affinity, ForeignKey, OnDelete, RowId, Schema, Table, TableColumn, TableKind};

/// The daemon's own table in a source.
pub(super) const MARKER_TABLE: &str = "erasured_commit";

/// What virtual tables add to their name for the tables they keep their data in.
const SHADOW_SUFFIXES: [&str; 11] =
    ["_data", "_idx", "_content", "_docsize", "_config", "_segments", "_segdir", "_stat", "_node", "_rowid", "_parent"];

/// Reads tables, keys, references, indexes and triggers.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Schema, SourceError> {
    let listed = rows(
        connection,
        "SELECT l.name, l.type, l.wr, l.strict, coalesce(s.sql, '') AS sql \
         FROM pragma_table_list l LEFT JOIN sqlite_schema s ON s.name = l.name AND s.type IN ('table', 'view') \
         WHERE l.schema = 'main' AND l.name NOT GLOB 'sqlite_*' ORDER BY l.name",
    )
    .await?;
    let virtual_names: Vec<String> =
        listed.iter().filter(|row| text(row, "type") == "virtual").map(|row| text(row, "name")).collect();
    let mut tables = Vec::with_capacity(listed.len());
    for row in &listed {
        let name = text(row, "name");
        if name == MARKER_TABLE {
            continue;
        }
        tables.push(table(connection, row, &virtual_names).await?);
    }
    complete_foreign_keys(&mut tables);
    Ok(Schema { tables, triggers: triggers::triggers(connection).await? })
}

async fn rows(connection: &mut SqliteConnection, sql: &str) -> Result<Vec<SqliteRow>, SourceError> {
    fetch(connection, "read the schema", sql.to_owned(), Vec::new()).await
}

fn text(row: &SqliteRow, column: &str) -> String {
    row.try_get::<Option<String>, _>(column).ok().flatten().unwrap_or_default()
}

fn number(row: &SqliteRow, column: &str) -> i64 {
    row.try_get::<Option<i64>, _>(column).ok().flatten().unwrap_or_default()
}

async fn table(
    connection: &mut SqliteConnection,
    row: &SqliteRow,
    virtual_names: &[String],
) -> Result<Table, SourceError> {
    let name = text(row, "name");
    let sql = text(row, "sql");
    let kind = kind(&name, &text(row, "type"), &sql, virtual_names);
    let columns = match columns(connection, &name).await {
        Ok(columns) => columns,
        // A broken view, or a virtual table whose module only the application has: it is named, and no more.
        Err(_) if matches!(kind, TableKind::View | TableKind::Virtual { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut primary_key: Vec<(i64, String)> =
        columns.iter().filter(|(position, _)| *position > 0).map(|(p, c)| (*p, c.name.clone())).collect();
    primary_key.sort();
    let primary_key: Vec<String> = primary_key.into_iter().map(|(_, name)| name).collect();
    let columns: Vec<TableColumn> = columns.into_iter().map(|(_, column)| column).collect();
    let mut table = Table {
        kind,
        columns,
        row_id: None,
        foreign_keys: foreign_keys(connection, &name).await?,
        unique_keys: vec![primary_key.clone()],
        indexes: Vec::new(),
        primary_key,
        strict: number(row, "strict") != 0,
        definition: vec![sql],
        name,
    };
    if table.kind == TableKind::Ordinary {
        add_wordings(&mut table);
        indexes(connection, &mut table).await?;
    }
    table.unique_keys.retain(|key| !key.is_empty());
    table.row_id = row_id(&table, number(row, "wr") != 0);
    Ok(table)
}

fn kind(name: &str, listed: &str, sql: &str, virtual_names: &[String]) -> TableKind {
    let is_shadow = listed == "shadow"
        || virtual_names.iter().any(|owner| SHADOW_SUFFIXES.iter().any(|suffix| name == format!("{owner}{suffix}")));
    match listed {
        "view" => TableKind::View,
        "virtual" => virtual_kind(sql),
        _ if is_shadow => TableKind::Shadow,
        _ => TableKind::Ordinary,
    }
}

fn virtual_kind(sql: &str) -> TableKind {
    let words = tokens(sql);
    let module = words
        .iter()
        .position(|word| word.token.is_word("USING"))
        .and_then(|at| words.get(at + 1))
        .and_then(|word| word.token.as_name())
        .unwrap_or_default()
        .to_lowercase();
    let option = |name: &str| {
        let at = words.iter().position(|word| word.token.is_word(name))?;
        matches!(words.get(at + 1)?.token, Token::Sign('=')).then(|| words.get(at + 2))?
    };
    let has_no_content = option("content").is_some_and(|value| value.token.as_name() == Some(""));
    let deletes = option("contentless_delete").is_some_and(|value| value.token.as_name() == Some("1"));
    let has_own_content = option("content").is_none();
    let named = |name: &str| option(name)?.token.as_name().filter(|name| !name.is_empty()).map(str::to_owned);
    let content = named("content").map(|content| (content, named("content_rowid")));
    TableKind::Virtual {
        module,
        contentless: has_no_content && !deletes,
        has_own_content,
        content,
        deletes_by_mark: has_no_content && deletes,
    }
}

/// Columns, each with its position in the primary key (0: not in it).
async fn columns(connection: &mut SqliteConnection, table: &str) -> Result<Vec<(i64, TableColumn)>, SourceError> {
    let sql = format!(
        "SELECT name, type, \"notnull\" AS not_null, pk, hidden FROM pragma_table_xinfo({}) ORDER BY cid",
        literal(table)
    );
    let found = rows(connection, &sql).await?;
    Ok(found
        .iter()
        .map(|row| {
            let declared_type = text(row, "type");
            let hidden = number(row, "hidden");
            let column = TableColumn {
                name: text(row, "name"),
                affinity: affinity(&declared_type),
                collation: None,
                declared_collation: None,
                expression: None,
                declared_type,
                not_null: number(row, "not_null") != 0,
                generated: hidden == 2 || hidden == 3,
                hidden: hidden == 1,
            };
            (number(row, "pk"), column)
        })
        .collect())
}

/// The rules of SQLite's documentation, "Determination Of Column Affinity".
fn affinity(declared_type: &str) -> Affinity {
    let declared = declared_type.to_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        Affinity::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else if has("BLOB") || declared.is_empty() || declared == "ANY" {
        Affinity::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// What the statement that makes a table says of its columns beside what SQLite's catalogue tells: how a column's text
/// compares, and the expression that computes it.
fn add_wordings(table: &mut Table) {
    for part in table.definition.iter().flat_map(|sql| definitions(sql)).collect::<Vec<_>>() {
        let Some(name) = part.first().and_then(Token::as_name) else { continue };
        let column = table.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(name));
        // A constraint begins with a word that a column could be called; columns stand before constraints.
        let Some(column) = column.filter(|column| column.declared_collation.is_none() && column.expression.is_none())
        else {
            continue;
        };
        let collated = top_level(&part, "COLLATE").and_then(|at| part.get(at + 1)).and_then(Token::as_name);
        column.declared_collation = collated.map(str::to_owned);
        if column.generated
            && let Some(at) = top_level(&part, "AS")
        {
            let length = enclosed(&part[at + 1..]);
            column.expression = Some(part[at + 1..at + 1 + length].iter().map(word).collect::<Vec<_>>().join(" "));
        }
    }
}

/// The parts between the first parentheses of a statement, which its columns and constraints are.
fn definitions(sql: &str) -> Vec<Vec<Token>> {
    let words: Vec<Token> = tokens(sql).into_iter().map(|located| located.token).collect();
    let Some(start) = words.iter().position(|word| *word == Token::Sign('(')) else { return Vec::new() };
    let end = start + enclosed(&words[start..]);
    let inside = words.get(start + 1..end.saturating_sub(1)).unwrap_or_default();
    let (mut parts, mut depth) = (vec![Vec::new()], 0_usize);
    for word in inside {
        match word {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            Token::Sign(',') if depth == 0 => {
                parts.push(Vec::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(word.clone());
        }
    }
    parts
}

/// How many words the parentheses take that `words` begins with.
fn enclosed(words: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate() {
        match word {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    words.len()
}

/// Where a keyword stands outside any parentheses.
fn top_level(words: &[Token], keyword: &str) -> Option<usize> {
    let mut depth = 0_usize;
    words.iter().position(|word| {
        match word {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && word.is_word(keyword)
    })
}

async fn indexes(connection: &mut SqliteConnection, table: &mut Table) -> Result<(), SourceError> {
    let sql = format!(
        "SELECT l.name AS index_name, l.\"unique\" AS is_unique, l.partial, x.cid, x.name AS column_name, x.coll, \
         coalesce(s.sql, '') AS sql FROM pragma_index_list({}) l, pragma_index_xinfo(l.name) x \
         LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name \
         WHERE x.key = 1 ORDER BY l.seq, x.seqno",
        literal(&table.name)
    );
    let mut found: BTreeMap<String, (bool, bool, Vec<String>)> = BTreeMap::new();
    for row in rows(connection, &sql).await? {
        let is_unique = number(&row, "is_unique") != 0;
        let sql = text(&row, "sql");
        let index = found.entry(text(&row, "index_name")).or_insert_with(|| {
            if is_unique && !sql.is_empty() {
                table.definition.push(sql);
            }
            (is_unique, number(&row, "partial") == 0, Vec::new())
        });
        // An index over an expression, or over some rows only, neither finds nor guarantees anything for us.
        index.1 &= number(&row, "cid") >= 0;
        // One that compares otherwise than the column does lets in what the column takes for the same.
        index.1 &= !compares_as_bytes(&text(&row, "sql"));
        index.2.push(text(&row, "column_name"));
        // A key that is referred to is unique, and compares as its column does.
        let collation = text(&row, "coll");
        let column = table.columns.iter_mut().find(|column| column.name == text(&row, "column_name"));
        if let Some(column) = column.filter(|_| is_unique && !collation.eq_ignore_ascii_case("BINARY")) {
            column.collation = Some(collation);
        }
    }
    for (is_unique, is_plain, columns) in found.into_values() {
        if is_plain && is_unique {
            table.unique_keys.push(columns.clone());
        }
        if is_plain {
            table.indexes.push(columns);
        }
    }
    Ok(())
}

/// Whether an index asks for `COLLATE BINARY` in so many words.
fn compares_as_bytes(sql: &str) -> bool {
    let words = tokens(sql);
    words.windows(2).any(|pair| {
        pair[0].token.is_word("COLLATE")
            && pair[1].token.as_name().is_some_and(|name| name.eq_ignore_ascii_case("BINARY"))
    })
}

fn row_id(table: &Table, without_row_id: bool) -> Option<RowId> {
    let has = |name: &str| table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    match table.kind {
        TableKind::View | TableKind::Shadow => None,
        TableKind::Virtual { .. } => Some(RowId::Hidden("rowid")),
        TableKind::Ordinary if without_row_id => Some(RowId::Columns(table.primary_key.clone())),
        TableKind::Ordinary => ["rowid", "_rowid_", "oid"]
            .into_iter()
            .find(|name| !has(name))
            .map(RowId::Hidden)
            .or_else(|| never_null_key(table).map(RowId::Columns)),
    }
}

/// A unique key none of whose columns can be NULL, for a table that hides every name of its row number.
fn never_null_key(table: &Table) -> Option<Vec<String>> {
    let is_row_number = |key: &[String]| {
        key == table.primary_key
            && key.len() == 1
            && table.column(&key[0]).is_some_and(|column| column.declared_type.eq_ignore_ascii_case("INTEGER"))
    };
    let is_not_null = |key: &[String]| key.iter().all(|name| table.column(name).is_some_and(|column| column.not_null));
    table.unique_keys.iter().find(|key| is_row_number(key) || is_not_null(key)).cloned()
}

async fn foreign_keys(connection: &mut SqliteConnection, table: &str) -> Result<Vec<ForeignKey>, SourceError> {
    let sql = format!(
        "SELECT id, \"table\" AS parent, \"from\" AS child_column, \"to\" AS parent_column, on_delete \
         FROM pragma_foreign_key_list({}) ORDER BY id, seq",
        literal(table)
    );
    let mut found: BTreeMap<i64, ForeignKey> = BTreeMap::new();
    for row in rows(connection, &sql).await? {
        let key = found.entry(number(&row, "id")).or_insert_with(|| ForeignKey {
            columns: Vec::new(),
            parent: text(&row, "parent"),
            parent_columns: Vec::new(),
            on_delete: match text(&row, "on_delete").as_str() {
                "CASCADE" => OnDelete::Cascade,
                "SET NULL" => OnDelete::SetNull,
                _ => OnDelete::Nothing,
            },
        });
        key.columns.push(text(&row, "child_column"));
        let parent_column = text(&row, "parent_column");
        if !parent_column.is_empty() {
            key.parent_columns.push(parent_column);
        }
    }
    Ok(found.into_values().collect())
}

/// A reference that names only the parent table means its primary key. Names are written as the schema writes them.
fn complete_foreign_keys(tables: &mut [Table]) {
    let keys: Vec<(String, Vec<String>)> =
        tables.iter().map(|table| (table.name.clone(), table.primary_key.clone())).collect();
    for key in tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        let Some((name, primary_key)) = keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key.parent)) else {
            continue;
        };
        key.parent.clone_from(name);
        if key.parent_columns.len() != key.columns.len() {
            key.parent_columns.clone_from(primary_key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_column_is_computed_by_and_compares_by_is_read() {
        let sql = "CREATE TABLE t (a TEXT CHECK (a COLLATE RTRIM <> ',') COLLATE \"nocase\", [b c] AS (upper(a) || ')'), \
                   d INT GENERATED ALWAYS AS (a + 1) STORED COLLATE BINARY, UNIQUE (a COLLATE RTRIM))";
        let column = |name: &str, generated| TableColumn {
            name: name.into(),
            declared_type: String::new(),
            affinity: Affinity::Blob,
            collation: None,
            declared_collation: None,
            expression: None,
            not_null: false,
            generated,
            hidden: false,
        };
        let mut table = Table {
            name: "t".into(),
            kind: TableKind::Ordinary,
            columns: vec![column("a", false), column("b c", true), column("d", true), column("unique", false)],
            primary_key: Vec::new(),
            row_id: None,
            foreign_keys: Vec::new(),
            unique_keys: Vec::new(),
            indexes: Vec::new(),
            strict: false,
            definition: vec![sql.into()],
        };
        add_wordings(&mut table);
        let read = table.columns.iter().map(|c| (c.declared_collation.as_deref(), c.expression.as_deref()));
        let expected = [
            (Some("nocase"), None),
            (None, Some("( \"upper\" ( \"a\" ) | | ')' )")),
            (Some("BINARY"), Some("( \"a\" + \"1\" )")),
        ];
        assert_eq!(read.take(3).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn contentless_full_text_tables_are_told_apart() {
        let contentless = |sql| matches!(virtual_kind(sql), TableKind::Virtual { contentless: true, .. });
        assert!(contentless("CREATE VIRTUAL TABLE f USING fts5(a, content='')"));
        assert!(!contentless("CREATE VIRTUAL TABLE f USING fts5(a, content='', contentless_delete=1)"));
        assert!(!contentless("CREATE VIRTUAL TABLE f USING fts5(a, content='people')"));
        assert!(!contentless("CREATE VIRTUAL TABLE f USING fts5(a)"));
    }
}
