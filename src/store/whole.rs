//! Whether the state is whole: what takes the longer, the more history there is, and is looked at beside everything else.

use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use super::error::failed;
use super::open::reader;
use super::{Store, StoreError, trail};

/// Steps of SQLite between two looks at whether the check is still wanted: some milliseconds' work.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;

const DOING: &str = "check whether the state is whole";

impl Store {
    /// Reads the whole file, and follows the chain from the newest checkpoint to its end. Takes a connection of its own,
    /// so that nobody waits, and no more memory than its cache. Gives whether it came to its end: it breaks off as soon as
    /// `is_unwanted`.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read, or the trail has been changed.
    pub async fn check_whole(
        &self,
        is_unwanted: impl Fn() -> bool + Clone + Send + Sync + 'static,
    ) -> Result<bool, StoreError> {
        let mut connection = reader(&self.path).connect().await.map_err(failed(DOING))?;
        let looks = is_unwanted.clone();
        // To give up on the future would not stop the statement.
        let mut handle = connection.lock_handle().await.map_err(failed(DOING))?;
        handle.set_progress_handler(STEPS_BETWEEN_LOOKS, move || !looks());
        drop(handle);
        let checked = self.check(&mut connection, &is_unwanted).await;
        // It has only read; a failure to close it says nothing about the state.
        let _ = connection.close().await;
        // What a statement says that was broken off is no verdict.
        if is_unwanted() { Ok(false) } else { checked.map(|()| true) }
    }

    async fn check(
        &self,
        connection: &mut SqliteConnection,
        is_unwanted: &impl Fn() -> bool,
    ) -> Result<(), StoreError> {
        let row = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut *connection).await.map_err(failed(DOING))?;
        let what: String = row.try_get(0).map_err(failed(DOING))?;
        if what != "ok" {
            // A heading stands in front of it.
            let what = what.lines().last().unwrap_or_default().to_owned();
            return Err(StoreError::Damaged { path: self.path.clone(), what });
        }
        trail::check_since_checkpoint(connection, is_unwanted).await
    }
}
