//! The rules in force, in words.

use super::{Desk, DeskError};
use crate::actor::Authorised;
use crate::config::{Category, Criterion, Link, Rule, causes, words};
use crate::erasure::{Open, open_as_remembered};
use crate::record::{CategoryName, SourceName};

/// The rules of one category.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Which.
    pub category: CategoryName,
    /// The source that it lies in.
    pub source: SourceName,
    /// Its table.
    pub table: String,
    /// When a record becomes due: under any one of these.
    pub criteria: Vec<CriterionRule>,
    /// What erasing a record means.
    pub erasure: String,
    /// Which records the application marks, and what becomes of marks.
    pub marks: String,
    /// How many people confirm, and how long a confirmation waits.
    pub decisions: String,
    /// How much of it a run may propose or erase before somebody has to look.
    pub brake: String,
    /// What happens to rows of other tables.
    pub dependents: Vec<DependentRule>,
    /// What stops the category now.
    pub problem: Option<String>,
}

/// One criterion.
#[derive(Debug, Clone)]
pub struct CriterionRule {
    /// Its name.
    pub name: String,
    /// Which records are due.
    pub words: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether it makes any record due.
    pub enabled: bool,
    /// Stands for its wording.
    pub version: String,
}

/// What happens to rows of one other table.
#[derive(Debug, Clone)]
pub struct DependentRule {
    /// The table.
    pub table: String,
    /// What happens to its rows.
    pub words: String,
}

impl Desk {
    /// The rules of every category that the asker may see.
    ///
    /// # Errors
    /// When the state cannot be read; a source that cannot be read is told with its categories.
    pub async fn policy(&self, leave: &Authorised) -> Result<Vec<Rules>, DeskError> {
        let (settings, remembered) = (self.settings(), self.remembered().await?);
        let mut rules = Vec::new();
        for source in settings.sources.keys() {
            let is_visible = |c: &&Category| c.source.value == *source && leave.scope().sees(&c.name);
            let visible: Vec<&Category> = settings.categories.values().filter(is_visible).collect();
            // What does not exist for the asker takes no time either.
            if visible.is_empty() {
                continue;
            }
            let opened = open_as_remembered(&settings, source, &remembered.shapes).await;
            for category in visible {
                let (problem, never_null) = match &opened {
                    Err(error) => (Some(causes(error)), Vec::new()),
                    Ok(opened) => (opened.why_stopped(&category.name).map(str::to_owned), never_null(opened, category)),
                };
                rules.push(of(category, problem, &never_null));
            }
            if let Ok(opened) = opened {
                opened.reader.close().await;
            }
        }
        Ok(rules)
    }
}

/// The columns that can hold no NULL: what a sentence says of others includes it.
fn never_null(opened: &Open, category: &Category) -> Vec<String> {
    let table = opened.reader.schema().table(&category.table.value);
    let columns = table.map(|table| table.columns.as_slice()).unwrap_or_default();
    columns.iter().filter(|column| column.not_null).map(|column| column.name.to_lowercase()).collect()
}

fn of(category: &Category, problem: Option<String>, never_null: &[String]) -> Rules {
    let is_never_null = |column: &str| never_null.contains(&column.to_lowercase());
    let criteria = category
        .criteria
        .iter()
        .map(|criterion| CriterionRule {
            name: criterion.name.clone(),
            words: words::criterion(&category.table.value, criterion, &is_never_null),
            reason: criterion.reason.clone(),
            enabled: criterion.enabled,
            version: criterion.version.to_string(),
        })
        .collect();
    Rules {
        category: category.name.clone(),
        source: category.source.value.clone(),
        table: category.table.value.clone(),
        criteria,
        erasure: erasure(category),
        marks: marks(category, &is_never_null),
        decisions: decisions(category),
        brake: brake(category),
        dependents: category.dependents.iter().map(dependent).collect(),
        problem,
    }
}

fn erasure(category: &Category) -> String {
    let keeps: Vec<&str> = category
        .dependents
        .iter()
        .filter(|dependent| {
            dependent.rule == Rule::Keep && dependent.parent.is_none() && matches!(dependent.link, Link::Child(_))
        })
        .map(|dependent| dependent.name.as_str())
        .collect();
    let keeps = keeps.join(", ");
    match (keeps.as_str(), category.remove_shells) {
        ("", _) => "the record is deleted".to_owned(),
        (keeps, false) => format!("the record is deleted, or anonymised while rows of {keeps} refer to it"),
        (keeps, true) => format!(
            "the record is deleted, or anonymised while rows of {keeps} refer to it, and deleted when none does any more"
        ),
    }
}

/// Which records the application marks, and what becomes of its marks and of the clerks'.
fn marks(category: &Category, is_never_null: &dyn Fn(&str) -> bool) -> String {
    let then = if category.manual.auto_confirm { "marks are confirmed at once" } else { "marks wait for a decision" };
    let Some(mark) = &category.manual.mark else {
        return format!("the application marks none; {then}");
    };
    let rule = Criterion {
        name: String::new(),
        place: category.place.clone(),
        since: None,
        condition: Some(mark.condition.clone()),
        reason: None,
        version: mark.version.clone(),
        enabled: true,
    };
    format!("the application marks {}; {then}", words::criterion(&category.table.value, &rule, is_never_null))
}

/// How many people confirm, and how long a confirmation waits.
fn decisions(category: &Category) -> String {
    let people = if category.decisions > 1 { "two different people confirm" } else { "one person confirms" };
    match &category.cooling_off {
        None => people.to_owned(),
        Some(cooling_off) => format!("{people}, and a confirmation waits for {}", cooling_off.value),
    }
}

/// Before how much of it a run stops.
fn brake(category: &Category) -> String {
    let brake = &category.brake;
    if !brake.can_close() {
        return "no run stops, however many records it would propose or erase".to_owned();
    }
    format!(
        "a run stops before it proposes or erases more than {} records and {} of the table",
        brake.count, brake.share
    )
}

fn dependent(dependent: &crate::config::Dependent) -> DependentRule {
    let words = match (dependent.rule, &dependent.link) {
        (Rule::Keep, Link::Child(_)) => "they stay, without what is personal",
        (Rule::Delete, Link::Child(_)) => "they are deleted with what they refer to",
        (Rule::Unlink, Link::Child(_)) => "they stay, and their reference becomes NULL",
        (Rule::Keep, Link::Owned(_)) => "they stay, without what is personal, unless something else refers to them",
        (Rule::Delete, Link::Owned(_)) => "they are deleted, unless something else refers to them",
        (Rule::Unlink, Link::Owned(_)) => "they stay, and the reference to them becomes NULL",
    };
    let words = match &dependent.retention {
        None => words.to_owned(),
        Some(retention) => format!(
            "{words}; while one is within {} after its {}, the record is not due",
            retention.period.value, retention.sql.value
        ),
    };
    DependentRule { table: dependent.table.value.clone(), words }
}
