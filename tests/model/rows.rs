//! Fills the tables of a world.

use super::genes::{Dice, Genes};
use super::world::{Cell, DATES, KeyKind, Replacement, Role, Rows, World};

const TEXTS: [&str; 16] =
    ["a", "b", "A", "a ", " a", "12", "012", "ä,b", "x/y", "x'00'", "", "%41", "😀", "o'neil", "tab\tx", "new\nline"];
const NUMBERS: [i64; 16] =
    [1, 2, 3, -1, 0, 4711, i64::MAX, i64::MIN, 42, 7, 99, 1_000, -4711, 1 << 53, (1 << 53) + 1, 12];

/// The rows that the genes describe.
pub fn rows(genes: &Genes, world: &World) -> Rows {
    let counts: Vec<usize> = (0..world.tables.len()).map(|table| genes.rows.get(table).map_or(0, Vec::len)).collect();
    let mut rows: Rows = counts
        .iter()
        .zip(&world.tables)
        .map(|(count, table)| vec![Some(vec![Cell::Null; table.columns.len()]); *count])
        .collect();
    for (table, count) in counts.iter().enumerate() {
        for row in 0..*count {
            let gene = &genes.rows[table][row];
            fill(world, &mut rows, table, row, &mut Dice::new(gene));
        }
    }
    for reference in 0..world.references.len() {
        let table = world.references[reference].table;
        for row in 0..counts[table] {
            let gene = genes.rows[table][row].get(8 + reference % 8).copied().unwrap_or(0);
            refer(world, &mut rows, reference, row, gene);
        }
    }
    rows
}

fn set(rows: &mut Rows, table: usize, row: usize, column: usize, cell: Cell) {
    if let Some(values) = rows[table][row].as_mut() {
        values[column] = cell;
    }
}

/// Everything but references.
fn fill(world: &World, rows: &mut Rows, table: usize, row: usize, dice: &mut Dice<'_>) {
    let spec = &world.tables[table];
    let shift = table % 3;
    let key: Vec<Cell> = match spec.kind {
        KeyKind::RowNumber | KeyKind::Int => vec![Cell::Integer(NUMBERS[row + shift])],
        // A key that is NULL names nobody.
        KeyKind::Text if row == 3 && !spec.columns[spec.key[0]].not_null => vec![Cell::Null],
        // Beside "a" there is no "A" where letters count alike in both cases.
        KeyKind::Text | KeyKind::Unique => match TEXTS[row + shift] {
            "A" if spec.columns[spec.key[0]].nocase => vec![Cell::text("other")],
            text => vec![Cell::text(text)],
        },
        KeyKind::Pair => vec![Cell::text(TEXTS[row / 2]), Cell::Integer(NUMBERS[row % 2 + row / 2])],
        KeyKind::Untyped if (row + shift).is_multiple_of(2) => vec![Cell::Integer(NUMBERS[row])],
        KeyKind::Untyped => vec![Cell::text(if row == 3 { "2" } else { TEXTS[row] })],
        KeyKind::BelowParent => vec![Cell::Null, Cell::Integer(NUMBERS[row])],
    };
    for (column, cell) in spec.key.clone().into_iter().zip(key) {
        set(rows, table, row, column, cell);
    }
    for (place, column) in spec.columns.iter().enumerate() {
        let canary = format!("canary-{table}-{row}-{place}");
        let cell = match &column.role {
            Role::Key | Role::Reference => continue,
            Role::Personal(Replacement::Year) => {
                [Cell::text("1980-05-17"), Cell::text("1979-12-31 11:22:33"), Cell::Null][dice.pick(3)].clone()
            }
            Role::Personal(_) if column.declared == "INTEGER" => Cell::Integer(1_000 + row as i64),
            Role::Personal(_) => Cell::Text(canary),
            Role::Plain if column.declared == "INTEGER" => Cell::Integer(row as i64),
            Role::Plain => [Cell::Text(canary), Cell::Null][dice.pick(2)].clone(),
            // Most are long past, so that there is something to erase.
            Role::Since => DATES[[0, dice.pick(DATES.len())][dice.pick(2)]].0.map_or(Cell::Null, Cell::text),
            Role::Status => [Cell::Integer(0), Cell::Integer(1), Cell::Integer(2), Cell::Null][dice.pick(4)].clone(),
        };
        set(rows, table, row, place, cell);
    }
}

/// Lets a row refer to one of the parent's, to none, or to one that is not there.
fn refer(world: &World, rows: &mut Rows, reference: usize, row: usize, gene: u8) {
    let reference = &world.references[reference];
    let spec = &world.tables[reference.table];
    let key = &world.tables[reference.parent].key;
    let keys: Vec<Vec<Cell>> = rows[reference.parent]
        .iter()
        .flatten()
        .map(|values| key.iter().map(|column| values[*column].clone()).collect())
        .collect();
    let is_nullable = !reference.columns.iter().any(|column| spec.columns[*column].not_null);
    let choices = keys.len() + 2;
    let choice = usize::from(gene) % choices;
    let dangling = || -> Vec<Cell> {
        let types = key.iter().map(|column| world.tables[reference.parent].columns[*column].declared);
        types.map(|declared| if declared == "TEXT" { Cell::text("nobody") } else { Cell::Integer(77_777) }).collect()
    };
    let mut values = match keys.get(choice) {
        Some(values) => values.clone(),
        None if choice == keys.len() && is_nullable => vec![Cell::Null; key.len()],
        None => dangling(),
    };
    if !is_nullable && values.contains(&Cell::Null) {
        values = dangling();
    }
    if is_nullable && values.len() > 1 && gene > 230 {
        values[0] = Cell::Null;
    }
    if let (true, [Cell::Text(text)]) = (gene % 5 == 4, values.as_mut_slice()) {
        *text = text.to_ascii_uppercase();
    }
    for (column, cell) in reference.columns.clone().into_iter().zip(values) {
        set(rows, reference.table, row, column, cell);
    }
}
