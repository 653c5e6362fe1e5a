//! The trees of a database: what each holds, and whether a category reaches it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteConnection;

use super::Ours;
use crate::proof::{Tree, TreeKind};
use crate::source::schema::{Table, TriggerEvent};
use crate::source::sqlite::catalogue;
use crate::source::sqlite::connection::{count, fetch, value};
use crate::source::{Mapping, Schema, SourceError, TableKind};

/// What FTS5 keeps its blocks in.
const BLOCKS5: &str = "_data";
/// What FTS5 keeps in it of the first term of each block.
const SEPARATORS5: &str = "_idx";
/// What FTS3 and FTS4 keep their nodes in.
const NODES3: [&str; 2] = ["_segments", "_segdir"];
/// What virtual tables keep the rows themselves in.
const CONTENT: &str = "_content";

/// The tables that categories reach: their own, their dependents', and those that the application's triggers on them
/// write, full-text indexes among them.
#[must_use]
pub fn reached<'m>(schema: &Schema, mappings: impl Iterator<Item = &'m Mapping>) -> BTreeSet<String> {
    let tables = mappings.flat_map(|mapping| &mapping.nodes).map(|node| node.table.to_lowercase());
    let mut reached: BTreeSet<String> = tables.collect();
    loop {
        let on_reached = schema.triggers.iter().filter(|trigger| reached.contains(&trigger.table.to_lowercase()));
        let written: Vec<String> =
            on_reached.flat_map(|trigger| &trigger.writes).map(|(_, table)| table.to_lowercase()).collect();
        let before = reached.len();
        reached.extend(written);
        if reached.len() == before {
            return reached;
        }
    }
}

/// The trees of a database.
#[derive(Clone, Default)]
pub(super) struct Trees {
    /// That of the schema first.
    pub(super) all: Vec<Tree>,
    /// By the name of a full-text index: where the rows are that it indexes.
    pub(super) contents: BTreeMap<String, Vec<Contents>>,
}

/// A table that a full-text index finds rows of, and the column that numbers them; `None`: the number that every row has.
#[derive(Clone)]
pub(super) struct Contents {
    pub(super) table: String,
    pub(super) number: Option<String>,
}

/// Reads the trees.
pub(super) async fn read(connection: &mut SqliteConnection, ours: &Ours) -> Result<Trees, SourceError> {
    const DOING: &str = "read where tables begin";
    let schema = catalogue::read(connection).await?;
    let is_ours = |table: &str| match ours {
        Ours::All => true,
        Ours::Tables { reached, .. } => reached.contains(&table.to_lowercase()),
    };
    let holds_rows = |table: &str| match ours {
        Ours::All => true,
        Ours::Tables { rows, .. } => rows.contains(&table.to_lowercase()),
    };
    let mut trees = vec![Tree {
        name: "sqlite_schema".to_owned(),
        root: 1,
        kind: TreeKind::Rows,
        is_ours: matches!(ours, Ours::All),
    }];
    let sql = "SELECT name, tbl_name, type, rootpage FROM sqlite_schema WHERE rootpage > 0 ORDER BY rootpage";
    for row in fetch(connection, DOING, sql.to_owned(), Vec::new()).await? {
        let text = |column| value(&row, column).map(|value| value.as_str().unwrap_or_default().to_owned());
        let (name, table, kind) = (text(0)?, text(1)?, text(2)?);
        let owner = owner(&schema, &table);
        let is_statistics = table.starts_with("sqlite_stat");
        let kind = match owner {
            _ if kind == "index" || is_statistics => TreeKind::Entries,
            Some((owner, module)) => shadow(&table, owner, module, holds_rows(owner)),
            None => TreeKind::Rows,
        };
        let is_ours = is_statistics || is_ours(&table) || owner.is_some_and(|(owner, _)| is_ours(owner));
        trees.push(Tree { name, root: u32::try_from(count(&row, 3)?).unwrap_or(0), kind, is_ours });
    }
    let indexes = schema.tables.iter().filter(|table| table.is_full_text());
    let contents = indexes.map(|index| (index.name.clone(), contents(&schema, index))).collect();
    Ok(Trees { all: trees, contents })
}

/// Where the rows are that an index finds: in itself, in the table that it names, or, where it has and names none, in the
/// tables whose triggers write it.
fn contents(schema: &Schema, index: &Table) -> Vec<Contents> {
    let numbered = |table: &str| Contents { table: table.to_owned(), number: None };
    match &index.kind {
        TableKind::Virtual { has_own_content: true, .. } => vec![numbered(&index.name)],
        TableKind::Virtual { content: Some((table, number)), .. } => {
            vec![Contents { table: table.clone(), number: number.clone() }]
        }
        _ => {
            let writes = |(_, table): &(TriggerEvent, String)| table.eq_ignore_ascii_case(&index.name);
            let triggers = schema.triggers.iter().filter(|trigger| trigger.writes.iter().any(writes));
            triggers.map(|trigger| &*trigger.table).collect::<BTreeSet<_>>().into_iter().map(numbered).collect()
        }
    }
}

/// The virtual table that keeps its data in this one, with its module.
fn owner<'s>(schema: &'s Schema, table: &str) -> Option<(&'s str, &'s str)> {
    schema.table(table).filter(|table| table.kind == TableKind::Shadow)?;
    schema.tables.iter().find_map(|other| match &other.kind {
        TableKind::Virtual { module, .. } => {
            let (head, rest) = table.split_at_checked(other.name.len())?;
            (head.eq_ignore_ascii_case(&other.name) && rest.starts_with('_')).then_some((&*other.name, &**module))
        }
        TableKind::Ordinary | TableKind::View | TableKind::Shadow => None,
    })
}

/// What a table holds in which a virtual one keeps its data. Its contents are copies, unless the virtual table is itself what
/// a category erases from.
fn shadow(table: &str, owner: &str, module: &str, holds_rows: bool) -> TreeKind {
    let suffix = table.get(owner.len()..).unwrap_or_default().to_lowercase();
    match module {
        "fts5" if suffix == BLOCKS5 => TreeKind::Terms5,
        "fts5" if suffix == SEPARATORS5 => TreeKind::Separators5,
        "fts3" | "fts4" if NODES3.contains(&&*suffix) => TreeKind::Terms3,
        _ if suffix == CONTENT && holds_rows => TreeKind::Rows,
        _ => TreeKind::Entries,
    }
}

/// The full-text index that keeps its terms in this tree.
pub(super) fn index_of(tree: &Tree) -> Option<String> {
    let suffixes: &[&str] = match tree.kind {
        TreeKind::Terms5 => &[BLOCKS5],
        TreeKind::Separators5 => &[SEPARATORS5],
        TreeKind::Terms3 => &NODES3,
        TreeKind::Rows | TreeKind::Entries => return None,
    };
    let name = tree.name.to_lowercase();
    let suffix = suffixes.iter().find(|suffix| name.ends_with(**suffix))?;
    tree.name.get(..tree.name.len() - suffix.len()).map(ToOwned::to_owned)
}
