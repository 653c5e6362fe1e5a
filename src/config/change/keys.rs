//! The table of what can be changed, and what loosens it.

use std::fmt;

use crate::config::load::{self, rule_version};
use crate::config::{Category, Criterion, LabelTemplate, Located, Period, Share, Starts, Wording};

/// The value of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleValue {
    /// How long a criterion's period runs, and from what.
    Period(Located<Period>, Starts),
    /// The least time between the last confirmation and erasure.
    CoolingOff(Option<Located<Period>>),
    /// Something that lets more records be erased when it is on.
    Switch(bool),
    /// How many different people have to confirm.
    Decisions(u8),
    /// How many records a run may propose or erase, however large a part of the table they are.
    BrakeCount(u64),
    /// How large a part of the table a run may propose or erase, however many records that are.
    BrakeShare(Share),
    /// What a record is called.
    Label(Option<Located<LabelTemplate>>),
    /// What a standard reason says; none where it is left out.
    Reason(Option<Wording>),
    /// Whether something else than a standard reason may be said.
    FreeText(bool),
}

impl RuleValue {
    /// Whether `new` in its place lets a record be erased sooner, or with fewer people agreeing, or more of them before
    /// somebody has to look. Labels and reasons
    /// decide nothing.
    #[must_use]
    pub fn is_loosened_by(&self, new: &Self) -> bool {
        match (self, new) {
            (Self::Period(old, starts), Self::Period(new, _)) => new.value.can_end_before(old.value, *starts),
            (Self::CoolingOff(Some(_)), Self::CoolingOff(None)) => true,
            (Self::CoolingOff(Some(old)), Self::CoolingOff(Some(new))) => {
                new.value.can_end_before(old.value, Starts::AtDate)
            }
            (Self::Switch(old), Self::Switch(new)) => !old && *new,
            (Self::Decisions(old), Self::Decisions(new)) => new < old,
            (Self::BrakeCount(old), Self::BrakeCount(new)) => new > old,
            (Self::BrakeShare(old), Self::BrakeShare(new)) => new > old,
            (Self::CoolingOff(None), Self::CoolingOff(_))
            | (Self::Label(_), Self::Label(_))
            | (Self::Reason(_), Self::Reason(_))
            | (Self::FreeText(_), Self::FreeText(_)) => false,
            // Values of two different rules are never compared; if they were, somebody should look.
            _ => true,
        }
    }
}

/// As the files write it, without quotes; `none` for what is not there.
impl fmt::Display for RuleValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Period(period, _) | Self::CoolingOff(Some(period)) => period.value.fmt(f),
            Self::Switch(on) | Self::FreeText(on) => on.fmt(f),
            Self::Decisions(people) => people.fmt(f),
            Self::BrakeCount(records) => records.fmt(f),
            Self::BrakeShare(share) => share.fmt(f),
            Self::Label(Some(label)) => label.value.fmt(f),
            Self::Reason(Some(wording)) => f.write_str(&load::typed_wording(wording)),
            Self::CoolingOff(None) | Self::Label(None) | Self::Reason(None) => f.write_str(load::NONE),
        }
    }
}

/// How the text of a value is read: as the loader reads the key of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A criterion's `period`.
    Period,
    /// A criterion's `enabled`.
    Enabled,
    /// `auto_confirm` of `[manual]`.
    AutoConfirm,
    /// `cooling_off`, or `none`.
    CoolingOff,
    /// `decisions`.
    Decisions,
    /// `count` of `[brake]`.
    BrakeCount,
    /// `share` of `[brake]`.
    BrakeShare,
    /// `label`.
    Label,
    /// `free_text` of standard reasons.
    FreeText,
}

/// Why a rule cannot be changed where it stands: a sentence, and what to do.
pub(super) type Misfit = (&'static str, &'static str);

/// Where a rule of a category stands, and how it is got and put there.
#[derive(Debug)]
pub(super) enum Access {
    /// In a criterion: `CATEGORY.CRITERION.KEY`.
    Criterion { get: fn(&Criterion) -> Result<RuleValue, Misfit>, put: fn(&mut Criterion, RuleValue) },
    /// In a category: `CATEGORY.KEY`.
    Category { get: fn(&Category) -> Result<RuleValue, Misfit>, put: fn(&mut Category, RuleValue) },
}

/// A key that can be changed.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) access: Access,
}

impl Key {
    pub(super) const fn is_of_criterion(&self) -> bool {
        matches!(self.access, Access::Criterion { .. })
    }
}

/// Everything of a category that can be changed while the daemon runs, in the order in which it is listed. A further key is
/// a further row; only one of a new kind needs more.
#[rustfmt::skip]
pub(super) static KEYS: [Key; 8] = [
    Key { name: "period", kind: Kind::Period, access: Access::Criterion { get: period, put: put_period } },
    Key { name: "enabled", kind: Kind::Enabled, access: Access::Criterion {
        get: |of| Ok(RuleValue::Switch(of.enabled)),
        put: |of, value| if let RuleValue::Switch(on) = value { of.enabled = on } } },
    Key { name: "auto_confirm", kind: Kind::AutoConfirm, access: Access::Category {
        get: |of| Ok(RuleValue::Switch(of.manual.auto_confirm)),
        put: |of, value| if let RuleValue::Switch(on) = value { of.manual.auto_confirm = on } } },
    Key { name: "cooling_off", kind: Kind::CoolingOff, access: Access::Category {
        get: |of| Ok(RuleValue::CoolingOff(of.cooling_off.clone())),
        put: |of, value| if let RuleValue::CoolingOff(least) = value { of.cooling_off = least } } },
    Key { name: "decisions", kind: Kind::Decisions, access: Access::Category {
        get: |of| Ok(RuleValue::Decisions(of.decisions)),
        put: |of, value| if let RuleValue::Decisions(people) = value { of.decisions = people } } },
    Key { name: "brake_count", kind: Kind::BrakeCount, access: Access::Category {
        get: |of| Ok(RuleValue::BrakeCount(of.brake.count)),
        put: |of, value| if let RuleValue::BrakeCount(records) = value { of.brake.count = records } } },
    Key { name: "brake_share", kind: Kind::BrakeShare, access: Access::Category {
        get: |of| Ok(RuleValue::BrakeShare(of.brake.share)),
        put: |of, value| if let RuleValue::BrakeShare(share) = value { of.brake.share = share } } },
    Key { name: "label", kind: Kind::Label, access: Access::Category { get: label, put: put_label } },
];

fn period(of: &Criterion) -> Result<RuleValue, Misfit> {
    let since = of.since.as_ref();
    since
        .map(|since| RuleValue::Period(since.period.clone(), since.starts))
        .ok_or(("the criterion has no period", "it has `where` alone; `since` and `period` are written in the file"))
}

fn put_period(of: &mut Criterion, value: RuleValue) {
    if let (Some(since), RuleValue::Period(period, _)) = (&mut of.since, value) {
        since.period = period;
        // As another wording in the file would.
        of.version = rule_version(of.since.as_ref(), of.condition.as_ref());
    }
}

/// A category without `identity` tells people apart by its label's columns: such a label is no mere name.
fn label(of: &Category) -> Result<RuleValue, Misfit> {
    if of.identity.is_empty() && of.label.is_none() {
        return Err((
            "the category's file has neither `identity` nor `label`, and a label would decide who is the same person",
            "write identity = [...] or label = \"...\" into the file first",
        ));
    }
    Ok(RuleValue::Label(of.label.clone()))
}

fn put_label(of: &mut Category, value: RuleValue) {
    let RuleValue::Label(new) = value else { return };
    if let (true, Some(old)) = (of.identity.is_empty(), &of.label) {
        // Who is the same person stays as the file has it.
        of.identity =
            old.value.columns().into_iter().map(|name| Located::new(name.to_owned(), old.place.clone())).collect();
    }
    of.label = new;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::change::RuleName;

    /// What one value after another of the same rule means.
    #[test]
    fn what_loosens() {
        let table = [
            ("period", "3 years", "2 years", true),
            ("period", "3 years", "4 years", false),
            ("period", "3 years", "3 years", false),
            ("period", "1 year", "12 months", false),
            ("period", "12 months", "1 year", false),
            ("period", "13 months", "1 year 1 month", false),
            ("period", "2 weeks", "14 days", false),
            // A month has 28 to 31 days.
            ("period", "1 month", "30 days", true),
            ("period", "30 days", "1 month", true),
            ("period", "31 days", "1 month", true),
            ("period", "1 month", "31 days", false),
            ("period", "28 days", "1 month", false),
            ("period", "1 year", "365 days", true),
            ("period", "1 year", "366 days", false),
            ("period", "366 days", "1 year", true),
            ("period", "365 days", "1 year", false),
            ("period", "1 month 1 day", "1 month", true),
            ("enabled", "false", "true", true),
            ("enabled", "true", "false", false),
            ("enabled", "true", "true", false),
            ("auto_confirm", "false", "true", true),
            ("auto_confirm", "true", "false", false),
            ("cooling_off", "7 days", "none", true),
            ("cooling_off", "7 days", "6 days", true),
            ("cooling_off", "7 days", "1 week", false),
            ("cooling_off", "7 days", "8 days", false),
            ("cooling_off", "none", "1 day", false),
            ("cooling_off", "none", "none", false),
            ("decisions", "2", "1", true),
            ("decisions", "1", "2", false),
            ("decisions", "2", "2", false),
            ("brake_count", "100", "101", true),
            ("brake_count", "100", "100", false),
            ("brake_count", "100", "99", false),
            ("brake_share", "5 %", "5.01 %", true),
            ("brake_share", "0.5 %", "100 %", true),
            ("brake_share", "5 %", "5.0 %", false),
            ("brake_share", "5 %", "0.5 %", false),
            ("label", "{last_name}", "{email}", false),
        ];
        for (key, old, new, loosens) in table {
            let key = KEYS.iter().find(|known| known.name == key).unwrap();
            let name = if key.is_of_criterion() { "prospect.inactive." } else { "prospect." };
            let name: RuleName = RuleName::parse(&format!("{name}{}", key.name)).unwrap();
            let read = |text| name.read(text).unwrap();
            assert_eq!(read(old).is_loosened_by(&read(new)), loosens, "{}: {old} to {new}", key.name);
            assert_eq!(read(&read(new).to_string()), read(new), "{new} is written as it is read");
        }
    }

    #[test]
    fn a_period_from_the_end_of_a_year_runs_through_whole_months() {
        let period = |text: &str| {
            let name = RuleName::parse("prospect.inactive.period").unwrap();
            let RuleValue::Period(period, _) = name.read(text).unwrap() else { panic!("{text} is no period") };
            RuleValue::Period(period, Starts::YearEnd)
        };
        // January, which such a period begins with, always has 31 days.
        assert!(!period("31 days").is_loosened_by(&period("1 month")));
        assert!(!period("1 month").is_loosened_by(&period("31 days")));
        assert!(period("1 month").is_loosened_by(&period("30 days")));
        assert!(period("366 days").is_loosened_by(&period("1 year")));
    }
}
