//! What an entry of the trail says, in words. Pure.

use crate::audit::{Access, AccessEnd, BrakedCategory};
use crate::audit::{
    Because, Counts, ErasedGroup, HoldRelease, HoldSet, Kind, Planned, ProposedGroup, ReasonedGroup, RecordGroup,
    Removal, RuleChanged, Settlement, Trigger,
};
use crate::config::ReasonKind;
use crate::proposal::RemovalStep;

/// The record that the entry is about, where it is about a single one.
pub(super) fn record_of(kind: &Kind) -> Option<String> {
    let mut records = groups(kind).into_iter().flat_map(|(category, keys)| keys.iter().map(move |key| (category, key)));
    match (records.next(), records.next()) {
        (Some((category, key)), None) => Some(format!("{category}/{key}")),
        _ => None,
    }
}

/// The records that the entry names, by category.
fn groups(kind: &Kind) -> Vec<(&str, &[String])> {
    match kind {
        Kind::Proposed { records } => records.iter().map(|g| (g.category.as_str(), g.keys.as_slice())).collect(),
        Kind::Withdrawn { records } | Kind::Returned { records } => {
            records.iter().map(|g| (g.category.as_str(), g.keys.as_slice())).collect()
        }
        Kind::ReturnedToProposed { records }
        | Kind::CameBack { records }
        | Kind::Marked { records, .. }
        | Kind::FirstConfirmed { records }
        | Kind::Confirmed { records }
        | Kind::Restored { records } => plain(records),
        Kind::Joined { records, .. } => plain(records),
        Kind::Postponed(of) => plain(&of.records),
        Kind::HoldSet(HoldSet { records, .. }) | Kind::HoldTooLate { records } => plain(records),
        Kind::HoldReleaseAsked(of) | Kind::HoldReleased(of) => plain(&of.records),
        Kind::BatchIntent(of) => of.records.iter().map(|g| (g.category.as_str(), g.keys.as_slice())).collect(),
        Kind::Erased { records, .. } => records.iter().map(|g| (g.category.as_str(), g.keys.as_slice())).collect(),
        Kind::AccessGiven(access) | Kind::AccessEnded(AccessEnd { access, .. }) => match access {
            Access::Record { records, .. } | Access::Deny { records, .. } => plain(records),
            Access::Unit { .. } | Access::StandIn { .. } => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn plain(records: &[RecordGroup]) -> Vec<(&str, &[String])> {
    records.iter().map(|group| (group.category.as_str(), group.keys.as_slice())).collect()
}

/// What kind of reason the entry has, and the reason, as far as it stands in the chain.
pub(super) fn because_of(kind: &Kind) -> Option<(ReasonKind, Option<&Because>)> {
    match kind {
        Kind::Marked { because, .. } => Some((ReasonKind::Erase, Some(because))),
        Kind::Postponed(of) => Some((ReasonKind::Postpone, Some(&of.because))),
        Kind::HoldSet(of) => Some((ReasonKind::Hold, Some(&of.because))),
        Kind::HoldReleaseAsked(of) | Kind::HoldReleased(of) => Some((ReasonKind::Hold, of.because.as_ref())),
        _ => None,
    }
}

/// What the entry says, with the texts that belong to it.
pub(super) fn with_texts(summary: String, reason: Option<String>, reference: Option<String>) -> String {
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let reference = reference.map(|reference| format!(" ({reference})")).unwrap_or_default();
    format!("{summary}{reason}{reference}")
}

/// What the entry says.
pub(super) fn summary_of(kind: &Kind) -> String {
    match kind {
        Kind::StateCreated { installation } => format!("the state of installation {installation} was made"),
        Kind::DaemonStarted { version } => format!("the daemon started, version {version}"),
        Kind::DaemonStopped { why } => format!("the daemon stopped: {why}"),
        Kind::SettingsLoaded { digest, over, aside } => settings_loaded(digest, over.len(), aside),
        Kind::RunQueued { job, trigger, dry_run } => queued(job, trigger, *dry_run),
        Kind::RunStarted { job } => format!("a run of {job} began"),
        Kind::RunFinished { job, outcome, counts } => {
            let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            with_details(format!("a run of {job} ended: {outcome}"), &counts)
        }
        Kind::BrakeClosed { job, categories } => {
            let braked: Vec<String> = categories.iter().map(braked).collect();
            format!("the brake stopped {job}: {}", braked.join("; "))
        }
        Kind::BrakeOverridden { job, stopped, digest, .. } => {
            format!("a run of {job} may go on over what the brake stopped in run {stopped}, digest {digest}")
        }
        Kind::RemovalVerified { source, clean, counts, .. } => removal_verified(source, *clean, counts),
        Kind::Refused { permission, route } => format!("refused for want of the permission {permission}: {route}"),
        Kind::NoticeGiven { complaints, proposed, .. } => {
            format!("told how things stand: {} not well, {proposed} newly proposed", complaints.len())
        }
        Kind::SourceClosed { source, reason } => format!("the source {source} was closed: {reason}"),
        Kind::SourceOpened { source, .. } => format!("the source {source} was opened again"),
        Kind::ClockAccepted { newest } => format!("the clock is right, an operator says; it had shown {newest}"),
        Kind::SchemaNoted { categories } => {
            format!("the schema was noted as it is, for {}", categories.join(", "))
        }
        Kind::SchemaGateClosed { category, reason } => format!("{category} was stopped: {reason}"),
        Kind::SchemaGateOpened { category } => format!("{category} fits its schema again"),
        Kind::SchemaAccepted { category, differences } => {
            format!("the changed schema was accepted for {category}: {}", differences.join("; "))
        }
        Kind::RemovalDone(of) | Kind::RemovalPending(of) => removal(of),
        Kind::RuleChanged(of) | Kind::RuleChangeAsked(of) | Kind::RuleChangeApproved(of) => rule_changed(kind, of),
        Kind::RuleChangeRejected { rule, new: Some(new), .. } => format!("{rule} is not to be {new} after all"),
        Kind::RuleChangeRejected { rule, new: None, .. } => format!("{rule} is not to be as in its file after all"),
        Kind::KeysPersonal { category } => {
            format!("keys of {category} are personal: digests stand for them from now on")
        }
        Kind::Pruned { first, entries, counts } => pruned(*first, *entries, counts),
        Kind::CheckpointKeyChanged { from, to } => {
            format!("from here on checkpoints are signed with the key {to}, no longer with {from}")
        }
        Kind::FingerprintKeyChanged { from, to } => {
            format!("from here on fingerprints are taken with the key {to}, no longer with {from}")
        }
        Kind::Checkpoint { key } => format!("the trail up to here was signed, key {key}"),
        Kind::AccessGiven(access) => given(access),
        Kind::AccessEnded(end) => format!("ended, entry {}: {}", end.entry, given(&end.access)),
        about_records => summary_of_records(about_records),
    }
}

fn pruned(first: u64, entries: u64, counts: &Counts) -> String {
    let with: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    with_details(format!("{entries} entries before entry {first} were pruned"), &with)
}

fn summary_of_records(kind: &Kind) -> String {
    let many: usize = groups(kind).iter().map(|(_, keys)| keys.len()).sum();
    let counted = if many == 1 { "1 record".to_owned() } else { format!("{many} records") };
    match kind {
        Kind::Proposed { records } => {
            with_details(format!("{counted} proposed"), &records.iter().map(under).collect::<Vec<_>>())
        }
        Kind::Withdrawn { records } => with_details(format!("{counted} withdrawn"), &because(records)),
        Kind::Returned { records } => with_details(format!("{counted} back with the clerks"), &because(records)),
        Kind::ReturnedToProposed { .. } => format!("{counted} proposed again: the postponement is over"),
        Kind::CameBack { .. } => format!("{counted} back with a restored backup, erased before and not due"),
        Kind::Marked { confirmed, .. } => {
            if *confirmed {
                format!("{counted} marked, and confirmed by the rule")
            } else {
                format!("{counted} marked")
            }
        }
        Kind::FirstConfirmed { .. } => format!("{counted} confirmed by the first of two"),
        Kind::Confirmed { .. } => format!("{counted} confirmed"),
        Kind::Joined { source, .. } => format!("{counted} of {source} to be erased together, or not at all"),
        Kind::Restored { .. } => format!("the confirmation of {counted} taken back"),
        Kind::Postponed(of) => format!("{counted} postponed until {}", of.until),
        Kind::HoldSet(HoldSet { hold, .. }) => format!("{counted} held, by hold {hold}"),
        Kind::HoldTooLate { .. } => format!("a hold on {counted} came too late"),
        Kind::HoldReleaseAsked(HoldRelease { hold, .. }) => format!("the release of hold {hold} was asked for"),
        Kind::HoldReleased(HoldRelease { hold, .. }) => format!("hold {hold} was released"),
        Kind::BatchIntent(of) => {
            let planned: Vec<String> = of.records.iter().map(planned).collect();
            with_details(format!("batch {} of {} is about to be erased", of.batch, of.source), &planned)
        }
        Kind::Erased { batch, records } => with_details(
            format!("batch {batch} is done, {counted} erased"),
            &records.iter().map(erased).collect::<Vec<_>>(),
        ),
        Kind::BatchSettled { batch, source, settled } => match settled {
            Settlement::Committed => format!("batch {batch} of {source} was settled: it had been committed"),
            Settlement::RolledBack => format!("batch {batch} of {source} was settled: it had not been committed"),
        },
        _ => String::new(),
    }
}

fn braked(of: &BrakedCategory) -> String {
    let count = |name| of.counts.get(name).copied().unwrap_or(0);
    let (category, share, digest) = (&of.category, &of.share, &of.digest);
    let (records, rows, limit) = (count("records"), count("rows"), count("limit"));
    format!("{category}: {records} of {rows} records (limits {limit} and {share}), digest {digest}")
}

fn removal_verified(source: &str, clean: bool, counts: &Counts) -> String {
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let said = if clean {
        format!("what was erased from {source} is gone, as far as can be seen")
    } else {
        format!("what was erased from {source} is not known to be gone")
    };
    with_details(said, &counts)
}

fn removal(of: &Removal) -> String {
    let Removal { source, records, pending, .. } = of;
    let records = if *records == 1 { "1 record".to_owned() } else { format!("{records} records") };
    if pending.is_empty() {
        return format!("{records} erased in {source}: done what the settings ask for to remove them from its files");
    }
    let steps = pending.iter().filter_map(|step| step.parse().ok()).map(RemovalStep::in_words);
    let steps = steps.collect::<Vec<_>>().join(", ");
    format!("{records} erased in {source} may still be in its files; still to be done: {steps}")
}

fn settings_loaded(digest: &str, over: usize, aside: &[String]) -> String {
    let mut said = format!("settings loaded, SHA-256 {digest}");
    match over {
        0 => {}
        1 => said.push_str("; 1 rule is set otherwise while running"),
        many => said.push_str(&format!("; {many} rules are set otherwise while running")),
    }
    if !aside.is_empty() {
        said.push_str(&format!("; set aside: {}", aside.join(", ")));
    }
    said
}

fn rule_changed(kind: &Kind, of: &RuleChanged) -> String {
    let RuleChanged { rule, new, old, .. } = of;
    let said = match kind {
        Kind::RuleChangeAsked(_) => {
            format!("{rule} is to be {new} instead of {old}: this waits for a second person")
        }
        Kind::RuleChangeApproved(_) => {
            format!("{rule} is {new} from now on, after {old}: a second person has approved it")
        }
        _ => format!("{rule} is {new} from now on, after {old}"),
    };
    if of.from_file { format!("{said}; that is as in its file") } else { said }
}

fn queued(job: &str, trigger: &Trigger, dry_run: bool) -> String {
    match (trigger, dry_run) {
        (Trigger::Schedule(slot), false) => format!("a run of {job} was queued for {slot}"),
        (Trigger::Schedule(slot), true) => format!("a dry run of {job} was queued for {slot}"),
        (Trigger::Manual, false) => format!("a run of {job} was queued by hand"),
        (Trigger::Manual, true) => format!("a dry run of {job} was queued by hand"),
    }
}

fn under(group: &ProposedGroup) -> String {
    let (count, category) = (group.keys.len(), &group.category);
    let said = match (group.origin.as_str(), &group.criterion) {
        (_, Some(criterion)) => format!("{count} {category} under {criterion}"),
        ("application", None) => format!("{count} {category} marked by the application"),
        _ => format!("{count} {category} anonymised before, and kept by nothing any more"),
    };
    if group.confirmed { format!("{said}, confirmed by the rule") } else { said }
}

fn planned(group: &Planned) -> String {
    ended(group.keys.len(), &group.category, &group.outcome)
}

fn ended(count: usize, category: &str, outcome: &str) -> String {
    match outcome {
        "deleted" => format!("{count} {category} deleted"),
        "anonymised" => format!("{count} {category} anonymised"),
        later => format!("{count} {category} {later}"),
    }
}

fn erased(group: &ErasedGroup) -> String {
    let rows: Vec<String> = group.dependents.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let said = ended(group.keys.len(), &group.category, &group.outcome);
    if rows.is_empty() { said } else { format!("{said} (dependents of each: {})", rows.join(", ")) }
}

fn because(groups: &[ReasonedGroup]) -> Vec<String> {
    let because = |group: &ReasonedGroup| {
        let detail = group.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        format!("{} {} {}{detail}", group.keys.len(), group.category, group.reason)
    };
    groups.iter().map(because).collect()
}

fn with_details(said: String, details: &[String]) -> String {
    if details.is_empty() { said } else { format!("{said}: {}", details.join(", ")) }
}

fn given(access: &Access) -> String {
    match access {
        Access::Unit { user, unit } => format!("{user} has the records of the unit {unit}"),
        Access::Record { user, .. } => format!("{user} has a single record"),
        Access::Deny { user, .. } => format!("{user} is denied a record"),
        Access::StandIn { user, represents, until } => format!("{user} stands in for {represents} until {until}"),
    }
}
