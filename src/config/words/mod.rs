//! A category's rules in words, for people who do not read settings.
//!
//! May be relied on: no sentence says anything else than what the daemon does. Where a condition cannot be turned into
//! words without changing its meaning, the sentence has the condition itself in it. Knows no schema: whoever does can say
//! which columns are never NULL, and gets shorter sentences.

mod condition;

use condition::{is_column, on_one_line};

use super::{
    Anonymise, Category, Classification, Column, Criterion, Dependent, Link, Literal, Rule, Since, Starts, Template,
    TemplatePart, Truncation,
};

/// The rules of a category, one sentence each, without a full stop: its criteria, its dependents, and what becomes of an
/// anonymised record's columns. `is_never_null` tells of a column of the category's table whether it always has a value;
/// `&|_| false` where that is not known.
#[must_use]
pub fn policy(category: &Category, is_never_null: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut sentences: Vec<String> =
        category.criteria.iter().map(|one| criterion(&category.table.value, one, is_never_null)).collect();
    for one in &category.dependents {
        sentences.push(dependent(category, one));
        sentences.extend(one.retention.as_ref().map(|retention| kept_until(one, retention)));
    }
    if let Some(columns) = columns(&category.rows) {
        sentences.push(format!("in the row of an anonymised record {columns}"));
    }
    sentences
}

/// "prospects whose last_contact_on is more than 3 years before today, unless …"
#[must_use]
pub fn criterion(table: &str, criterion: &Criterion, is_never_null: &dyn Fn(&str) -> bool) -> String {
    let condition = criterion.condition.as_ref().map(|condition| condition.value.as_str());
    let Some(since) = &criterion.since else {
        return format!("{table} for which {}", on_one_line(condition.unwrap_or_default()));
    };
    let sql = on_one_line(&since.sql.value);
    let whose = if is_column(&sql) { format!("whose {sql}") } else { format!("for which the date {sql}") };
    let period = since.period.value;
    let sentence = format!("{table} {whose} is more than {period} before today") + counted(since);
    match condition {
        None => sentence,
        Some(condition) => format!("{sentence}, {}", condition::clause(condition, is_never_null)),
    }
}

fn counted(since: &Since) -> &'static str {
    match since.starts {
        Starts::AtDate => "",
        Starts::YearEnd => ", counted from the end of that year",
    }
}

fn kept_until(dependent: &Dependent, retention: &Since) -> String {
    let (table, period) = (&dependent.table.value, retention.period.value);
    let sql = on_one_line(&retention.sql.value);
    let date = if is_column(&sql) { sql } else { format!("the date {sql}") };
    format!("not before {period} after {date} of the last row of {table}") + counted(retention)
}

fn dependent(category: &Category, dependent: &Dependent) -> String {
    let table = &dependent.table.value;
    let parent = dependent.parent.as_ref().and_then(|parent| {
        category.dependents.iter().find(|other| other.name == parent.value).map(|other| other.table.value.as_str())
    });
    let parent_is = parent.map_or_else(|| "the record".to_owned(), |parent| format!("those rows of {parent}"));
    let sentence = match (&dependent.link, dependent.rule) {
        (Link::Child(_), Rule::Delete) => format!("rows of {table} that refer to {parent_is} are deleted"),
        (Link::Child(_), Rule::Keep) if parent.is_none() => {
            format!("rows of {table} that refer to the record stay, and it is anonymised instead of deleted")
        }
        (Link::Child(_), Rule::Keep) => format!("rows of {table} that refer to {parent_is} stay"),
        (Link::Child(columns), Rule::Unlink) => {
            format!(
                "rows of {table} that refer to {parent_is} stay, and their reference ({}) becomes NULL",
                listed(columns)
            )
        }
        (Link::Owned(_), Rule::Delete) => format!(
            "rows of {table} to which {parent_is} referred are deleted where nothing else refers to them, and stay otherwise"
        ),
        (Link::Owned(_), Rule::Keep) => format!("rows of {table} to which {parent_is} referred stay"),
        (Link::Owned(_), Rule::Unlink) => {
            format!("rows of {table} to which {parent_is} referred stay, and are referred to no longer")
        }
    };
    match (columns(&dependent.rows), &dependent.link) {
        (None, _) => sentence,
        (Some(_), _) if dependent.rule == Rule::Delete => sentence,
        (Some(columns), Link::Child(_)) => format!("{sentence}; in them {columns}"),
        (Some(columns), Link::Owned(_)) => format!("{sentence}; where nothing else refers to them {columns}"),
    }
}

/// "email becomes NULL; id and status stay as they are"; `None` where nothing is said of any column.
fn columns(rows: &Classification) -> Option<String> {
    let changes: Vec<String> =
        rows.anonymise.iter().map(|(column, to)| format!("{} {}", column.value, becomes(&to.value))).collect();
    let kept = match rows.keep.as_slice() {
        [] => None,
        [one] => Some(format!("{} stays as it is", one.value)),
        several => Some(format!("{} stay as they are", listed(several))),
    };
    let changed = (!changes.is_empty()).then(|| changes.join(", "));
    let parts: Vec<String> = changed.into_iter().chain(kept).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn becomes(anonymise: &Anonymise) -> String {
    match anonymise {
        Anonymise::Null => "becomes NULL".to_owned(),
        Anonymise::Value(Literal::Text(text)) => format!("becomes '{text}'"),
        Anonymise::Value(Literal::Integer(integer)) => format!("becomes {integer}"),
        Anonymise::Value(Literal::Real(real)) => format!("becomes {real}"),
        Anonymise::Template(template) => format!("becomes '{}', with the row's key in it", written(template)),
        Anonymise::Truncate { to: Truncation::Year, .. } => "becomes 1 January of its year".to_owned(),
        Anonymise::Truncate { to: Truncation::Month, .. } => "becomes the first of its month".to_owned(),
    }
}

fn written(template: &Template) -> String {
    let part = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => text.clone(),
        TemplatePart::Key => "{key}".to_owned(),
    };
    template.0.iter().map(part).collect()
}

fn listed(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.value.as_str()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
