//! Sees that what ties categories to one another can be followed.

use super::names::place_of;
use super::{Check, key_type, listed};
use crate::config::{Category, Column, Finding, Linked, LinkedBy};
use crate::record::KeyType;
use crate::source::mapping::Tie;
use crate::source::schema::Table;

/// One side of a tie: columns that are to hold the key of a category.
struct Side<'w> {
    category: &'w Category,
    written: &'w [Column],
    columns: Vec<String>,
}

impl<'a> Check<'a> {
    /// The ties that this category's source holds for it: its own links by its columns or through a table, and those
    /// that other categories have written down by columns of its table.
    pub(super) fn ties(&mut self, table: &'a Table, key: &[String]) -> Vec<Tie> {
        let (category, settings) = (self.category, self.settings);
        let mut found = Vec::new();
        for link in &category.linked {
            let Some(other) = settings.categories.get(&link.category.value) else { continue };
            let tie = match &link.by {
                LinkedBy::Column(columns) => self.tie_by_column(table, key, (other, columns)),
                LinkedBy::Through { table: between, columns, theirs } => {
                    let Some(between) = self.table(between) else { continue };
                    self.tie_through(between, (category, columns), (other, theirs))
                }
                // Held in the other's table, and looked at with it.
                LinkedBy::Theirs(_) => None,
            };
            found.extend(tie);
        }
        for (other, link) in settings.categories.values().flat_map(|other| other.linked.iter().map(move |l| (other, l)))
        {
            if let Linked { category: named, by: LinkedBy::Theirs(columns), .. } = link
                && named.value == category.name
            {
                found.extend(self.tie_by_column(table, key, (other, columns)));
            }
        }
        found
    }

    /// Columns of the category's own table hold the other's key.
    fn tie_by_column(&mut self, table: &'a Table, key: &[String], other: (&'a Category, &'a [Column])) -> Option<Tie> {
        let theirs = self.side(table, other.0, other.1)?;
        let tie = Tie {
            other: theirs.category.name.clone(),
            table: table.name.clone(),
            own: key.to_vec(),
            theirs: theirs.columns.clone(),
        };
        self.warn_of_scan(table, &theirs);
        Some(tie)
    }

    /// Columns of a table between the two hold both keys.
    fn tie_through(
        &mut self,
        between: &'a Table,
        own: (&'a Category, &'a [Column]),
        theirs: (&'a Category, &'a [Column]),
    ) -> Option<Tie> {
        let own = self.side(between, own.0, own.1);
        let theirs = self.side(between, theirs.0, theirs.1);
        let (own, theirs) = (own?, theirs?);
        self.warn_of_scan(between, &own);
        self.warn_of_scan(between, &theirs);
        Some(Tie {
            other: theirs.category.name.clone(),
            table: between.name.clone(),
            own: own.columns,
            theirs: theirs.columns,
        })
    }

    /// The columns of one side, which must be able to hold the category's key.
    fn side(&mut self, table: &'a Table, category: &'a Category, written: &'a [Column]) -> Option<Side<'a>> {
        let columns = self.columns(table, written)?;
        let place = place_of(written, &category.place).clone();
        let Some(key_columns) = self.key_columns(category) else {
            // Its table is in another database, or has been reported itself.
            return Some(Side { category, written, columns });
        };
        if key_columns.len() != columns.len() {
            let message = format!(
                "{} of {} cannot hold the key of {}, which is {}",
                listed(&columns),
                table.name,
                category.name,
                listed(&key_columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>())
            );
            self.report(
                Finding::error("link-mismatch", &place, message)
                    .hint("name as many columns as the key has, in the key's order"),
            );
            return None;
        }
        for (column, (key_column, own)) in columns.iter().zip(&key_columns) {
            let held = key_type(table, column);
            if held != *own {
                let word = |of: KeyType| if of == KeyType::Text { "text" } else { "numbers" };
                let message = format!(
                    "{column} of {} holds {}, and {key_column}, the key of {}, is {}",
                    table.name,
                    word(held),
                    category.name,
                    word(*own)
                );
                self.report(
                    Finding::error("link-type", &place, message)
                        .hint("name the column that refers to the key; another one would tie the wrong people"),
                );
                return None;
            }
        }
        Some(Side { category, written, columns })
    }

    /// The key's columns with what they make of digits, where the category is in this source.
    fn key_columns(&self, category: &Category) -> Option<Vec<(String, KeyType)>> {
        if category.source.value != self.category.source.value {
            // Only how many they are can be known, and that only where they are written.
            return None;
        }
        let table = self.schema.table(&category.table.value)?;
        let names: Vec<String> = if category.key.is_empty() {
            table.primary_key.clone()
        } else {
            category.key.iter().filter_map(|name| Some(table.column(&name.value)?.name.clone())).collect()
        };
        (!names.is_empty()).then(|| names.into_iter().map(|name| (name.clone(), key_type(table, &name))).collect())
    }

    /// A tie is followed from both ends.
    fn warn_of_scan(&mut self, table: &Table, side: &Side<'_>) {
        if table.has_index_on(&side.columns) {
            return;
        }
        let message = format!("no index finds rows of {} by {}", table.name, listed(&side.columns));
        let place = place_of(side.written, &side.category.place).clone();
        let hint = super::links::create_index(&table.name, &side.columns);
        self.report(Finding::warning("unindexed", &place, message).hint(hint));
    }
}
