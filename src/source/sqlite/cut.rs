//! Which references of rows that stay are cut: those to rows that they own and that go or are unlinked.

use super::apply::in_rows_as;
use super::stage::{Layout, fate};
use super::text::{qualified, quote, refers_to_one_of};
use crate::config::Rule;
use crate::source::mapping::{Direction, Fate, Node, NodeLink};

/// A reference that is cut.
pub(super) struct Cut {
    /// SQL: what its columns are set to.
    pub(super) set: String,
    /// SQL: whether it is cut in a row of the owner's table.
    pub(super) condition: String,
}

impl Layout<'_> {
    /// The references that are cut in rows of this node that stay; `alias` is what such a row is called.
    pub(super) fn cuts(&self, place: usize, alias: &str) -> Vec<Cut> {
        self.mapping
            .children(place)
            .filter(|(_, _, link)| link.direction == Direction::Owned)
            .filter_map(|(child, node, link)| cut(child, node, link, alias))
            .collect()
    }
}

fn cut(child: usize, node: &Node, link: &NodeLink, alias: &str) -> Option<Cut> {
    // An unlinked row is no longer referred to, whether it was changed or is shared.
    let fates: &[u8] = match node.fate {
        Fate::Dependent(Rule::Delete) => &[fate::GOES, fate::GOES_ELSEWHERE],
        Fate::Dependent(Rule::Unlink) => &[fate::STAYS, fate::SHARED, fate::GOES_ELSEWHERE],
        Fate::Dependent(Rule::Keep) | Fate::OtherRecord | Fate::Record => return None,
    };
    let set: Vec<String> = link.parent_columns.iter().map(|column| format!("{} = NULL", quote(column))).collect();
    let own: Vec<String> = link.columns.iter().map(|column| qualified("o", column)).collect();
    let theirs: Vec<String> = link.parent_columns.iter().map(|column| qualified(alias, column)).collect();
    let collations: Vec<Option<&str>> = link.columns.iter().map(|column| node.collation(column)).collect();
    let rows = in_rows_as(node, "o", &Layout::rows(child, node, fates));
    let query = format!("SELECT {} FROM {} o WHERE {rows}", own.join(", "), quote(&node.table));
    Some(Cut { set: set.join(", "), condition: refers_to_one_of(&theirs, &query, &collations) })
}
