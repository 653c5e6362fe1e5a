//! Decides what happens to rows that lie in more than one hand: shared ones, ones that several nodes reach, and records
//! that others keep.

use sqlx::sqlite::SqliteConnection;

use super::connection::execute;
use super::stage::{DOING, Layout, columns_of, fate};
use super::text::{qualified, quote, refers};
use crate::config::Rule;
use crate::source::SourceError;
use crate::source::mapping::{Direction, Fate, Node, NodeLink, Reference};

impl Layout<'_> {
    /// Finds owned rows that something beyond the batch refers to.
    pub(super) async fn find_shared(&self, connection: &mut SqliteConnection, place: usize) -> Result<(), SourceError> {
        let Some((node, link, _)) = self.linked(place) else {
            return Ok(());
        };
        if link.direction == Direction::Child {
            return Ok(());
        }
        let hangs_on_it = |reference: &Reference| {
            self.mapping.children(place).any(|(_, child, link)| {
                link.direction == Direction::Child
                    && child.table == reference.table
                    && link.columns == reference.columns
            })
        };
        let references = self.mapping.references.iter().filter(|r| r.parent == node.table && !hangs_on_it(r));
        for reference in references {
            let sql = format!(
                "UPDATE {} SET fate = {} WHERE fate <> {} AND {}",
                Self::table(place),
                fate::SHARED,
                fate::SHARED,
                self.is_referred_to(place, node, reference)
            );
            execute(connection, DOING, sql, Vec::new()).await?;
        }
        Ok(())
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
                let ours = Self::rows(other, own, &[fate::STAYS, fate::GOES, fate::GOES_ELSEWHERE]);
                format!("({}) NOT IN ({ours})", row_id.join(", "))
            })
            .chain(["TRUE".to_owned()])
            .collect();
        let beyond = beyond.join(" AND ");
        let from = columns_of("x", &reference.columns);
        let to = columns_of("o", &reference.parent_columns);
        let (other, own) = (quote(&reference.table), quote(&node.table));
        let stored = format!("erasing_{place}");
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

    /// A row that two nodes of one table reach goes where either lets it go, and is counted once.
    pub(super) async fn settle_same_tables(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
        for (place, node) in self.mapping.nodes.iter().enumerate().skip(1) {
            for (other, _) in
                self.mapping.nodes.iter().enumerate().skip(1).filter(|(o, n)| *o != place && n.table == node.table)
            {
                // Of two that both let it go, the earlier one does.
                let fates: &[u8] =
                    if other < place { &[fate::STAYS, fate::GOES, fate::SHARED] } else { &[fate::STAYS, fate::SHARED] };
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
    pub(super) async fn decide_outcomes(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
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
            self.mark_gone_elsewhere(connection, place, node, 0, &[fate::STAYS, fate::SHARED]).await?;
        }
        Ok(())
    }
}
