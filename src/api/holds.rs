//! Legal holds, and the reasons that people choose from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// This record may not be erased until it is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// `category/key`; a record that is not proposed can be held as well.
    pub record: String,
    /// Why: the number or the name of a standard reason, or a text where that is allowed.
    pub reason: String,
    /// Under which reference: a file number, a court's sign.
    pub reference: String,
}

/// A hold on this record is to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// `category/key`.
    pub record: String,
    /// The hold's number; needed where several stand on the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<u64>,
    /// Its reference, instead of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Why, like the reason of a hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which part of the holds to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct HoldQuery {
    /// At most so many, up to 1000, which is also the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// Its number.
    pub hold: u64,
    /// `category/key`.
    pub record: String,
    /// Who is under the key now, read from the source for this answer; null where it cannot be read or the record is gone.
    pub label: Option<String>,
    /// Since when.
    pub since: String,
    /// For how many days, by the calendar.
    pub days: u64,
    /// Who set it.
    pub by: String,
    /// Why, in words.
    pub reason: Option<String>,
    /// The name of the standard reason; null where the reason was typed.
    pub standard_reason: Option<String>,
    /// Under which reference.
    pub reference: Option<String>,
    /// The key has been given to another person since the hold was set. The hold stands.
    pub person_changed: bool,
    /// Somebody has asked for its release, and another person has to agree.
    pub release: Option<PendingRelease>,
    /// What keeps the daemon from saying more about the record.
    pub problem: Option<String>,
}

/// A release that waits for another person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingRelease {
    /// When it was asked for.
    pub at: String,
    /// Who asked.
    pub by: String,
    /// Why, where something was said.
    pub reason: Option<String>,
    /// From when on another person may release it; null where one person releases alone by now.
    pub from: Option<String>,
}

/// A page of holds, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldPage {
    /// How many there are in all.
    pub total: u64,
    /// Those of this page.
    pub items: Vec<Hold>,
    /// Where the next page begins; null on the last.
    pub next: Option<String>,
}

/// What became of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseAnswer {
    /// Whether the hold is over; otherwise it stands until another person releases it.
    pub released: bool,
    /// The hold.
    pub hold: Hold,
}

/// What a reason is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonKind {
    /// Asking for erasure by hand.
    Erase,
    /// Postponing.
    Postpone,
    /// Setting or releasing a legal hold.
    Hold,
}

/// Which reasons to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ReasonQuery {
    /// Only these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub kind: Option<ReasonKind>,
}

/// The reasons that people choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonList {
    /// Kind by kind.
    pub kinds: Vec<ReasonChoice>,
}

/// The reasons of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonChoice {
    /// What they are given for.
    pub kind: ReasonKind,
    /// Whether something else may be written.
    pub free_text: bool,
    /// Those that are offered.
    pub reasons: Vec<StandardReason>,
}

/// A reason that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StandardReason {
    /// Its number: its place in the settings.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// What it says.
    pub text: String,
    /// The same, by language.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
}
