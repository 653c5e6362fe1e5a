//! Names of rules, and where they lead.

use std::fmt;

use super::RuleValue;
use super::category::CategoryRule;
use super::reasons::{ReasonRule, SECTION};
use crate::config::{Category, Finding, Place, Reasons, Settings};
use crate::record::CategoryName;

/// The name of a rule that can be changed while the daemon runs: `CATEGORY.CRITERION.KEY` or `CATEGORY.KEY`, or
/// `reasons.KIND.NAME` or `reasons.KIND.free_text`.
#[derive(Debug, Clone)]
pub struct RuleName(LeadsTo);

#[derive(Debug, Clone)]
enum LeadsTo {
    Category(CategoryRule),
    Reasons(ReasonRule),
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            LeadsTo::Category(rule) => rule.fmt(f),
            LeadsTo::Reasons(rule) => rule.fmt(f),
        }
    }
}

impl RuleName {
    /// Reads a name. Whether there is what it leads to is not looked at.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, Finding> {
        let is_of_reasons = text.split('.').next() == Some(SECTION);
        Ok(Self(if is_of_reasons {
            LeadsTo::Reasons(ReasonRule::parse(text)?)
        } else {
            LeadsTo::Category(CategoryRule::parse(text)?)
        }))
    }

    /// Every rule of a category that can be changed, in the order in which they are listed.
    #[must_use]
    pub fn all_of(category: &Category) -> Vec<Self> {
        CategoryRule::all_of(category).into_iter().map(|rule| Self(LeadsTo::Category(rule))).collect()
    }

    /// Every rule of standard reasons, likewise. Any other name of a reason leads somewhere too: to one that can be added.
    #[must_use]
    pub fn all_of_reasons(reasons: &Reasons) -> Vec<Self> {
        ReasonRule::all_of(reasons).into_iter().map(|rule| Self(LeadsTo::Reasons(rule))).collect()
    }

    /// Its category; none where it is of standard reasons, which belong to all categories.
    #[must_use]
    pub const fn category(&self) -> Option<&CategoryName> {
        match &self.0 {
            LeadsTo::Category(rule) => Some(rule.category()),
            LeadsTo::Reasons(_) => None,
        }
    }

    pub(super) const fn of_reasons(&self) -> Option<&ReasonRule> {
        match &self.0 {
            LeadsTo::Category(_) => None,
            LeadsTo::Reasons(rule) => Some(rule),
        }
    }

    /// Reads a value for it, as the files' loader does.
    ///
    /// # Errors
    /// What the loader would say.
    pub fn read(&self, text: &str) -> Result<RuleValue, Finding> {
        match &self.0 {
            LeadsTo::Category(rule) => rule.read(text),
            LeadsTo::Reasons(rule) => rule.read(text),
        }
    }

    /// Its value in these settings.
    ///
    /// # Errors
    /// When there is no such rule in them.
    pub fn value_in(&self, settings: &Settings) -> Result<RuleValue, Finding> {
        match &self.0 {
            LeadsTo::Category(rule) => rule.value_in(settings),
            LeadsTo::Reasons(rule) => Ok(rule.value_in(&settings.reasons)),
        }
    }

    /// Puts `value` into the settings in its place.
    ///
    /// # Errors
    /// When there is no such rule in them, or the settings would not make sense with it.
    pub fn put(&self, settings: &mut Settings, value: RuleValue) -> Result<(), Finding> {
        match &self.0 {
            LeadsTo::Category(rule) => rule.put(settings, value),
            LeadsTo::Reasons(rule) => rule.put(&mut settings.reasons, value),
        }
    }
}

/// Values of commands stand in no file: the rule's name says where.
pub(super) fn place_of(name: &str) -> Place {
    Place { file: name.into(), line: 0, column: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for text in ["prospect.inactive.period", "prospect.inactive.enabled", "prospect.cooling_off"] {
            assert_eq!(RuleName::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_name_is_told_with_what_to_write() {
        let told = |text| RuleName::parse(text).unwrap_err().to_string();
        insta::assert_snapshot!(
            [
                "",
                "prospect",
                "a.b.c.d",
                "Prospect.label",
                "prospect.period",
                "prospect.inactive.label",
                "prospect.inactive.where",
                "prospect.table",
                "prospect.inactive.peroid",
                "prospect.colour"
            ]
            .map(told)
            .join("\n")
        );
    }

    #[test]
    fn a_wrong_value_is_told_as_the_files_are() {
        let told = |(name, text): (&str, &str)| RuleName::parse(name).unwrap().read(text).unwrap_err().to_string();
        insta::assert_snapshot!(
            [
                ("prospect.inactive.period", "4 yaers"),
                ("prospect.inactive.period", "none"),
                ("prospect.inactive.period", "0 days"),
                ("prospect.inactive.enabled", "off"),
                ("prospect.decisions", "3"),
                ("prospect.decisions", "two"),
                ("prospect.cooling_off", "7"),
                ("prospect.label", "nobody"),
                ("prospect.label", "{last_name"),
                ("prospect.label", ""),
                ("prospect.auto_confirm", "1"),
                ("prospect.brake_count", "many"),
                ("prospect.brake_count", "-1"),
                ("prospect.brake_share", "5"),
                ("prospect.brake_share", "101 %")
            ]
            .map(told)
            .join("\n")
        );
    }
}
