//! Whether two databases hold the same rows. Whoever is fast because something was left out is found here.

use std::path::Path;

use crate::fault::Outcome;
use crate::sql::{Bind, Sql};

const TABLES: [(&str, &[&str]); 3] = [
    ("customers", &["first_name", "last_name", "email", "phone", "status", "created_on", "last_contact_on"]),
    ("orders", &["customer_id", "ordered_on", "total_cents", "ship_name", "shipping"]),
    ("addresses", &["customer_id", "street", "city", "zip"]),
];

/// What is different, in words; nothing where nothing is.
pub fn differences(script: &Path, daemon: &Path) -> Outcome<Vec<String>> {
    let mut sql = Sql::application(script)?;
    sql.run("ATTACH ?1 AS other", &[Bind::Text(&daemon.to_string_lossy())])?;
    let mut found = Vec::new();
    for (table, columns) in TABLES {
        let (here, there) = (format!("main.{table}"), format!("other.{table}"));
        let count = |sql: &mut Sql, table: &str| sql.number(&format!("SELECT count(*) FROM {table}"));
        let (script, daemon) = (count(&mut sql, &here)?, count(&mut sql, &there)?);
        if script != daemon {
            found.push(format!("{table}: {script} rows by script, {daemon} by erasured"));
        }
        // The same number of rows, and each of the one equal to the one of that id in the other: the same rows.
        let is_other: Vec<String> = columns.iter().map(|column| format!("a.{column} IS NOT b.{column}")).collect();
        let other = sql.number(&format!(
            "SELECT count(*) FROM {here} AS a LEFT JOIN {there} AS b ON b.id = a.id WHERE b.id IS NULL OR {}",
            is_other.join(" OR ")
        ))?;
        if other != 0 {
            found.push(format!("{table}: {other} rows differ"));
        }
    }
    sql.close()?;
    Ok(found)
}
