//! Verifies a batch inside its transaction: whatever is not as planned is not committed.

use super::apply::{Batch, assignments, in_rows};
use super::stage::{Layout, fate};
use super::text::{qualified, quote, refers_to_one_of};
use crate::config::Rule;
use crate::source::SourceError;
use crate::source::mapping::{Direction, Fate, Node};

impl Batch<'_> {
    /// Tables to which triggers may add rows that no rule deals with, with how many rows they have.
    pub(super) async fn growing(&mut self) -> Result<Vec<(usize, u64)>, SourceError> {
        let mut found = Vec::new();
        for (place, node) in self.mapping.nodes.iter().enumerate().filter(|(_, node)| node.grown_by_triggers) {
            // Rows that refer to the batch's rows are swept.
            let is_swept = matches!(node.fate, Fate::Dependent(_))
                && node.link.as_ref().is_some_and(|link| link.direction == Direction::Child);
            if !is_swept {
                let rows = self.count(format!("SELECT count(*) FROM {}", quote(&node.table))).await?;
                found.push((place, rows));
            }
        }
        Ok(found)
    }

    /// Triggers have added no rows about which nothing is known.
    pub(super) async fn verify_not_grown(&mut self, before: Vec<(usize, u64)>) -> Result<(), SourceError> {
        for (place, before) in before {
            let Some(node) = self.mapping.nodes.get(place) else {
                continue;
            };
            let same_table = self.mapping.nodes.iter().enumerate().filter(|(_, other)| other.table == node.table);
            let gone: Vec<String> = same_table.map(|(other, own)| Layout::rows(other, own, &[fate::GOES])).collect();
            let gone = self.count(format!("SELECT count(*) FROM ({})", gone.join(" UNION "))).await?;
            let now = self.count(format!("SELECT count(*) FROM {}", quote(&node.table))).await?;
            let added = (now + gone).saturating_sub(before);
            if added > 0 {
                let fault = "were added by triggers, and nothing says what they hold".to_owned();
                return Err(SourceError::Unverified { table: node.table.clone(), count: added, fault });
            }
        }
        Ok(())
    }

    pub(super) async fn verify(&mut self) -> Result<(), SourceError> {
        for (place, node) in self.mapping.nodes.iter().enumerate() {
            self.verify_gone(place, node).await?;
            self.verify_changed(place, node).await?;
        }
        self.verify_identity().await?;
        self.verify_replaced().await?;
        self.verify_references().await
    }

    /// Nothing of the deleted is left.
    async fn verify_gone(&mut self, place: usize, node: &Node) -> Result<(), SourceError> {
        let rows = Layout::rows(place, node, &[fate::GOES]);
        let sql = format!("SELECT count(*) FROM {} WHERE {}", quote(&node.table), in_rows(node, &rows));
        self.must_be_none(node, sql, "were deleted and are still there").await
    }

    /// Every row that stays holds what it was to be changed to.
    async fn verify_changed(&mut self, place: usize, node: &Node) -> Result<(), SourceError> {
        let differing: Vec<String> =
            assignments(node).iter().map(|(column, expression)| format!("{column} IS NOT {expression}")).collect();
        if differing.is_empty() {
            return Ok(());
        }
        let rows = Layout::rows(place, node, &[fate::STAYS]);
        let sql = format!(
            "SELECT count(*) FROM {} WHERE {} AND ({})",
            quote(&node.table),
            in_rows(node, &rows),
            differing.join(" OR ")
        );
        self.must_be_none(node, sql, "do not hold what they were changed to").await
    }

    /// The identity of what was anonymised is the one that was foreseen: the ledger will know the record by it.
    async fn verify_identity(&mut self) -> Result<(), SourceError> {
        let Some(node) = self.mapping.nodes.first() else {
            return Ok(());
        };
        let differing: Vec<String> = self
            .mapping
            .identity
            .iter()
            .enumerate()
            .map(|(index, column)| format!("{} IS NOT a.a{index}", qualified("t", column)))
            .collect();
        let stored: Vec<String> = (0..node.row_id.names().len()).map(|i| format!("p.i{i}")).collect();
        let own: Vec<String> = node.row_id.names().into_iter().map(|name| qualified("t", name)).collect();
        let sql = format!(
            "SELECT count(*) FROM temp.erasured_after a CROSS JOIN {} p ON p.root = a.root \
             LEFT JOIN {} t ON ({}) = ({}) WHERE {}",
            Layout::table(0),
            quote(&node.table),
            own.join(", "),
            stored.join(", "),
            differing.join(" OR ")
        );
        self.must_be_none(node, sql, "have another identity than was foreseen").await
    }

    /// What replaces a reference refers to something.
    async fn verify_replaced(&mut self) -> Result<(), SourceError> {
        for (place, node) in self.mapping.nodes.iter().enumerate() {
            for key in &node.replaced_references {
                let own: Vec<String> = key.columns.iter().map(|column| qualified(&node.table, column)).collect();
                let known: Vec<String> = own.iter().map(|column| format!("{column} IS NOT NULL")).collect();
                let met: Vec<String> = key
                    .parent_columns
                    .iter()
                    .zip(&own)
                    .map(|(column, own)| format!("{} = {own}", qualified("parent", column)))
                    .collect();
                let sql = format!(
                    "SELECT count(*) FROM {} WHERE {} AND {} AND NOT EXISTS (SELECT 1 FROM {} parent WHERE {})",
                    quote(&node.table),
                    in_rows(node, &Layout::rows(place, node, &[fate::STAYS])),
                    known.join(" AND "),
                    quote(&key.parent),
                    met.join(" AND ")
                );
                self.must_be_none(node, sql, &format!("would refer to nothing in {}", key.parent)).await?;
            }
        }
        Ok(())
    }

    /// Nothing refers to the deleted.
    async fn verify_references(&mut self) -> Result<(), SourceError> {
        for (number, reference) in self.mapping.references.iter().enumerate() {
            for (place, node) in
                self.mapping.nodes.iter().enumerate().filter(|(_, node)| node.table == reference.parent)
            {
                if matches!(node.fate, Fate::OtherRecord | Fate::Dependent(Rule::Keep | Rule::Unlink)) {
                    continue;
                }
                let stored = self.layout.stored(node, &reference.parent_columns).join(", ");
                let columns: Vec<String> = reference.columns.iter().map(|column| quote(column)).collect();
                let query = format!("SELECT {stored} FROM {} WHERE fate = {}", Layout::table(place), fate::GOES);
                let collations: Vec<Option<&str>> =
                    reference.parent_columns.iter().map(|column| node.collation(column)).collect();
                let sql = format!(
                    "SELECT count(*) FROM {} WHERE {}{}",
                    quote(&reference.table),
                    self.layout.among_surveyed(number, reference, place),
                    refers_to_one_of(&columns, &query, &collations)
                );
                let found = self.count(sql).await?;
                if found > 0 {
                    return Err(SourceError::Unverified {
                        table: reference.table.clone(),
                        count: found,
                        fault: format!("still refer to deleted rows of {}", node.table),
                    });
                }
            }
        }
        Ok(())
    }

    async fn must_be_none(&mut self, node: &Node, sql: String, fault: &str) -> Result<(), SourceError> {
        match self.count(sql).await? {
            0 => Ok(()),
            count => Err(SourceError::Unverified { table: node.table.clone(), count, fault: fault.to_owned() }),
        }
    }
}
