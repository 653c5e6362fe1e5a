//! Asks the database itself: whether the settings' SQL compiles, whether changes would, and what a trial shows.

use super::Check;
use super::columns::stays;
use super::triggers::set_columns;
use crate::config::{Anonymise, Finding, Located, Rule};
use crate::source::mapping::{Fate, Mapping};
use crate::source::schema::{Affinity, Table, TableKind, holds};
use crate::source::sqlite::{ExpressionFault, TrialFault};
use crate::source::{Reader, SourceError};

/// As many of a column's sampled values must stand elsewhere to be worth a warning.
const COPIES_MIN: u64 = 3;

impl Check<'_> {
    /// Every SQL expression of the category keeps the rules.
    pub(super) async fn expressions_compile(
        &mut self,
        reader: &mut Reader,
        mapping: &Mapping,
    ) -> Result<(), SourceError> {
        let category = self.category;
        let mut expressions: Vec<(&str, &Located<String>, bool, &str)> = Vec::new();
        for criterion in &category.criteria {
            if let Some(since) = &criterion.since {
                expressions.push((mapping.table(), &since.sql, true, "since"));
            }
            if let Some(condition) = &criterion.condition {
                expressions.push((mapping.table(), condition, criterion.since.is_some(), "where"));
            }
        }
        if let Some(mark) = &category.manual.mark {
            expressions.push((mapping.table(), &mark.condition, false, "manual.where"));
        }
        if let Some(unit) = &category.unit {
            expressions.push((mapping.table(), unit, false, "unit"));
        }
        for (node, dependent) in mapping
            .nodes
            .iter()
            .filter_map(|node| Some((node, category.dependents.iter().find(|dependent| dependent.name == node.name)?)))
        {
            if let Some(since) = &dependent.retention {
                expressions.push((&node.table, &since.sql, true, "since"));
            }
        }
        for (table, sql, has_cutoff, setting) in expressions {
            let is_column = self.schema.table(table).is_some_and(|table| table.column(sql.value.trim()).is_some());
            if is_column {
                continue;
            }
            if let Some(fault) = reader.0.expression_fault(table, &sql.value, has_cutoff).await? {
                self.report_expression(table, setting, sql, &fault);
            }
        }
        Ok(())
    }

    fn report_expression(&mut self, table: &str, setting: &str, sql: &Located<String>, fault: &ExpressionFault) {
        let finding = |message: String| Finding::error("bad-sql", &sql.place, message);
        let finding = match fault {
            ExpressionFault::Rule(reason) => finding(format!("{setting} cannot be used: {reason}"))
                .hint("use :today, and :cutoff where there is a period"),
            ExpressionFault::Compile(message) => {
                let message = message.replace('\n', "");
                let found = finding(format!("{setting} does not compile: {message}"));
                self.with_column_hint(found, table, &message)
            }
            ExpressionFault::Escapes => {
                finding(format!("{setting} is not one expression: it breaks out of parentheses"))
                    .hint("write one SQL expression whose parentheses and quotes are closed")
            }
            ExpressionFault::Many => finding(format!("{setting} is more than one statement"))
                .hint("write one SQL expression, without a semicolon"),
        };
        self.report(finding);
    }

    fn with_column_hint(&self, finding: Finding, table_name: &str, message: &str) -> Finding {
        match (message.strip_prefix("no such column: "), self.schema.table(table_name)) {
            (Some(rest), Some(table)) => {
                // no such column: "naem" - should this be a string literal in single-quotes?
                let name = rest.split(" - ").next().unwrap_or(rest).trim_matches('"');
                super::names::with_nearest(finding, name, table.columns.iter().map(|column| column.name.as_str()))
            }
            _ => self.with_sql_hint(finding, table_name, message),
        }
    }

    /// What to write instead, where the database's message tells what was meant.
    fn with_sql_hint(&self, finding: Finding, table: &str, message: &str) -> Finding {
        if let Some(name) = message.strip_prefix("no such table: ") {
            let names = self.schema.tables.iter().map(|table| table.name.as_str());
            return super::names::with_nearest(finding, name, names);
        }
        if message.starts_with("not authorized") {
            return finding
                .hint("the same state must always give the same records: use :today, and only what the source holds");
        }
        if message.contains("aggregate") || message.contains("window function") {
            return finding.hint(format!(
                "write a query of its own between parentheses: (SELECT max(…) FROM … WHERE … = {table}.…)"
            ));
        }
        finding.hint(format!("write one SQL expression over the columns of {table}"))
    }

    /// The changes and deletions can be compiled: no trigger, check or index needs what only the application has.
    pub(super) async fn changes_compile(&mut self, reader: &mut Reader, mapping: &Mapping) -> Result<(), SourceError> {
        for (place, node) in mapping.nodes.iter().enumerate() {
            let columns = set_columns(place, &mapping.nodes);
            let deletes = matches!(node.fate, Fate::Record | Fate::Dependent(Rule::Delete));
            // Generated columns have been reported, and cannot be set.
            let is_settable =
                |name: &&str| self.schema.table(&node.table).and_then(|t| t.column(name)).is_some_and(|c| !c.generated);
            let columns: Vec<String> = columns.into_iter().filter(is_settable).map(str::to_owned).collect();
            if let Some(message) = reader.0.write_fault(&node.table, &columns, deletes).await? {
                let written = self.category.dependents.iter().find(|dependent| dependent.name == node.name);
                let place = written.map_or(&self.category.table.place, |dependent| &dependent.table.place).clone();
                self.report(
                    Finding::error("cannot-write", &place, format!("rows of {} cannot be changed: {message}", node.table))
                        .hint("its triggers, checks or indexes use a function or collation that only the application defines; nobody else can write to this table, and VACUUM fails too"),
                );
            }
        }
        Ok(())
    }

    /// Tries anonymising on a copy of some rows.
    pub(super) async fn trial(&mut self, reader: &mut Reader, mapping: &Mapping) -> Result<(), SourceError> {
        for node in mapping.nodes.iter().filter(|node| stays(node)) {
            let Some(table) = self.schema.table(&node.table).filter(|table| table.kind == TableKind::Ordinary) else {
                continue;
            };
            let written = self.category.dependents.iter().find(|dependent| dependent.name == node.name);
            let place = written.map_or(&self.category.rows.place, |dependent| &dependent.place).clone();
            let finding = match reader.0.trial(table, node).await? {
                None => continue,
                Some(TrialFault::Refused(message)) => Finding::error(
                    "refused-on-trial",
                    &place,
                    format!("anonymised rows of {} are refused: {message}", table.name),
                )
                .hint("change what replaces the values; this was tried on a copy of some rows, in memory"),
                Some(TrialFault::NoCopy(message)) => Finding::warning(
                    "no-trial",
                    &place,
                    format!("anonymising rows of {} could not be tried: {message}", table.name),
                )
                .hint("the table cannot be copied into memory; a refusal would show in the final run only"),
            };
            self.report(finding);
        }
        Ok(())
    }

    /// Looks for columns elsewhere that hold the same personal values, which nobody has classified yet.
    pub(super) async fn copies(&mut self, reader: &mut Reader, mapping: &Mapping) -> Result<(), SourceError> {
        let by_triggers = self.written_by_triggers(&mapping.nodes).into_iter().map(|(_, table)| table);
        let dealt_with: Vec<String> = mapping.nodes.iter().map(|node| node.table.clone()).chain(by_triggers).collect();
        let Some(record) = mapping.nodes.first() else {
            return Ok(());
        };
        let personal = record.changes.iter().filter(|change| !matches!(change.anonymise, Anonymise::Truncate { .. }));
        for change in personal {
            let sample = reader.0.sample(&record.table, &change.column).await?;
            let others = self.schema.tables.iter().filter(|table| {
                !holds(&dealt_with, &table.name)
                    && self.category_of(table).is_none()
                    && matches!(table.kind, TableKind::Ordinary | TableKind::Virtual { has_own_content: true, .. })
            });
            let mut found = Vec::new();
            for (table, column) in others.flat_map(text_columns) {
                let count = reader.0.copies(&table.name, column, &sample).await?;
                if count >= COPIES_MIN {
                    found.push(format!("{column} of {} holds values of {}", table.name, change.column));
                    continue;
                }
                let count = reader.0.texts_with_copies(&table.name, column, &sample).await?;
                if count >= COPIES_MIN {
                    found.push(format!(
                        "{column} of {} holds texts with values of {} in them",
                        table.name, change.column
                    ));
                }
            }
            for message in found {
                self.report(
                    Finding::warning("copy", &self.category.table.place, message)
                        .hint("if it is about the same people, write a [[dependent]] for it"),
                );
            }
        }
        Ok(())
    }
}

fn text_columns(table: &Table) -> impl Iterator<Item = (&Table, &str)> {
    let is_text = |affinity| matches!(affinity, Affinity::Text | Affinity::Blob);
    table
        .columns
        .iter()
        .filter(move |column| is_text(column.affinity) && !column.hidden)
        .map(move |column| (table, column.name.as_str()))
}
