//! Decides what happens to rows that lie in more than one hand: shared ones, ones that several nodes reach, and records
//! that others keep.

use sqlx::sqlite::SqliteConnection;

use super::connection::execute;
use super::stage::{DOING, Layout, columns_of, fate};
use super::text::{qualified, quote, refers};
use crate::config::Rule;
use crate::source::SourceError;
use crate::source::mapping::{Direction, Fate, Node, NodeLink, Reference};

/// Each round takes at least one more row for shared; the source's lock is held all the while.
const ROUNDS_MAX: usize = 1_000;

impl Layout<'_> {
    /// Decides what happens to each row. An owned row that something beyond the batch refers to takes what hangs on it
    /// out of the batch, and that may be what else refers to another; so this begins anew until nothing changes.
    pub(super) async fn decide(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
        for round in 0.. {
            if round == ROUNDS_MAX {
                return Err(self.undecidable());
            }
            self.settle_same_tables(connection).await?;
            self.decide_outcomes(connection).await?;
            let mut changed = Vec::new();
            for place in 1..self.mapping.nodes.len() {
                if self.find_shared(connection, place).await? > 0 && self.matters_to_others(place) {
                    changed.push(place);
                }
            }
            if changed.is_empty() {
                break;
            }
            for place in 0..self.mapping.nodes.len() {
                let path = self.mapping.path(place);
                if changed.iter().any(|above| *above != place && path.contains(above)) {
                    execute(connection, DOING, format!("DELETE FROM {}", Self::table(place)), Vec::new()).await?;
                    self.stage_dependent(connection, place).await?;
                } else {
                    self.undecide(connection, place).await?;
                }
            }
        }
        self.settle_shared(connection).await
    }

    fn undecidable(&self) -> SourceError {
        let fault = "refer to one another in too many ways to decide which of them something else refers to";
        SourceError::Unverified { table: self.mapping.table().to_owned(), count: 0, fault: fault.to_owned() }
    }

    /// A shared row that goes by another node's rule is not left. Not before the end, for until then a row that was
    /// once found to be shared remains so: two nodes could otherwise go on taking turns.
    async fn settle_shared(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
        for (place, node) in self.mapping.nodes.iter().enumerate().skip(1) {
            let same_table =
                self.mapping.nodes.iter().enumerate().filter(|(o, n)| *o != place && n.table == node.table);
            for (other, _) in same_table {
                self.mark_gone_elsewhere(connection, place, node, other, &[fate::SHARED]).await?;
            }
        }
        Ok(())
    }

    /// Whether leaving rows of this node alone changes anything for other nodes.
    fn matters_to_others(&self, place: usize) -> bool {
        let Some(node) = self.mapping.nodes.get(place) else {
            return false;
        };
        let is_owned = |table: &str| {
            let mut links = self.mapping.nodes.iter().filter(|other| other.table == table);
            links.any(|other| other.link.as_ref().is_some_and(|link| link.direction == Direction::Owned))
        };
        self.mapping.children(place).next().is_some()
            || self.mapping.nodes.iter().enumerate().any(|(other, own)| other != place && own.table == node.table)
            || self.mapping.references.iter().any(|r| r.table == node.table && is_owned(&r.parent))
    }

    /// What a node's rows come to as long as nothing speaks against it.
    pub(super) fn first_fate(node: &Node) -> u8 {
        match node.fate {
            Fate::Record | Fate::Dependent(Rule::Delete) => fate::GOES,
            Fate::Dependent(Rule::Keep | Rule::Unlink) | Fate::OtherRecord => fate::STAYS,
        }
    }

    async fn undecide(&self, connection: &mut SqliteConnection, place: usize) -> Result<(), SourceError> {
        let Some(node) = self.mapping.nodes.get(place) else {
            return Ok(());
        };
        let (table, first) = (Self::table(place), Self::first_fate(node));
        let sql = format!("UPDATE {table} SET fate = {first} WHERE fate <> {}", fate::SHARED);
        execute(connection, DOING, sql, Vec::new()).await.map(drop)
    }

    /// Marks a node's owned rows that something beyond the batch refers to, and tells how many more there are.
    async fn find_shared(&self, connection: &mut SqliteConnection, place: usize) -> Result<u64, SourceError> {
        let Some((node, _, _)) = self.linked(place).filter(|(_, link, _)| link.direction == Direction::Owned) else {
            return Ok(0);
        };
        let hangs_on_it = |reference: &Reference| {
            self.mapping.children(place).any(|(_, child, link)| {
                link.direction == Direction::Child
                    && child.table == reference.table
                    && link.columns == reference.columns
            })
        };
        let references = self.mapping.references.iter().filter(|r| r.parent == node.table && !hangs_on_it(r));
        let mut found = 0;
        for reference in references {
            let sql = format!(
                "UPDATE {} SET fate = {} WHERE fate IN ({}, {}) AND {}",
                Self::table(place),
                fate::SHARED,
                fate::STAYS,
                fate::GOES,
                self.is_referred_to(place, node, reference)
            );
            found += execute(connection, DOING, sql, Vec::new()).await?;
        }
        Ok(found)
    }

    /// SQL: whether a row beyond the batch refers to the stored row by this reference.
    fn is_referred_to(&self, place: usize, node: &Node, reference: &Reference) -> String {
        let row_id: Vec<String> = reference.row_id.names().into_iter().map(|name| qualified("x", name)).collect();
        let beyond: Vec<String> = self
            .mapping
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, other)| other.table == reference.table)
            .map(|(other, own)| {
                let fates: &[u8] = if self.is_no_hindrance(node, other, own, reference) {
                    &[fate::STAYS, fate::GOES, fate::GOES_ELSEWHERE]
                } else {
                    &[fate::GOES, fate::GOES_ELSEWHERE]
                };
                format!("({}) NOT IN ({})", row_id.join(", "), Self::rows(other, own, fates))
            })
            .chain(["1".to_owned()])
            .collect();
        let beyond = beyond.join(" AND ");
        let from = columns_of("x", &reference.columns);
        let to = columns_of("o", &reference.parent_columns);
        let (other, own) = (quote(&reference.table), quote(&node.table));
        let stored = format!("erasured_{place}");
        let same = Self::same_row(node, "o", &stored);
        if reference.is_indexed {
            format!(
                "EXISTS (SELECT 1 FROM {own} o CROSS JOIN {other} x ON {} WHERE {same} AND {beyond})",
                refers(&from, &to)
            )
        } else {
            let known: Vec<String> = from.iter().map(|column| format!("{column} IS NOT NULL")).collect();
            format!(
                "EXISTS (SELECT 1 FROM {own} o WHERE {same} AND ({}) IN (SELECT {} FROM {other} x WHERE {} AND {beyond}))",
                to.join(", "),
                from.join(", "),
                known.join(" AND ")
            )
        }
    }

    /// Whether rows of `other` that stay may go on referring to an owned row by `reference`, or will not. What is kept
    /// for a record, and the record itself, are the erased person's own; rows that are only unlinked, or that are
    /// records themselves, are somebody else's unless the settings say what becomes of this very reference. To a row
    /// that goes nothing may refer that is not cut.
    fn is_no_hindrance(&self, node: &Node, other: usize, own: &Node, reference: &Reference) -> bool {
        let owns = |rules: &[Rule]| {
            self.mapping.children(other).any(|(_, owned, link)| {
                link.direction == Direction::Owned
                    && link.parent_columns == reference.columns
                    && owned.table == reference.parent
                    && match owned.fate {
                        Fate::Dependent(rule) => rules.contains(&rule),
                        Fate::OtherRecord => rules.contains(&Rule::Keep),
                        Fate::Record => false,
                    }
            })
        };
        let hangs_by_it = own
            .link
            .as_ref()
            .is_some_and(|link| link.direction == Direction::Child && link.columns == reference.columns);
        let is_unlinked = own.fate == Fate::Dependent(Rule::Unlink);
        if node.fate == Fate::Dependent(Rule::Delete) {
            return owns(&[Rule::Delete, Rule::Unlink]) || (is_unlinked && hangs_by_it);
        }
        let is_own = matches!(own.fate, Fate::Record | Fate::Dependent(Rule::Keep | Rule::Delete));
        is_own || hangs_by_it || owns(&[Rule::Keep, Rule::Delete, Rule::Unlink])
    }

    /// A row that two nodes of one table reach goes where either lets it go, and is counted once.
    async fn settle_same_tables(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
        for (place, node) in self.mapping.nodes.iter().enumerate().skip(1) {
            for (other, _) in
                self.mapping.nodes.iter().enumerate().skip(1).filter(|(o, n)| *o != place && n.table == node.table)
            {
                // Of two that both let it go, the earlier one does.
                let fates: &[u8] = if other < place { &[fate::STAYS, fate::GOES] } else { &[fate::STAYS] };
                self.mark_gone_elsewhere(connection, place, node, other, fates).await?;
            }
        }
        Ok(())
    }

    async fn mark_gone_elsewhere(
        &self,
        connection: &mut SqliteConnection,
        place: usize,
        node: &Node,
        other: usize,
        fates: &[u8],
    ) -> Result<(), SourceError> {
        let own: Vec<String> = (0..node.row_id.names().len()).map(|i| format!("i{i}")).collect();
        let fates: Vec<String> = fates.iter().map(u8::to_string).collect();
        let sql = format!(
            "UPDATE {} SET fate = {} WHERE fate IN ({}) AND ({}) IN ({})",
            Self::table(place),
            fate::GOES_ELSEWHERE,
            fates.join(", "),
            own.join(", "),
            Self::rows(other, node, &[fate::GOES])
        );
        execute(connection, DOING, sql, Vec::new()).await.map(drop)
    }

    /// A record to which a row refers that stays is anonymised. Where such rows are records of the same table, one that
    /// stays may keep another, so this goes on until nothing changes.
    async fn decide_outcomes(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
        let Some(record) = self.mapping.nodes.first() else {
            return Ok(());
        };
        let keeps = |node: &Node, link: &NodeLink| {
            link.direction == Direction::Child && matches!(node.fate, Fate::OtherRecord | Fate::Dependent(Rule::Keep))
        };
        loop {
            let mut changed = 0;
            for (place, node, _) in self.mapping.children(0).filter(|(_, node, link)| keeps(node, link)) {
                let mut stays = format!("d.fate IN ({}, {})", fate::STAYS, fate::SHARED);
                if node.table == record.table {
                    let own = Self::stored_row_id(node, "d").join(", ");
                    stays = format!("{stays} AND ({own}) NOT IN ({})", Self::rows(0, record, &[fate::GOES]));
                }
                let sql = format!(
                    "UPDATE {} SET fate = {} WHERE fate = {} AND root IN (SELECT d.root FROM {} d WHERE {stays})",
                    Self::table(0),
                    fate::STAYS,
                    fate::GOES,
                    Self::table(place)
                );
                changed += execute(connection, DOING, sql, Vec::new()).await?;
            }
            if changed == 0 {
                break;
            }
        }
        for (place, node) in self.mapping.nodes.iter().enumerate().skip(1).filter(|(_, n)| n.table == record.table) {
            self.mark_gone_elsewhere(connection, place, node, 0, &[fate::STAYS]).await?;
        }
        Ok(())
    }
}
