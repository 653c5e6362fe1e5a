//! Writes a world down as its application and its operator would: SQL and TOML.

use std::fmt::Write as _;

use erasured::config::Rule;

use super::world::{Cell, Column, Criterion, KeyKind, Node, Replacement, Retention, Role, Rows, Side, Table, World};

pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// The schema with its rows.
pub fn sql(world: &World, rows: &Rows) -> String {
    let mut sql = String::from("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF;");
    if world.wal {
        sql.push_str("PRAGMA journal_mode = WAL;");
    }
    sql.push_str("BEGIN;\n");
    for (index, table) in world.tables.iter().enumerate() {
        create(&mut sql, world, index, table);
    }
    for (index, reference) in world.references.iter().enumerate().filter(|(_, reference)| reference.indexed) {
        let table = &world.tables[reference.table];
        let columns = quoted(&table.names(&reference.columns));
        let _ = writeln!(sql, "CREATE INDEX index_{index} ON {} ({columns});", quote(&table.name));
    }
    for (table, rows) in world.tables.iter().zip(rows) {
        for values in rows.iter().flatten() {
            let values: Vec<String> = values.iter().map(Cell::sql).collect();
            let _ = writeln!(sql, "INSERT INTO {} VALUES ({});", quote(&table.name), values.join(", "));
        }
    }
    if let Some(row) = world.stubborn {
        triggers(&mut sql, world, rows, row);
    }
    sql.push_str("COMMIT;");
    sql
}

/// Triggers that do not let one record go or change: they refuse it, or undo it and say nothing.
fn triggers(sql: &mut String, world: &World, rows: &Rows, row: usize) {
    let table = &world.tables[0];
    let Some(values) = rows[0].get(row).and_then(Option::as_ref) else { return };
    let personal = table.key.len();
    let (own, column, value) = (quote(&table.name), quote(&table.columns[personal].name), values[personal].sql());
    let names: Vec<String> = table.columns.iter().map(|column| quote(&column.name)).collect();
    let (when, restore, insert) = if world.undoes {
        let same: Vec<String> = table.key.iter().map(|key| format!("{0} IS new.{0}", names[*key])).collect();
        let old: Vec<String> = names.iter().map(|name| format!("old.{name}")).collect();
        let restore = format!("UPDATE {own} SET {column} = old.{column} WHERE {}", same.join(" AND "));
        ("AFTER", restore, format!("INSERT INTO {own} VALUES ({})", old.join(", ")))
    } else {
        let refuse = "SELECT RAISE(ABORT, 'stubborn')".to_owned();
        ("BEFORE", refuse.clone(), refuse)
    };
    for (trigger, event, body) in
        [("stubborn", "DELETE".to_owned(), insert), ("stubborn_2", format!("UPDATE OF {column}"), restore)]
    {
        let _ = writeln!(
            sql,
            "CREATE TRIGGER {trigger} {when} {event} ON {own} WHEN old.{column} = {value} BEGIN {body}; END;"
        );
    }
}

fn create(sql: &mut String, world: &World, index: usize, table: &Table) {
    let mut parts: Vec<String> = table.columns.iter().enumerate().map(|(at, c)| definition(table, at, c)).collect();
    let key = quoted(&table.names(&table.key));
    match table.kind {
        KeyKind::RowNumber => {}
        KeyKind::Unique => parts.push(format!("UNIQUE ({key})")),
        _ => parts.push(format!("PRIMARY KEY ({key})")),
    }
    for reference in world.references.iter().filter(|r| r.table == index && r.declared) {
        let parent = &world.tables[reference.parent];
        // A reference that names the table alone means its primary key.
        let is_short = reference.columns.len() % 2 == 1 && reference.indexed && parent.kind != KeyKind::Unique;
        let referred = if is_short { String::new() } else { format!(" ({})", quoted(&parent.names(&parent.key))) };
        parts.push(format!(
            "FOREIGN KEY ({}) REFERENCES {}{referred}{}",
            quoted(&table.names(&reference.columns)),
            quote(&parent.name),
            reference.action
        ));
    }
    let options = if table.without_row_id { " WITHOUT ROWID" } else { "" };
    let _ = writeln!(sql, "CREATE TABLE {} (\n  {}\n){options};", quote(&table.name), parts.join(",\n  "));
}

fn definition(table: &Table, at: usize, column: &Column) -> String {
    let mut text = format!("{} {}", quote(&column.name), column.declared);
    if table.kind == KeyKind::RowNumber && table.key == [at] {
        text.push_str(" PRIMARY KEY");
    }
    if column.not_null {
        text.push_str(" NOT NULL");
    }
    if column.nocase {
        text.push_str(" COLLATE NOCASE");
    }
    if column.unique {
        text.push_str(" UNIQUE");
    }
    text
}

/// A TOML string.
pub fn text(value: &str) -> String {
    let mut written = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                written.push('\\');
                written.push(c);
            }
            c if c.is_control() => {
                let _ = write!(written, "\\u{:04X}", u32::from(c));
            }
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

fn list(names: &[String]) -> String {
    format!("[{}]", names.iter().map(|name| text(name)).collect::<Vec<_>>().join(", "))
}

/// The file of the category under test, without `version` and `source`.
pub fn category(world: &World) -> String {
    let table = &world.tables[0];
    let mut toml = format!("table = {}\n", text(&table.name));
    if table.kind == KeyKind::Unique || table.columns.len().is_multiple_of(2) {
        let _ = writeln!(toml, "key = {}", list(&table.names(&table.key)));
    }
    if world.stubborn.is_some() {
        toml.push_str("triggers = [\"stubborn\", \"stubborn_2\"]\n");
    }
    let _ = writeln!(toml, "identity = {}", list(&table.names(&world.identity)));
    for (index, criterion) in world.criteria.iter().enumerate() {
        let _ = writeln!(toml, "\n[[criterion]]\nname = \"criterion-{index}\"");
        write_criterion(&mut toml, table, criterion);
    }
    let _ = writeln!(toml, "\n[erase]\nkeep = {}", list(&kept(table, true)));
    let _ = writeln!(toml, "anonymise = {{ {} }}", replacements(table).join(", "));
    for (place, node) in world.nodes.iter().enumerate().skip(1) {
        dependent(&mut toml, world, place, node);
    }
    toml
}

/// The file of a category that only has to be there.
pub fn other_category(table: &Table) -> String {
    format!(
        "table = {}\nkey = {}\nidentity = {}\n[[criterion]]\nname = \"never\"\nwhere = \"0\"\n",
        text(&table.name),
        list(&table.names(&table.key)),
        list(&table.names(&table.key)),
    )
}

fn write_criterion(toml: &mut String, table: &Table, criterion: &Criterion) {
    let column = |role: &Role| table.column(role).map(|column| &table.columns[column].name);
    if let (Some(years), Some(since)) = (criterion.years, column(&Role::Since)) {
        period(toml, since, criterion.quoted, years, criterion.year_end);
    }
    if let (Some(status), Some(name)) = (criterion.status, column(&Role::Status)) {
        let _ = writeln!(toml, "where = {}", text(&format!("{} >= {status}", quote(name))));
    }
}

fn period(toml: &mut String, since: &str, is_quoted: bool, years: i32, year_end: bool) {
    // Blanks around a bare name are the operator's, not the column's.
    let sql = if is_quoted || since.trim() != since { quote(since) } else { since.to_owned() };
    let _ = writeln!(toml, "since = {}\nperiod = \"{years} years\"", text(&sql));
    if year_end {
        toml.push_str("starts = \"year-end\"\n");
    }
}

fn kept(table: &Table, scrubs: bool) -> Vec<String> {
    let stays = |column: &&Column| !scrubs || !matches!(column.role, Role::Personal(_));
    table.columns.iter().filter(stays).map(|column| column.name.clone()).collect()
}

fn replacements(table: &Table) -> Vec<String> {
    table
        .columns
        .iter()
        .filter_map(|column| {
            let Role::Personal(replacement) = &column.role else { return None };
            let how = match replacement {
                Replacement::Null => "\"null\"".to_owned(),
                Replacement::Value(Cell::Text(value)) => format!("{{ value = {} }}", text(value)),
                Replacement::Value(value) => format!("{{ value = {} }}", value.shown()),
                Replacement::Template => "{ template = \"erased-{key}\" }".to_owned(),
                Replacement::Year => "{ truncate = \"year\" }".to_owned(),
            };
            Some(format!("{} = {how}", text(&column.name)))
        })
        .collect()
}

fn dependent(toml: &mut String, world: &World, place: usize, node: &Node) {
    let table = &world.tables[node.table];
    let reference = &world.references[node.reference];
    let columns = world.tables[reference.table].names(&reference.columns);
    let referred = &world.tables[reference.parent];
    let _ = writeln!(toml, "\n[[dependent]]\nname = \"node-{place}\"");
    if node.parent != 0 {
        let _ = writeln!(toml, "parent = \"node-{}\"", node.parent);
    }
    let _ = writeln!(toml, "table = {}", text(&table.name));
    let key = if node.side == Side::Owned { "parent_column" } else { "column" };
    match columns.as_slice() {
        [one] => {
            let _ = writeln!(toml, "{key} = {}", text(one));
        }
        many => {
            let _ = writeln!(toml, "{key}s = {}", list(many));
        }
    }
    if !reference.declared && (referred.kind == KeyKind::Unique || place.is_multiple_of(2)) {
        let _ = writeln!(toml, "references = {}", list(&referred.names(&referred.key)));
    }
    let _ = writeln!(toml, "rule = \"{}\"", node.rule.as_str());
    if node.rule != Rule::Delete && !world.are_records(node) {
        let _ = writeln!(toml, "keep = {}", list(&kept(table, node.scrubs)));
        if node.scrubs {
            let _ = writeln!(toml, "anonymise = {{ {} }}", replacements(table).join(", "));
        }
    }
    if let (Some(Retention { years, year_end }), Some(since)) = (node.retention, table.column(&Role::Since)) {
        period(toml, &table.columns[since].name, place.is_multiple_of(2), years, year_end);
    }
}
