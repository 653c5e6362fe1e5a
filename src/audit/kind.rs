//! The kinds of entry, and what belongs to each.

mod details;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::details::{
    Access, AccessEnd, Batched, Because, BrakedCategory, Counts, ErasedGroup, HoldRelease, HoldSet, Planned,
    Postponement, ProposedGroup, ReasonedGroup, RecordGroup, Removal, RuleChanged, Settlement, ToldComplaint, Trigger,
};

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
