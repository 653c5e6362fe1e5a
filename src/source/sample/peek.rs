//! Rows of the sample database as they stand, for the demo to show before and after.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Row as _};

use super::SampleError;

/// What the sample database holds about a prospect: the row itself, then what depends on it, each as one line.
///
/// # Errors
/// When the database cannot be read.
pub async fn prospect(path: &Path, id: i64) -> Result<Vec<String>, SampleError> {
    read(path, id).await.map_err(|source| SampleError::Read { path: path.display().to_string(), source })
}

async fn read(path: &Path, id: i64) -> sqlx::Result<Vec<String>> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let mut lines = Vec::new();
    for sql in [
        "SELECT 'prospects: id=' || id || ', first_name=' || coalesce(first_name, 'NULL') || ', last_name=' || last_name \
         || ', email=' || email || ', phone=' || coalesce(phone, 'NULL') || ', birth_date=' || coalesce(birth_date, 'NULL') \
         FROM prospects WHERE id = ?1",
        "SELECT 'addresses: ' || count(*) || ' rows' FROM addresses WHERE prospect_id = ?1",
        "SELECT 'orders: ' || count(*) || ' rows' FROM orders WHERE prospect_id = ?1",
        "SELECT 'orders ship to: ' || coalesce(s.name, 'NULL') || ', ' || coalesce(s.street, 'NULL') || ', ' \
         || coalesce(s.city, 'NULL') FROM orders o JOIN shipping_addresses s ON s.id = o.shipping_address_id \
         WHERE o.prospect_id = ?1 ORDER BY o.id LIMIT 1",
    ] {
        for row in sqlx::query(sql).bind(id).fetch_all(&mut connection).await? {
            lines.push(row.try_get::<Option<String>, _>(0)?.unwrap_or_default());
        }
    }
    connection.close().await?;
    Ok(lines)
}
