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

/// Whether the prospect has an order that was shipped to an address of its own, which no other order shares.
///
/// # Errors
/// When the database cannot be read.
pub async fn ships_alone(path: &Path, id: i64) -> Result<bool, SampleError> {
    let failed = |source| SampleError::Read { path: path.display().to_string(), source };
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    let alone = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM orders o WHERE o.prospect_id = ?1 AND o.shipping_address_id IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM orders x WHERE x.shipping_address_id = o.shipping_address_id AND x.prospect_id <> ?1))",
    )
    .bind(id)
    .fetch_one(&mut connection)
    .await
    .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(alone)
}
