//! The kinds of entry, and what belongs to each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Counts by name; what is zero is left out.
pub type Counts = BTreeMap<String, u64>;

/// Records of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordGroup {
    /// The category.
    pub category: String,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Records of one category that are proposed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedGroup {
    /// The category.
    pub category: String,
    /// `criterion`, `application` for the application's own mark, or `shell`.
    pub origin: String,
    /// The criterion's name, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
    /// Stands for the rule's wording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether the rule confirms them too, without asking anybody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Records of one category to which the same happened for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonedGroup {
    /// The category.
    pub category: String,
    /// The reason's word.
    pub reason: String,
    /// What belongs to the word, in the daemon's or the database's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Records of one category that are to end alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The category.
    pub category: String,
    /// `deleted` or `anonymised`.
    pub outcome: String,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Records of one category that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedGroup {
    /// The category.
    pub category: String,
    /// `deleted` or `anonymised`.
    pub outcome: String,
    /// What happened to the dependents of each of them.
    pub dependents: Counts,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Why somebody did something: a standard reason of the settings, by its name, or words of their own, for which a digest
/// stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Because {
    /// The name of a standard reason.
    #[serde(rename = "reason")]
    Standard(String),
    /// Stands for a text that lies beside the chain.
    #[serde(rename = "reason_digest")]
    Typed(String),
}

/// A legal hold that was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldSet {
    /// Its number.
    pub hold: i64,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
    /// Stands for the reference, which lies beside the chain.
    pub reference_digest: String,
    /// The record.
    pub records: Vec<RecordGroup>,
}

/// A step towards the end of a legal hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRelease {
    /// Its number.
    pub hold: i64,
    /// Why, where something was said.
    #[serde(flatten)]
    pub because: Option<Because>,
    /// The record.
    pub records: Vec<RecordGroup>,
}

/// What a clerk said about a postponement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postponement {
    /// The first day on which they may be proposed again.
    pub until: String,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
    /// The records.
    pub records: Vec<RecordGroup>,
}

/// A batch about to be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batched {
    /// The batch's id, in hexadecimal.
    pub batch: String,
    /// The source.
    pub source: String,
    /// What is to happen to which records.
    pub records: Vec<Planned>,
}

/// A rule that is changed while the daemon runs. Values of rules are no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleChanged {
    /// The rule's name.
    pub rule: String,
    /// The value before.
    pub old: String,
    /// The value that holds, or is to hold.
    pub new: String,
    /// Whether that is what the file says.
    pub from_file: bool,
    /// The number of the entry that asked for it, where a second person has approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
}

/// How far what was erased is removed from a source's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The source.
    pub source: String,
    /// How many batches it is about.
    pub batches: u64,
    /// How many records.
    pub records: u64,
    /// The steps that were done now.
    pub done: Vec<String>,
    /// The steps that are still owed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<String>,
}

/// How a batch was settled that had no outcome on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The source had not committed it: its records are confirmed as before.
    RolledBack,
    /// The source had committed it: its records are erased.
    Committed,
}

/// What is assigned to somebody, or denied, while the daemon runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Access {
    /// The records of a unit.
    Unit {
        /// To whom, by login name.
        user: String,
        /// Which.
        unit: String,
    },
    /// Single records.
    Record {
        /// To whom.
        user: String,
        /// Which.
        records: Vec<RecordGroup>,
    },
    /// Single records, denied whatever else is granted.
    Deny {
        /// To whom.
        user: String,
        /// Which.
        records: Vec<RecordGroup>,
        /// Stands for who asked for it and why, which lies beside the chain with the entry that denies.
        #[serde(flatten)]
        because: Option<Because>,
    },
    /// Taking somebody's place for a time.
    StandIn {
        /// Who takes it.
        user: String,
        /// Whose.
        represents: String,
        /// The last day.
        until: String,
    },
}

/// The end of what an entry has assigned or denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEnd {
    /// The number of that entry.
    pub entry: u64,
    /// What it was.
    #[serde(flatten)]
    pub access: Access,
}

/// A category that the brake has stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrakedCategory {
    /// The category.
    pub category: String,
    /// Records that would have been proposed or erased, rows of the table, and the limit in records.
    pub counts: Counts,
    /// The limit as a part of the table.
    pub share: String,
    /// Stands for the set of these records.
    pub digest: String,
}

/// Why a run was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The schedule, for this instant.
    Schedule(String),
    /// Somebody: the entry's actor.
    Manual,
}

/// Something that is not well and that somebody was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldComplaint {
    /// What, with its stable word in front.
    pub what: String,
    /// When.
    pub told_at: String,
}

/// What happened, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "details", rename_all = "snake_case")]
pub enum Kind {
    /// The state was made: always entry 1.
    StateCreated {
        /// Names the installation for ever.
        installation: String,
    },
    /// The daemon is up.
    DaemonStarted {
        /// Its version.
        version: String,
    },
    /// The daemon goes down.
    DaemonStopped {
        /// Why: a signal's name, or what failed.
        why: String,
    },
    /// These settings hold from now on.
    SettingsLoaded {
        /// SHA-256 over the files, in hexadecimal.
        digest: String,
        /// What holds instead of the files' values because it was set while the daemon ran, by the rules' names.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        over: BTreeMap<String, String>,
        /// Rules that were set while the daemon ran and do not hold: they no longer fit the files.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        aside: Vec<String>,
    },
    /// A run is to be made.
    RunQueued {
        /// `prepare`, `erase` or `remove`.
        job: String,
        /// Why.
        trigger: Trigger,
        /// Whether it only looks.
        dry_run: bool,
    },
    /// A run begins.
    RunStarted {
        /// `prepare`, `erase` or `remove`.
        job: String,
    },
    /// A run is over.
    RunFinished {
        /// `prepare`, `erase` or `remove`.
        job: String,
        /// `done`, `partly`, `failed` or `stopped`.
        outcome: String,
        /// What it did.
        counts: Counts,
    },
    /// The brake has stopped categories before anything of them was proposed or erased.
    BrakeClosed {
        /// `prepare` or `erase`.
        job: String,
        /// Which, and over what.
        categories: Vec<BrakedCategory>,
    },
    /// Somebody has looked at what the brake has stopped, and lets another run of the job go on over the same sets.
    BrakeOverridden {
        /// `prepare` or `erase`.
        job: String,
        /// The run that was stopped.
        stopped: i64,
        /// Stands for all the sets.
        digest: String,
        /// Why.
        #[serde(flatten)]
        because: Because,
    },
    /// Records were proposed.
    Proposed {
        /// Which, and why.
        records: Vec<ProposedGroup>,
    },
    /// Proposals were withdrawn.
    Withdrawn {
        /// Which, and why.
        records: Vec<ReasonedGroup>,
    },
    /// Postponements are over.
    ReturnedToProposed {
        /// Which.
        records: Vec<RecordGroup>,
    },
    /// Records that were erased were found again after a source was opened again, and were not due.
    CameBack {
        /// Which.
        records: Vec<RecordGroup>,
    },
    /// Somebody marked a record, whatever the criteria say.
    Marked {
        /// Which.
        records: Vec<RecordGroup>,
        /// Why.
        #[serde(flatten)]
        because: Because,
        /// Whether it was confirmed at once, as its category says.
        confirmed: bool,
    },
    /// Somebody gave the first of two confirmations.
    FirstConfirmed {
        /// Which records.
        records: Vec<RecordGroup>,
    },
    /// Somebody confirmed.
    Confirmed {
        /// Which records.
        records: Vec<RecordGroup>,
    },
    /// What somebody has just confirmed is to be erased together: all of it, or none.
    Joined {
        /// The source that they are in.
        source: String,
        /// Which records.
        records: Vec<RecordGroup>,
    },
    /// Somebody postponed.
    Postponed(Postponement),
    /// Somebody took confirmations back.
    Restored {
        /// Which records.
        records: Vec<RecordGroup>,
    },
    /// A legal hold stands from now on.
    HoldSet(HoldSet),
    /// Somebody wanted to set a legal hold, and it was too late.
    HoldTooLate {
        /// The record, which is being erased or is erased.
        records: Vec<RecordGroup>,
    },
    /// The first of two people wants a legal hold released.
    HoldReleaseAsked(HoldRelease),
    /// A legal hold is over.
    HoldReleased(HoldRelease),
    /// The next thing to happen in the source is this batch.
    BatchIntent(Batched),
    /// Records are erased.
    Erased {
        /// The batch they went with, in hexadecimal.
        batch: String,
        /// Which, and what happened to each.
        records: Vec<ErasedGroup>,
    },
    /// A batch whose end was not known has been settled.
    BatchSettled {
        /// The batch's id, in hexadecimal.
        batch: String,
        /// The source.
        source: String,
        /// How.
        settled: Settlement,
    },
    /// It was looked whether what a run has erased from a source is gone.
    RemovalVerified {
        /// The source.
        source: String,
        /// Whether nothing was found and nothing is waited for, wherever it can be seen.
        clean: bool,
        /// What can be said of each layer.
        layers: BTreeMap<String, String>,
        /// In numbers.
        counts: Counts,
    },
    /// Confirmed records went back to the clerks.
    Returned {
        /// Which, and why.
        records: Vec<ReasonedGroup>,
    },
    /// Somebody was refused; one entry for a peer and a minute.
    Refused {
        /// What they lack.
        permission: String,
        /// What they asked for.
        route: String,
    },
    /// Nothing is erased from a source until an operator decides.
    SourceClosed {
        /// The source.
        source: String,
        /// Why, in the daemon's words.
        reason: String,
    },
    /// An operator has opened a source again.
    SourceOpened {
        /// The source.
        source: String,
        /// The batch that its commit marker carried then, in hexadecimal.
        last_batch: Option<String>,
    },
    /// An operator says that the clock is right, whatever it has shown before.
    ClockAccepted {
        /// The newest time that it had shown.
        newest: String,
    },
    /// Another key signs the checkpoints from here on. The checkpoint over this entry is signed by both.
    CheckpointKeyChanged {
        /// The public key before.
        from: String,
        /// The public key after.
        to: String,
    },
    /// Fingerprints are taken with another key from here on, and those of before were brought under it.
    FingerprintKeyChanged {
        /// Names the key before.
        from: String,
        /// Names the key after.
        to: String,
    },
    /// Somebody outside was told how things stand.
    NoticeGiven {
        /// Up to when runs had ended that were told of, or before.
        runs_until: String,
        /// All that is not well and was told of, now or before.
        complaints: Vec<ToldComplaint>,
        /// How many new proposals were told of.
        proposed: u64,
    },
    /// What categories rely on in their schemas is remembered as it is now: it has not been looked at before, or is more or
    /// less than it was.
    SchemaNoted {
        /// Which categories.
        categories: Vec<String>,
    },
    /// A category is stopped: the application has changed its schema.
    SchemaGateClosed {
        /// The category.
        category: String,
        /// What was changed, and what to do.
        reason: String,
    },
    /// A category that was stopped fits its schema again.
    SchemaGateOpened {
        /// The category.
        category: String,
    },
    /// Somebody has looked at what has changed in a schema, and the category goes on with it.
    SchemaAccepted {
        /// The category.
        category: String,
        /// What has changed.
        differences: Vec<String>,
    },
    /// Nothing that the daemon can remove of what was erased is left in the source's files.
    RemovalDone(Removal),
    /// Something may be left, and is tried again.
    RemovalPending(Removal),
    /// Somebody was assigned something, or denied.
    AccessGiven(Access),
    /// What somebody was assigned or denied has ended.
    AccessEnded(AccessEnd),
    /// Somebody has changed a rule while the daemon ran; it holds from now on.
    RuleChanged(RuleChanged),
    /// Somebody wishes a rule to be looser; a second person has to approve it.
    RuleChangeAsked(RuleChanged),
    /// A second person has approved it; it holds from now on.
    RuleChangeApproved(RuleChanged),
    /// A change that waited for a second person is dropped.
    RuleChangeRejected {
        /// The rule's name.
        rule: String,
        /// The value that it was to have; null: the file's.
        new: Option<String>,
        /// The number of the entry that asked for it.
        asked: u64,
    },
    /// Keys of this category are personal: from now on entries name its records by keyed digests.
    KeysPersonal {
        /// The category.
        category: String,
    },
    /// What was older than keys may be kept was removed: the trail begins with a later entry from now on.
    Pruned {
        /// The number of that entry, over which a checkpoint was signed.
        first: u64,
        /// How many entries were removed.
        entries: u64,
        /// How much else went with them.
        counts: Counts,
    },
    /// The trail up to and with this entry was signed.
    Checkpoint {
        /// The id of the key, in hexadecimal.
        key: String,
    },
}

impl Kind {
    /// The kind's word and its details.
    pub(super) fn split(&self) -> (String, Value) {
        // Nothing in a kind can fail to become JSON: its maps have text for names, its numbers are integers.
        let mut value = serde_json::to_value(self).unwrap_or_default();
        let details = value.get_mut("details").map(Value::take).unwrap_or_default();
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        (kind, details)
    }

    /// The kind of these two, where this version knows it.
    pub(super) fn join(kind: &str, details: Value) -> Option<Self> {
        serde_json::from_value(serde_json::json!({ "kind": kind, "details": details })).ok()
    }

    /// The kind's word.
    #[must_use]
    pub fn word(&self) -> String {
        self.split().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_its_word_and_its_details() {
        let kind = Kind::RunQueued { job: "erase".into(), trigger: Trigger::Schedule("x".into()), dry_run: false };
        let (word, details) = kind.split();
        assert_eq!((word.as_str(), kind.word().as_str()), ("run_queued", "run_queued"));
        assert_eq!(details.to_string(), r#"{"dry_run":false,"job":"erase","trigger":{"schedule":"x"}}"#);
        assert_eq!(Kind::join(&word, details), Some(kind));
        assert_eq!(Kind::join("of_a_later_version", Value::Null), None);
    }
}
