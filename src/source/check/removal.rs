//! What keeps erased values in a source's files, and what removing them costs.

use super::listed;
use crate::config::{Finding, FullText, Located, SourceSettings};
use crate::source::schema::{Table, TableKind};
use crate::source::{Reader, SourceError};

/// What there is to tell of a source and its `[source.NAME.removal]`.
///
/// # Errors
/// When the source cannot be read.
pub async fn removal(reader: &mut Reader, described: &SourceSettings) -> Result<Vec<Finding>, SourceError> {
    let (name, place, removal) = (&described.name, &described.path.place, &described.removal);
    let write = |line: &str| format!("write {line} in [source.{name}.removal]");
    let mut findings = Vec::new();
    if !removal.statistics && reader.0.has_value_statistics().await? {
        findings.push(
            Finding::warning("statistics", place, "sqlite_stat4 holds values of rows, also of erased ones").hint(
                format!("{}, or let the application run ANALYZE after each final run", write("statistics = true")),
            ),
        );
    }
    let indexes: Vec<Table> = reader.schema().tables.iter().filter(|table| table.is_full_text()).cloned().collect();
    for index in &indexes {
        if removal.full_text == FullText::Leave {
            let message = format!("{} keeps the words of rows that are gone", index.name);
            findings.push(Finding::warning("full-text", place, message).hint(write("full_text = \"optimise\"")));
        } else if let Some(fault) = reader.0.full_text_fault(&index.name).await? {
            let message = format!("the words of rows that are gone cannot be taken out of {}: {fault}", index.name);
            let hint =
                "only the application can open it: let it write the index anew after each final run, with 'optimize'";
            findings.push(Finding::warning("full-text", place, message).hint(hint));
        }
    }
    if !removal.checkpoint && !reader.keeps_writers_out() {
        let message = "the write-ahead log keeps what is erased until the application empties it";
        findings.push(Finding::warning("checkpoint", place, message).hint(write("checkpoint = true")));
    }
    if let Some(hours) = &removal.vacuum {
        findings.push(vacuum(reader, hours).await?);
    }
    Ok(findings)
}

/// Whether VACUUM can be, and what it costs.
async fn vacuum<T>(reader: &mut Reader, hours: &Located<T>) -> Result<Finding, SourceError> {
    if let Some(fault) = reader.0.vacuum_fault().await? {
        let message = format!("VACUUM would fail, or do harm: {fault}");
        return Ok(Finding::error("vacuum", &hours.place, message).hint("leave `vacuum` out"));
    }
    let (needed, free) = reader.0.room().await?;
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let cost = format!(
        "VACUUM locks the application out for as long as it takes, and needs {} MiB of room: {} are free",
        mib(needed),
        mib(free)
    );
    let renumbered = reader.schema().tables.iter();
    let renumbered = renumbered.filter(|table| table.kind == TableKind::Ordinary && !table.numbers_its_rows());
    let renumbered: Vec<String> = renumbered.map(|table| table.name.clone()).collect();
    let finding = if renumbered.is_empty() {
        Finding::warning("vacuum", &hours.place, cost).hint("have nobody work with the application in these hours")
    } else {
        let message = format!("{cost}; it may number the rows of {} anew", listed(&renumbered));
        Finding::warning("vacuum", &hours.place, message)
            .hint("have nobody work with the application in these hours, and see that it remembers no row numbers")
    };
    Ok(finding)
}
