//! What the application does between decision and erasure.

use sqlx::sqlite::SqliteConnection;

use super::genes::Dice;
use super::world::{Cell, Role, Rows, World};
use super::write::quote;

/// Lets a record go, become somebody else, or be no longer due: in the database and in the model.
pub async fn meddle(connection: &mut SqliteConnection, world: &World, rows: &mut Rows, gene: &[u8]) {
    let mut dice = Dice::new(gene);
    let (row, what) = (dice.pick(rows[0].len()), dice.pick(4));
    let Some(values) = rows[0].get(row).cloned().flatten() else { return };
    if world.stubborn == Some(row) {
        return;
    }
    let table = &world.tables[0];
    let change = match what {
        0 => None,
        1 => table.column(&Role::Since).map(|column| (column, Cell::text("2026-11-21"))),
        2 => table.column(&Role::Status).map(|column| (column, Cell::Integer(1))),
        _ => Some((world.identity[0], Cell::Text(format!("canary-somebody-else-{row}")))),
    };
    let same: Vec<String> = table
        .columns
        .iter()
        .zip(&values)
        .map(|(column, value)| format!("{} IS {}", quote(&column.name), value.sql()))
        .collect();
    let (name, same) = (quote(&table.name), same.join(" AND "));
    let statement = match &change {
        None => format!("DELETE FROM {name} WHERE {same}"),
        Some((column, new)) => {
            format!("UPDATE {name} SET {} = {} WHERE {same}", quote(&table.columns[*column].name), new.sql())
        }
    };
    let sql = format!("PRAGMA foreign_keys = OFF; {statement};");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await.unwrap();
    match change {
        None => rows[0][row] = None,
        Some((column, new)) => rows[0][row].as_mut().unwrap()[column] = new,
    }
}
