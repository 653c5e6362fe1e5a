//! Changing rules while the daemon runs: who may, what takes effect at once, and what a second person has to approve.
//!
//! What loosens a rule waits for a second person; what tightens it holds at once. A change is held against the files and
//! the live schema before it is taken, and once more when it is approved. What is decided is decided by [`step`], from
//! values alone.

use std::sync::Arc;

use super::board::held;
use super::{Desk, DeskError};
use crate::actor::{Actor, Authorised, Scope};
use crate::audit::By;
use crate::config::change::{Aside, RuleName, RuleValue, over};
use crate::config::{Finding, Place, Settings};
use crate::record::CategoryName;
use crate::source::check::{self, Depth};
use crate::source::{Source, SourceError};
use crate::store::{Change, NewRule, StoreError, StoredRule};

/// What somebody wishes for a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleWish {
    /// It has this value.
    Set(String),
    /// It is as in its file again.
    Unset,
    /// What another has asked for holds; where a number is given, only if it is still that change.
    Approve(Option<u64>),
    /// What was asked for is dropped; likewise.
    Reject(Option<u64>),
}

/// How a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStanding {
    /// Its name.
    pub name: String,
    /// The value in force; `None` where the name leads nowhere any more.
    pub in_force: Option<String>,
    /// What the file says.
    pub file: Option<String>,
    /// The change that somebody has made.
    pub set: Option<StoredRule>,
    /// Why that is not in force, where it is not.
    pub aside: Option<Aside>,
    /// The change that waits for a second person.
    pub waiting: Option<StoredRule>,
}

/// What became of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleOutcome {
    /// It holds from now on.
    Holds,
    /// It waits for a second person.
    Waits,
    /// What waited is dropped.
    Dropped,
}

/// Why a rule was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// There is no such category, or none that the asker may see.
    #[error("there is no category {0}")]
    NoSuchCategory(CategoryName),
    /// The name or the value is wrong.
    #[error("{}", .0.message)]
    Wrong(Box<Finding>),
    /// The value does not fit the schema as it is.
    #[error("it does not fit the schema: {}", .0.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("; "))]
    Unfit(Vec<Finding>),
    /// The source could not be read to hold the value against its schema.
    #[error("the source cannot be read, and the value cannot be held against its schema")]
    Unread(#[source] Box<SourceError>),
    /// It holds already.
    #[error("it is {0} already")]
    AlreadySo(String),
    /// Nobody has set it.
    #[error("nobody has set it: the file's value holds")]
    NotSet,
    /// Nobody has asked for anything.
    #[error("nothing waits there for a second person")]
    NothingWaits,
    /// Another change waits than the one that was meant.
    #[error("change {meant} no longer waits there; change {now} does")]
    OtherChange {
        /// The one that was meant.
        meant: u64,
        /// The one that waits.
        now: u64,
    },
    /// One person cannot be two.
    #[error("{0} has asked for it, and a second person has to approve it")]
    SamePerson(Actor),
    /// Somebody else was quicker.
    #[error("the settings have changed in the meantime")]
    Overtaken,
    /// The state is in the way.
    #[error("cannot use the state")]
    Store(#[source] StoreError),
}

fn wrong(finding: Finding) -> RuleError {
    RuleError::Wrong(Box::new(finding))
}

/// All that a decision about one rule depends on.
struct View {
    files: Arc<Settings>,
    rules: Vec<StoredRule>,
    in_force: Settings,
    asides: Vec<Aside>,
}

impl View {
    fn of(files: Arc<Settings>, rules: Vec<StoredRule>) -> Self {
        let (in_force, asides) = over(&files, &held(&rules));
        Self { files, rules, in_force, asides }
    }

    fn find(&self, name: &str, waits: bool) -> Option<&StoredRule> {
        self.rules.iter().find(|rule| rule.name == name && rule.waits == waits)
    }

    fn aside(&self, name: &str) -> Option<&Aside> {
        self.asides.iter().find(|aside| aside.name == name)
    }

    fn standing(&self, name: &str) -> RuleStanding {
        let value = |settings: &Settings| {
            RuleName::parse(name).and_then(|name| name.value_in(settings)).ok().map(|value| value.to_string())
        };
        RuleStanding {
            name: name.to_owned(),
            in_force: value(&self.in_force),
            file: value(&self.files),
            set: self.find(name, false).cloned(),
            aside: self.aside(name).cloned(),
            waiting: self.find(name, true).cloned(),
        }
    }
}

/// What is to be written down.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The value holds; `None`: the file's.
    Set(Option<String>),
    /// The value waits; `None`: the file's.
    Ask(Option<String>),
    /// This change holds.
    Approve(Box<StoredRule>),
    /// What waits is dropped.
    Reject,
}

/// What a wish comes to. Pure.
fn step(name: &RuleName, wish: &RuleWish, view: &View, by: &Actor) -> Result<Step, RuleError> {
    let text = name.to_string();
    let (set, waiting) = (view.find(&text, false), view.find(&text, true));
    match wish {
        RuleWish::Set(value) => {
            let value = name.read(value).map_err(wrong)?;
            let old = name.value_in(&view.in_force).map_err(wrong)?;
            let written = value.to_string();
            let is_so = |rule: &StoredRule| rule.value.as_ref() == Some(&written);
            if set.is_some_and(is_so) && view.aside(&text).is_none() {
                return Err(RuleError::AlreadySo(written));
            }
            if set.is_none() && value == RuleValue::Reason(None) && old == value {
                // There is no such reason to leave out: its name is a slip.
                return Err(RuleError::AlreadySo(written));
            }
            Ok(settle(&old, &value, Some(written)))
        }
        RuleWish::Unset => {
            if set.is_none() {
                return Err(RuleError::NotSet);
            }
            match (name.value_in(&view.in_force), name.value_in(&view.files)) {
                (Ok(old), Ok(file)) => Ok(settle(&old, &file, None)),
                // It leads nowhere, and holds nothing up.
                _ => Ok(Step::Set(None)),
            }
        }
        RuleWish::Approve(meant) => {
            let may_be_approved = view.aside(&text).is_some_and(|aside| aside.waits);
            let change = waiting.or(set.filter(|_| may_be_approved)).ok_or(RuleError::NothingWaits)?;
            is_meant(*meant, change)?;
            if is_same_person(&change.by, by) {
                return Err(RuleError::SamePerson(change.by.clone()));
            }
            // It may have been asked for under other files.
            name.value_in(&view.files).map_err(wrong)?;
            change.value.as_deref().map(|value| name.read(value)).transpose().map_err(wrong)?;
            Ok(Step::Approve(Box::new(change.clone())))
        }
        RuleWish::Reject(meant) => {
            is_meant(*meant, waiting.ok_or(RuleError::NothingWaits)?)?;
            Ok(Step::Reject)
        }
    }
}

/// That the category does not contradict itself afterwards, if it does not already.
fn is_consistent(name: &RuleName, step: &Step, view: &View) -> Result<(), RuleError> {
    let new = match step {
        Step::Set(new) | Step::Ask(new) => new.as_deref(),
        Step::Approve(change) => change.value.as_deref(),
        Step::Reject => return Ok(()),
    };
    let value = new.map_or_else(|| name.value_in(&view.files), |text| name.read(text));
    let mut settings = view.in_force.clone();
    // What leads nowhere contradicts nothing.
    if value.and_then(|value| name.put(&mut settings, value)).is_err() {
        return Ok(());
    }
    let contradiction = |settings: &Settings| settings.categories.get(name.category()?)?.contradiction();
    match contradiction(&settings) {
        Some((message, hint)) if contradiction(&view.in_force).is_none() => {
            let place = Place { file: name.to_string().into(), line: 0, column: 0 };
            Err(wrong(Finding::error("decisions", &place, message).hint(hint)))
        }
        _ => Ok(()),
    }
}

fn settle(old: &RuleValue, value: &RuleValue, new: Option<String>) -> Step {
    if old.is_loosened_by(value) { Step::Ask(new) } else { Step::Set(new) }
}

fn is_meant(meant: Option<u64>, change: &StoredRule) -> Result<(), RuleError> {
    match meant {
        Some(meant) if meant != change.seq => Err(RuleError::OtherChange { meant, now: change.seq }),
        _ => Ok(()),
    }
}

/// Users are told apart by their numbers: names can be given anew.
fn is_same_person(one: &Actor, other: &Actor) -> bool {
    match (one, other) {
        (Actor::User { uid: one, .. }, Actor::User { uid: other, .. }) => one == other,
        // Nobody but the daemon itself is no person; it approves nothing.
        _ => true,
    }
}

impl Desk {
    /// How every rule stands that can be changed and that the asker may see; those that lead nowhere any more among them.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn rules(&self, leave: &Authorised) -> Result<Vec<RuleStanding>, StoreError> {
        let view = View::of(self.board.files(), self.store.rules().await?);
        let visible = view.files.categories.values().filter(|category| leave.scope().sees(&category.name));
        let of_reasons = RuleName::all_of_reasons(&view.files.reasons);
        let names = visible.flat_map(RuleName::all_of).chain(of_reasons);
        let mut names: Vec<String> = names.map(|name| name.to_string()).collect();
        for rule in &view.rules {
            if !names.contains(&rule.name) && sees(leave.scope(), &rule.name) {
                names.push(rule.name.clone());
            }
        }
        Ok(names.iter().map(|name| view.standing(name)).collect())
    }

    /// Does to a rule what somebody wishes; gives what became of it, and how the rule stands now.
    ///
    /// # Errors
    /// [`RuleError`]; nothing has been changed then.
    pub async fn change_rule(
        &self,
        leave: &Authorised,
        request: &str,
        name: &str,
        wish: &RuleWish,
    ) -> Result<(RuleOutcome, RuleStanding), RuleError> {
        let name = RuleName::parse(name).map_err(wrong)?;
        let view = View::of(self.board.files(), self.store.rules().await.map_err(RuleError::Store)?);
        if let Some(category) = name.category() {
            let is_known = view.files.categories.contains_key(category)
                || view.rules.iter().any(|rule| rule.name == name.to_string());
            if !is_known || !leave.scope().sees(category) {
                return Err(RuleError::NoSuchCategory(category.clone()));
            }
        }
        let step = step(&name, wish, &view, leave.actor())?;
        is_consistent(&name, &step, &view)?;
        // Nobody reads a source while holding the store: this comes first, and holds if nothing has changed since.
        hold_against(&name, &step, &view).await?;
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.map_err(RuleError::Store)?;
        let is_as_seen = change.rules().await.map_err(RuleError::Store)? == view.rules
            && Arc::ptr_eq(&self.board.files(), &view.files);
        if !is_as_seen {
            return Err(RuleError::Overtaken);
        }
        self.still_may(&mut change, leave).await.map_err(|error| match error {
            DeskError::Store(error) => RuleError::Store(error),
            _ => RuleError::Overtaken,
        })?;
        let by = By { actor: leave.actor().clone(), run: None, request: Some(request.to_owned()) };
        write(&mut change, &by, &name.to_string(), &step, &view).await.map_err(RuleError::Store)?;
        let rules = change.rules().await.map_err(RuleError::Store)?;
        change.commit().await.map_err(RuleError::Store)?;
        self.board.post(Arc::clone(&view.files), &rules);
        drop(turn);
        let outcome = match step {
            Step::Set(_) | Step::Approve(_) => RuleOutcome::Holds,
            Step::Ask(_) => RuleOutcome::Waits,
            Step::Reject => RuleOutcome::Dropped,
        };
        Ok((outcome, View::of(view.files, rules).standing(&name.to_string())))
    }
}

/// That the settings make sense with the value, and that its category fits the schema as well as without it.
async fn hold_against(name: &RuleName, step: &Step, view: &View) -> Result<(), RuleError> {
    let new = match step {
        Step::Set(new) | Step::Ask(new) => new,
        Step::Approve(change) => &change.value,
        Step::Reject => return Ok(()),
    };
    let mut settings = view.in_force.clone();
    let Some(category) = name.category() else {
        // A file's reason that is to come back may read like one that was added since.
        let value = new.as_ref().map_or_else(|| name.value_in(&view.files), |value| name.read(value));
        return value.and_then(|value| name.put(&mut settings, value)).map_err(wrong);
    };
    let Some(value) = new else { return Ok(()) };
    name.read(value).and_then(|value| name.put(&mut settings, value)).map_err(wrong)?;
    let before = findings(&view.in_force, category).await.map_err(unread)?;
    let after = findings(&settings, category).await.map_err(unread)?;
    let is_new = |finding: &Finding| !before.iter().any(|known| known.message == finding.message);
    let found: Vec<Finding> = after.into_iter().filter(is_new).collect();
    if found.is_empty() { Ok(()) } else { Err(RuleError::Unfit(found)) }
}

fn unread(error: SourceError) -> RuleError {
    RuleError::Unread(Box::new(error))
}

/// What stops the category over the schema as it is now.
async fn findings(settings: &Settings, name: &CategoryName) -> Result<Vec<Finding>, SourceError> {
    let Some(category) = settings.categories.get(name) else { return Ok(Vec::new()) };
    let Some(source) = settings.sources.get(&category.source.value) else { return Ok(Vec::new()) };
    let mut reader = Source::of(source).reader().await?;
    let checked = check::category(&mut reader, settings, category, Depth::Schema).await;
    reader.close().await;
    Ok(checked?.findings.into_iter().filter(Finding::is_error).collect())
}

/// Standard reasons are everybody's. A name that cannot be read belongs to no category: only who sees everything sees it.
fn sees(scope: &Scope, name: &str) -> bool {
    RuleName::parse(name)
        .map_or_else(|_| scope.is_everything(), |name| name.category().is_none_or(|category| scope.sees(category)))
}

async fn write(change: &mut Change<'_>, by: &By, name: &str, step: &Step, view: &View) -> Result<(), StoreError> {
    let standing = view.standing(name);
    let (old, file) = (standing.in_force.unwrap_or_default(), standing.file.unwrap_or_default());
    let rule = |new| NewRule { name, old: &old, new, file: &file };
    match step {
        Step::Set(new) => change.set_rule(by, &rule(new.as_deref())).await,
        Step::Ask(new) => change.ask_for_rule(by, &rule(new.as_deref())).await,
        Step::Approve(asked) => change.approve_rule(by, asked, &rule(asked.value.as_deref())).await,
        Step::Reject => change.reject_rule(by, name).await.map(drop),
    }
}
