//! The files with changes over them.

use super::RuleName;
use super::reasons::{self, Laid};
use crate::config::Settings;

/// A rule as it was set while the daemon ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRule {
    /// The rule's name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What the file said then.
    pub file: String,
    /// Its number: a later change has a greater one.
    pub number: u64,
    /// Whether a second person has approved it.
    pub is_approved: bool,
}

/// A change that is not in force: the file's value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The rule's name.
    pub name: String,
    /// Why, in one sentence without a full stop.
    pub why: String,
    /// Whether it would be in force if a second person approved it.
    pub waits: bool,
}

/// The settings that the files and the changes make together, and the changes that take no part.
///
/// One that loosens what the file says must have been approved by a second person; so when somebody has since made the file
/// stricter than a change that nobody had to approve, the file holds until somebody does.
#[must_use]
pub fn over(files: &Settings, changes: &[SetRule]) -> (Settings, Vec<Aside>) {
    let mut settings = files.clone();
    let (mut asides, mut of_reasons) = (Vec::new(), Vec::new());
    for change in changes {
        match put(files, &mut settings, change) {
            Ok(None) => (),
            Ok(Some(laid)) => of_reasons.push(laid),
            Err(aside) => asides.push(aside),
        }
    }
    let (reasons, without) = reasons::over(&files.reasons, of_reasons);
    settings.reasons = reasons;
    asides.extend(without);
    (settings, asides)
}

/// Puts a change into the settings; gives it back where it is of reasons, which are laid together.
fn put<'a>(files: &Settings, settings: &mut Settings, change: &'a SetRule) -> Result<Option<Laid<'a>>, Aside> {
    let aside = |why, waits| Aside { name: change.name.clone(), why, waits };
    let misfit = |finding: crate::config::Finding| aside(finding.message, false);
    let name = RuleName::parse(&change.name).map_err(misfit)?;
    let value = name.read(&change.value).map_err(misfit)?;
    if let Some(rule) = name.of_reasons() {
        return Ok(Some(Laid { change, rule: rule.clone(), value }));
    }
    let file = name.value_in(files).map_err(misfit)?;
    if !change.is_approved && file.to_string() != change.file && file.is_loosened_by(&value) {
        let why = format!(
            "the file now says {file}, and {} would loosen that: a second person must approve it",
            change.value
        );
        return Err(aside(why, true));
    }
    name.put(settings, value).map_err(misfit).map(|()| None)
}
