//! What can be typed behind `access`.

use clap::Subcommand;

use super::{Page, record};
use crate::api::RecordAt;

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct Access {
    #[command(subcommand)]
    pub(in crate::ctl) verb: AccessVerb,
}

#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum AccessVerb {
    /// List what is assigned and denied to users, the newest first
    List {
        /// Only to this user
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Show what a user may see and do, and through what
    Show {
        /// The user, by login name
        user: String,
    },
    /// Assign the records of a unit to a user
    Unit {
        #[command(subcommand)]
        verb: UnitVerb,
    },
    /// Give a user a single record
    Record {
        #[command(subcommand)]
        verb: RecordVerb,
    },
    /// Deny a user a single record, whatever else they have
    Deny {
        #[command(subcommand)]
        verb: DenyVerb,
    },
    /// Let a user take another's place for a time
    StandIn(StandIn),
}

#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum UnitVerb {
    /// Assign it
    Add {
        /// The user, by login name
        user: String,
        /// The unit, as the application's database has it
        unit: String,
    },
    /// Assign it no longer
    Remove {
        /// The user, by login name
        user: String,
        /// The unit
        unit: String,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum RecordVerb {
    /// Give it
    Add {
        /// The user, by login name
        user: String,
        /// The record, written category/key
        #[arg(value_parser = record)]
        record: RecordAt,
    },
    /// Give it no longer
    Remove {
        /// The user, by login name
        user: String,
        /// The record, written category/key
        #[arg(value_parser = record)]
        record: RecordAt,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum DenyVerb {
    /// Deny it
    Add {
        /// The user, by login name
        user: String,
        /// The record, written category/key
        #[arg(value_parser = record)]
        record: RecordAt,
        /// Who asked for it
        // Not `required`, so that the reader is told of both in one sentence.
        #[arg(long, value_name = "WHO")]
        asked_by: Option<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Deny it no longer
    Remove {
        /// The user, by login name
        user: String,
        /// The record, written category/key
        #[arg(value_parser = record)]
        record: RecordAt,
    },
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct StandIn {
    /// The user who takes the other's place, by login name
    pub(in crate::ctl) user: String,
    /// Whose place
    #[arg(long = "for", value_name = "USER")]
    pub(in crate::ctl) stands_in_for: String,
    /// The last day, as 2027-06-30
    #[arg(long, value_name = "DATE", conflicts_with = "end")]
    pub(in crate::ctl) until: Option<String>,
    /// End it now
    #[arg(long)]
    pub(in crate::ctl) end: bool,
}
