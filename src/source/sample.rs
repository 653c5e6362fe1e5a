//! The sample database: a small CRM to look at, to try rules on, and to test with.
//!
//! The people in it are made up by chance, and by the same chance for the same seed. Dates are relative to the day that
//! is given, so that on whatever day it is made some records are due, some nearly, some not, and some have no date or
//! none that can be read. May be relied on: nothing that exists is overwritten, and a file that could not be finished is
//! taken away again. The settings that go with it are in `config/crm`.

pub mod peek;

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use jiff::civil::Date;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};

mod dice;
mod members;
mod persons;
mod prospects;
mod roles;
mod staff;

use dice::Dice;

const SCHEMA: &str = include_str!("sample.sql");

/// Branches of the firm, and where they are.
const BRANCHES: [(&str, &str); 4] = [("West", "Innsbruck"), ("Mitte", "Linz"), ("Ost", "Wien"), ("Süd", "Graz")];

/// How many rows the sample has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SampleSummary {
    /// Rows of `prospects`.
    pub prospects: usize,
    /// Rows of `persons`.
    pub persons: usize,
    /// Rows of `members`.
    pub members: usize,
    /// Rows of `users`.
    pub users: usize,
    /// Rows of `orders`.
    pub orders: usize,
    /// Rows of `invoices`.
    pub invoices: usize,
}

/// Why there is no sample database.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The file is there already.
    #[error(
        "cannot make the sample database {0}: there is a file of that name\nhint: give another name, or remove it yourself"
    )]
    Exists(String),
    /// The file cannot be made.
    #[error("cannot make the sample database {path}")]
    File {
        /// Which file.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It cannot be read.
    #[error("cannot read the sample database {path}")]
    Read {
        /// Which file.
        path: String,
        /// Why not.
        #[source]
        source: sqlx::Error,
    },
    /// The file cannot be filled.
    #[error("cannot fill the sample database {path}")]
    Fill {
        /// Which file.
        path: String,
        /// Why not.
        #[source]
        source: sqlx::Error,
    },
}

/// Makes the sample database at `path`.
///
/// # Errors
/// When there is a file already, or it cannot be made or filled.
pub async fn create(path: &Path, seed: u64, today: Date) -> Result<SampleSummary, SampleError> {
    let name = path.display().to_string();
    OpenOptions::new().write(true).create_new(true).open(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => SampleError::Exists(name.clone()),
        _ => SampleError::File { path: name.clone(), source },
    })?;
    match fill(path, seed, today).await {
        Ok(summary) => Ok(summary),
        Err(source) => {
            // The file is ours: half a database would be of no use. What failed matters more than what is left behind.
            let _ = fs::remove_file(path);
            Err(SampleError::Fill { path: name, source })
        }
    }
}

async fn fill(path: &Path, seed: u64, today: Date) -> sqlx::Result<SampleSummary> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false).foreign_keys(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    connection.execute(SCHEMA).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut sample = Sample { to: &mut transaction, dice: Dice::new(seed), today, summary: SampleSummary::default() };
    sample.branches().await?;
    sample.users().await?;
    sample.prospects().await?;
    sample.persons().await?;
    sample.members().await?;
    sample.roles().await?;
    let summary = sample.summary;
    transaction.commit().await?;
    connection.close().await?;
    Ok(summary)
}

/// A sample in the making.
struct Sample<'c> {
    to: &'c mut SqliteConnection,
    dice: Dice,
    today: Date,
    summary: SampleSummary,
}

impl Sample<'_> {
    async fn branches(&mut self) -> sqlx::Result<()> {
        for (name, city) in BRANCHES {
            sqlx::query("INSERT INTO branches (name, city) VALUES (?, ?)")
                .bind(name)
                .bind(city)
                .execute(&mut *self.to)
                .await?;
        }
        Ok(())
    }

    /// The fates of `count` records, in an order that chance decides: `planned` so many each, `others` for the rest.
    fn fates<F: Copy>(&mut self, count: usize, planned: &[(F, usize)], others: F) -> Vec<F> {
        let mut fates: Vec<F> = planned.iter().flat_map(|(fate, times)| vec![*fate; *times]).collect();
        fates.resize(count, others);
        self.dice.shuffle(&mut fates);
        fates
    }

    fn years_ago(&mut self, least: i64, most: i64) -> Date {
        let years = self.dice.between(least, most);
        self.dice.day_years_ago(self.today, years)
    }

    fn days_ago(&mut self, least: i64, most: i64) -> Date {
        self.dice.day_days_ago(self.today, least, most)
    }

    fn branch(&mut self) -> i64 {
        self.dice.between(1, BRANCHES.len() as i64)
    }

    fn birth_date(&mut self) -> Date {
        self.years_ago(19, 80)
    }
}

#[cfg(test)]
mod tests;
