//! Names as the worst schemas have them.

use super::world::World;

/// Names of tables and columns: reserved words, quotes of every kind, blanks, other scripts, and the names that the
/// engine itself gives to what it works with.
const POOL: [&str; 84] = [
    "id",
    "name",
    "order",
    "Straße",
    "na\"me",
    "it's",
    "[x]",
    "a b",
    "a.b",
    "x]y",
    "`tick",
    "select",
    "rowid",
    "oid",
    "_rowid_",
    "key",
    "value",
    "fate",
    "root",
    "i0",
    "i1",
    "r0",
    "r1",
    "a0",
    "s0",
    "k0",
    "k1",
    "l0",
    "f0",
    "h0",
    "t",
    "p",
    "q",
    "c",
    "o",
    "x",
    "k",
    "d",
    "u",
    "s",
    "p0",
    "p1",
    "é",
    "%",
    "?1",
    ":today",
    "a;b",
    "--",
    "/*",
    "NULL",
    "end",
    "group",
    "Ä",
    "日本",
    " lead",
    "trail ",
    "tab\there",
    "{key}",
    "x'00'",
    "'",
    "\"",
    "\\",
    "json",
    "erasing_0",
    "erasing_1",
    "excluded",
    "temp",
    "main",
    "new",
    "old",
    "rank",
    "1",
    "why?",
    "true",
    "false",
    "now",
    "date",
    "current_date",
    "Root",
    "row\nid",
    "to",
    "set",
    "where",
    "\"a\".\"b\"",
];

/// Gives names out, none twice in one place.
pub struct Names<'g> {
    genes: &'g [u8],
    at: usize,
}

impl<'g> Names<'g> {
    /// Without genes names are plain.
    pub fn new(genes: &'g [u8]) -> Self {
        Self { genes, at: 0 }
    }

    /// Names every table and every column.
    pub fn give(mut self, world: &mut World) {
        let mut tables: Vec<String> = Vec::new();
        for (index, table) in world.tables.iter_mut().enumerate() {
            table.name = self.draw(&tables, format!("table_{index}"));
            tables.push(table.name.clone());
        }
        for table in &mut world.tables {
            let mut columns: Vec<String> = Vec::new();
            for (index, column) in table.columns.iter_mut().enumerate() {
                column.name = self.draw(&columns, format!("column_{index}"));
                columns.push(column.name.clone());
            }
        }
    }

    fn draw(&mut self, taken: &[String], plain: String) -> String {
        let gene = self.genes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        // Every other name is plain, so that what fails can be read.
        if gene % 2 == 0 {
            return plain;
        }
        let first = usize::from(gene / 2);
        (0..POOL.len())
            .map(|step| POOL[(first + step) % POOL.len()])
            .find(|name| !taken.iter().any(|other| other.eq_ignore_ascii_case(name)))
            .map_or(plain, str::to_owned)
    }
}
