//! What can be typed.

mod access;
mod typed;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub(super) use access::{Access, AccessVerb, DenyVerb, RecordVerb, StandIn, UnitVerb};
use typed::{record, rule_at, state};

use crate::api::RuleDecisionRequest;
use crate::api::{Job, ProposalSet, ReasonKind, RecordAt, Sort, State};

/// Talks to the daemon that erases people from an application's database on time.
#[derive(Debug, Parser)]
#[command(name = "erasurectl", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// The daemon's socket [default: $ERASURED_SOCKET, or /run/erasured/admin.sock]
    #[arg(long, global = true, value_name = "PATH", display_order = LAST)]
    pub(super) socket: Option<PathBuf>,
    /// Print the daemon's answer as JSON
    #[arg(long, global = true, display_order = LAST)]
    pub(super) json: bool,
    /// The language to answer in [default: that of LC_ALL, LC_MESSAGES or LANG]
    // What was typed is read before all else, so that help and errors are in it: see `tongue`.
    #[arg(long, global = true, value_parser = ["en", "de"], display_order = LAST)]
    pub(super) lang: Option<String>,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What every verb takes stands behind what it alone takes.
const LAST: usize = 900;

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 daemon not reachable, 4 not permitted, 5 no such record, \
6 conflict (the state has changed).";

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show how the daemon is
    Status(Status),
    /// Write metrics for Prometheus
    Metrics,
    /// List proposals
    List(List),
    /// Show one record in full
    Show(Show),
    /// Confirm that records may be erased
    Confirm(Confirm),
    /// Postpone records, with a reason and a date
    Postpone(Postpone),
    /// Take confirmations back before the final deletion
    Restore(Records),
    /// Set a legal hold: the record is not erased until it is released
    Hold(Hold),
    /// Release a legal hold, or ask for its release
    Release(Release),
    /// List legal holds, the oldest first
    Holds(Page),
    /// List the standard reasons
    Reasons(Reasons),
    /// Ask for the erasure of one record, whatever the criteria say
    Mark(Mark),
    /// Run a job now
    Run(Run),
    /// Show what has run and what is running
    Runs(Runs),
    /// Read, export or verify the audit trail
    Audit(Audit),
    /// Show the rules in force, in words, or change one while the daemon runs
    Policy(Policy),
    /// Show which categories their schema stops, and accept what has changed
    Schema(Schema),
    /// Show who may see and do what, and change it
    Access(Access),
}

#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// As a monitoring plugin: one line first, and the exit codes 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long, conflicts_with = "json")]
    pub(super) check: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) set: Set,
    /// Only those with this text in their label
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["totals", "digest"])]
    pub(super) text: Option<String>,
    /// In this order
    #[arg(long, value_enum, value_name = "ORDER")]
    pub(super) sort: Option<SortName>,
    /// The last first
    #[arg(long)]
    pub(super) descending: bool,
    /// Write CSV, and every page of it
    #[arg(long, conflicts_with_all = ["json", "totals", "digest"])]
    pub(super) csv: bool,
    /// Only count them, by category and state
    #[arg(long, conflicts_with = "digest")]
    pub(super) totals: bool,
    /// Say what stands for all of them as they are now, to confirm them by; with --json, only that
    #[arg(long)]
    pub(super) digest: bool,
    #[command(flatten)]
    pub(super) page: Page,
}

/// Which proposals are meant.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Set {
    /// Only this category
    #[arg(long)]
    pub(super) category: Option<String>,
    /// Only this state [default: every open one]
    #[arg(long, value_parser = state)]
    pub(super) state: Option<State>,
    /// Only what is due under this criterion
    #[arg(long)]
    pub(super) criterion: Option<String>,
    /// Only records of this unit
    #[arg(long)]
    pub(super) unit: Option<String>,
    /// Only what has been waiting for at least so many days
    #[arg(long, value_name = "DAYS")]
    pub(super) age: Option<u32>,
    /// Only what is due since this day or a later one
    #[arg(long, value_name = "DATE")]
    pub(super) due_from: Option<String>,
    /// Only what is due since this day or an earlier one
    #[arg(long, value_name = "DATE")]
    pub(super) due_to: Option<String>,
    /// Only what this user has decided about last
    #[arg(long, value_name = "USER")]
    pub(super) decided_by: Option<String>,
}

impl From<Set> for ProposalSet {
    fn from(set: Set) -> Self {
        let Set { category, state, criterion, unit, age, due_from, due_to, decided_by } = set;
        Self { category, state, criterion, unit, age, due_from, due_to, decided_by }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum SortName {
    /// By category and key
    Record,
    /// By the day since when they are due
    Due,
    /// What has waited longest first
    Proposed,
}

impl From<SortName> for Sort {
    fn from(name: SortName) -> Self {
        match name {
            SortName::Record => Self::Record,
            SortName::Due => Self::Due,
            SortName::Proposed => Self::Proposed,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Page {
    /// At most so many (the daemon gives 1000 at a time)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: Option<u32>,
    /// Go on where the page before ended
    #[arg(long)]
    pub(super) cursor: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The record, written category/key
    #[arg(value_parser = record)]
    pub(super) record: RecordAt,
}

#[derive(Debug, clap::Args)]
pub(super) struct Records {
    /// Records, written category/key; with a version behind it, as in prospect/4711@3, only if it is still that one
    #[arg(required = true, value_name = "RECORD", value_parser = record)]
    pub(super) records: Vec<RecordAt>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Confirm {
    /// Records, written category/key; with a version behind it, as in prospect/4711@3, only if it is still that one
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "RECORD", value_parser = record)]
    pub(super) records: Vec<RecordAt>,
    /// All that the filters let through, as long as they are what the digest stands for
    #[arg(long)]
    pub(super) all: bool,
    /// What `erasurectl list` with the same filters and --digest gave
    #[arg(long)]
    pub(super) digest: Option<String>,
    #[command(flatten)]
    pub(super) set: Set,
    /// Do not ask to type the number of records: it is this one
    #[arg(long, value_name = "N")]
    pub(super) yes_confirm: Option<u64>,
    /// Together with these, which the record is linked to: all are confirmed or none, and those of one source are erased
    /// together
    #[arg(long, value_name = "RECORD", num_args = 1.., value_parser = record, conflicts_with_all = ["with_linked", "all"])]
    pub(super) with: Vec<RecordAt>,
    /// Together with all that it is linked to
    #[arg(long, conflicts_with = "all")]
    pub(super) with_linked: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Postpone {
    #[command(flatten)]
    pub(super) records: Records,
    /// The first day on which they may be proposed again, as 2027-06-30
    // Not `required`, so that the reader is told of both in one sentence.
    #[arg(long, value_name = "DATE")]
    pub(super) until: Option<String>,
    /// Why: the number or the name of a standard reason, or a text
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Mark {
    /// The record, written category/key
    #[arg(value_parser = record)]
    pub(super) record: RecordAt,
    /// Why: the number or the name of a standard reason, or a text
    // Not `required`, so that the reader is told in a sentence.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Hold {
    /// The record, written category/key
    #[arg(value_parser = record)]
    pub(super) record: RecordAt,
    /// Why: the number or the name of a standard reason, or a text
    // Not `required`, so that the reader is told of both in one sentence.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Under which reference: a file number, a court's sign
    #[arg(long, value_name = "TEXT")]
    pub(super) reference: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Release {
    /// The record, written category/key
    #[arg(value_parser = record)]
    pub(super) record: RecordAt,
    /// The number of the hold, where there are several on the record
    #[arg(long, value_name = "NUMBER", conflicts_with = "reference")]
    pub(super) hold: Option<u64>,
    /// The reference of the hold, instead of its number
    #[arg(long, value_name = "TEXT")]
    pub(super) reference: Option<String>,
    /// Why: the number or the name of a standard reason, or a text
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Reasons {
    /// What they are given for [default: all]
    pub(super) kind: Option<ReasonName>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ReasonName {
    /// Asking for erasure by hand
    Erase,
    /// Postponing
    Postpone,
    /// Setting or releasing a legal hold
    Hold,
}

impl From<ReasonName> for ReasonKind {
    fn from(name: ReasonName) -> Self {
        match name {
            ReasonName::Erase => Self::Erase,
            ReasonName::Postpone => Self::Postpone,
            ReasonName::Hold => Self::Hold,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// Which job
    pub(super) job: JobName,
    /// Only count what it would do
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Wait until it has ended
    #[arg(long)]
    pub(super) wait: bool,
    /// Go on over what the brake has stopped in its newest run
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) override_brake: bool,
    /// Why, with --override-brake
    // Not `required`, so that the reader is told in a sentence.
    #[arg(long, value_name = "TEXT", requires = "override_brake")]
    pub(super) reason: Option<String>,
    /// Only if that is still what this stands for
    #[arg(long, requires = "override_brake")]
    pub(super) digest: Option<String>,
    /// Do not ask to type the number of records: it is this one
    #[arg(long, value_name = "N", requires = "override_brake")]
    pub(super) yes_override: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum JobName {
    /// Find due records and propose them
    Prepare,
    /// Erase what is confirmed
    Erase,
    /// Try again to remove what was erased from the sources' files
    Remove,
}

impl From<JobName> for Job {
    fn from(name: JobName) -> Self {
        match name {
            JobName::Prepare => Self::Prepare,
            JobName::Erase => Self::Erase,
            JobName::Remove => Self::Remove,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Runs {
    #[command(flatten)]
    pub(super) page: Page,
    #[command(subcommand)]
    pub(super) verb: Option<RunsVerb>,
}

#[derive(Debug, Subcommand)]
pub(super) enum RunsVerb {
    /// Show one run
    Show {
        /// Its number
        id: u64,
        /// Write the report as one HTML file that prints well
        #[arg(long, conflicts_with = "json")]
        html: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    pub(super) verb: AuditVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditVerb {
    /// List entries, the newest first
    List {
        /// Only those about this record
        #[arg(long, value_parser = record)]
        record: Option<RecordAt>,
        /// Only those that this run made
        #[arg(long, value_name = "ID")]
        run: Option<u64>,
        #[command(flatten)]
        page: Page,
    },
    /// Write the whole trail to stdout, one JSON object a line
    Export,
    /// Write the signed checkpoints to stdout, or the key that they are signed with
    Checkpoints {
        /// Write the key instead
        #[arg(long)]
        public_key: bool,
    },
    /// Verify the trail: the daemon's own, or an exported one without any daemon
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// An exported trail
    #[arg(long, value_name = "EXPORT", requires = "checkpoints", requires = "public_key")]
    pub(super) file: Option<PathBuf>,
    /// The checkpoints to hold it against
    #[arg(long, value_name = "FILE", requires = "file")]
    pub(super) checkpoints: Option<PathBuf>,
    /// A file with the key that the checkpoints must be signed with, or the key itself
    #[arg(long, value_name = "KEY", requires = "file")]
    pub(super) public_key: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Policy {
    #[command(subcommand)]
    pub(super) verb: Option<PolicyVerb>,
}

#[derive(Debug, Subcommand)]
pub(super) enum PolicyVerb {
    /// List every rule that can be changed: its value in force, its file's, who has set it, what waits
    List,
    /// Change a rule: at once where that tightens it, else as soon as a second person has approved it
    Set {
        /// The rule, as prospect.inactive.period, prospect.cooling_off or reasons.postpone.lawsuit
        #[arg(value_name = "RULE")]
        name: String,
        /// Its value, as the files write it: "4 years", false, "7 days", none, 2, "{last_name}"
        value: String,
    },
    /// Let a rule be as in its file again; where that loosens it, a second person has to approve it
    Unset {
        /// The rule
        #[arg(value_name = "RULE")]
        name: String,
    },
    /// Approve what another person has asked for
    Approve {
        /// The rule; with a change's number behind it, as in prospect.inactive.period@41, only if it is still that one
        #[arg(value_name = "RULE", value_parser = rule_at)]
        rule: RuleDecisionRequest,
    },
    /// Drop what waits for a second person
    Reject {
        /// The rule, likewise
        #[arg(value_name = "RULE", value_parser = rule_at)]
        rule: RuleDecisionRequest,
    },
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Schema {
    #[command(subcommand)]
    pub(super) verb: Option<SchemaVerb>,
}

#[derive(Debug, Subcommand)]
pub(super) enum SchemaVerb {
    /// Accept what has changed in a category's schema: the category goes on with it
    Accept {
        /// The category
        category: String,
        /// Only if it is still the change that this stands for, as erasurectl schema shows it
        #[arg(long)]
        digest: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }
}
