//! `[[grant]]`: who may do what, and where.

use std::collections::BTreeSet;

use super::section::Section;
use super::shape;
use super::similar::{listed, nearest};
use crate::actor::{Grant, Permission, Reach, is_unit};
use crate::config::{Finding, Located};
use crate::record::CategoryName;

/// Sections `[[grant]]`.
const GRANTS_MAX: usize = 1_000;
/// Verbs of the command line that are not the permission for them.
const VERBS: [(&str, Permission); 6] = [
    ("confirm", Permission::Decide),
    ("postpone", Permission::Decide),
    ("release", Permission::Hold),
    ("list", Permission::View),
    ("show", Permission::View),
    ("runs", Permission::Run),
];

/// Every grant; `None` after a fault in one.
pub fn read(top: &Section<'_>, categories: &BTreeSet<CategoryName>) -> Option<Vec<Grant>> {
    let sections = top.sections("grant", &shape::GRANT, GRANTS_MAX)?;
    let read: Vec<_> = sections.iter().map(|section| grant(section, categories)).collect();
    read.into_iter().collect()
}

fn grant(section: &Section<'_>, categories: &BTreeSet<CategoryName>) -> Option<Grant> {
    let users = names(section, "users");
    let groups = names(section, "groups");
    if section.get("users").is_none() && section.get("groups").is_none() {
        let hint = "add groups = [\"privacy\"] or users = [\"vera\"]";
        section.fault("missing-key", &section.place, "the grant names neither users nor groups", hint);
    }
    let permissions = permissions(section);
    let reach = reach(section, categories);
    let grant = Grant {
        users: users?,
        groups: groups?,
        permissions: permissions.as_ref()?.iter().map(|located| located.value).collect(),
        reach: reach?,
    };
    let limited = grant.reach != Reach::default();
    let (limits, limited_to) = match (&grant.reach.categories, &grant.reach.units) {
        (Some(_), Some(_)) => ("`categories` and `units`", "categories or units"),
        (None, Some(_)) => ("`units`", "units"),
        (_, None) => ("`categories`", "categories"),
    };
    let mut all_well = !grant.users.is_empty() || !grant.groups.is_empty();
    for Located { value, place } in permissions?.iter().filter(|one| limited && !one.value.is_by_category()) {
        let hint = format!("give {:?} in a [[grant]] of its own without {limits}", value.as_str());
        section.fault("grant", place, format!("the permission {value} cannot be limited to {limited_to}"), hint);
        all_well = false;
    }
    all_well.then_some(grant)
}

/// Names of users or groups; an empty list has been noted.
fn names(section: &Section<'_>, key: &str) -> Option<BTreeSet<String>> {
    let list = section.texts(key)?;
    if let Some(place) = section.key_place(key).filter(|_| list.is_empty()) {
        section.fault(
            "empty",
            &place,
            format!("`{key}` is an empty list"),
            format!("name somebody, or leave `{key}` out"),
        );
        return None;
    }
    let is_name = |name: &str| !name.contains(|c: char| c.is_whitespace() || c.is_control() || ":,*@/".contains(c));
    let mut all_well = true;
    for name in list.iter().filter(|name| !is_name(&name.value)) {
        let message = format!("{:?} is not the name of a Unix user or group", name.value);
        section.fault("name", &name.place, message, "write each name as `id` shows it; there is no word for everybody");
        all_well = false;
    }
    all_well.then(|| list.into_iter().map(|name| name.value).collect())
}

fn permissions(section: &Section<'_>) -> Option<Vec<Located<Permission>>> {
    let words = || Permission::ALL.into_iter().map(Permission::as_str);
    let list = section.texts("permissions")?;
    if list.is_empty() {
        let hint = format!("add permissions = [\"view\"]; there are {}", listed(words()));
        section.fault("missing-key", &section.place, "the grant gives no permission", hint);
        return None;
    }
    let mut all_well = true;
    let mut permissions = Vec::new();
    for word in list {
        match word.value.parse::<Permission>() {
            Ok(permission) => permissions.push(Located::new(permission, word.place)),
            Err(error) => {
                let verb =
                    VERBS.iter().find(|(verb, _)| *verb == word.value).map(|(_, permission)| permission.as_str());
                let meant = verb.or_else(|| nearest(&word.value, words()));
                let meant = meant.map_or_else(String::new, |meant| format!("did you mean {meant:?}? "));
                let hint = format!("{meant}Permissions are {}", listed(words()));
                section.fault("unknown-permission", &word.place, error.to_string(), hint);
                all_well = false;
            }
        }
    }
    all_well.then_some(permissions)
}

/// Where a grant holds. Without units it reaches nothing by itself, which is well: units and records may be assigned later.
fn reach(section: &Section<'_>, known: &BTreeSet<CategoryName>) -> Option<Reach> {
    let categories = limiting_categories(section, known);
    let units = units(section);
    Some(Reach { categories: categories?, units: units?, ..Reach::default() })
}

/// The units that a grant is limited to, as the categories' `unit` gives them; `None` inside: it is not limited.
fn units(section: &Section<'_>) -> Option<Option<BTreeSet<String>>> {
    let list = section.texts("units")?;
    if section.key_place("units").is_none() {
        return Some(None);
    }
    let mut all_well = true;
    for unit in list.iter().filter(|unit| !is_unit(&unit.value)) {
        let hint = "write it as it stands in the application's database, without blanks around it";
        section.fault("unit", &unit.place, format!("{:?} cannot be a unit", unit.value), hint);
        all_well = false;
    }
    all_well.then(|| Some(list.into_iter().map(|unit| unit.value).collect()))
}

/// The categories that a grant is limited to; `None` inside: it is not limited.
fn limiting_categories(
    section: &Section<'_>,
    known: &BTreeSet<CategoryName>,
) -> Option<Option<BTreeSet<CategoryName>>> {
    let list = section.texts("categories")?;
    let Some(key_place) = section.key_place("categories") else { return Some(None) };
    if list.is_empty() {
        let hint = "name some, or leave `categories` out: then it holds for all";
        section.fault("empty", &key_place, "`categories` is an empty list, and the grant would hold nowhere", hint);
        return None;
    }
    let mut all_well = true;
    let mut categories = BTreeSet::new();
    for name in list {
        if let Some(category) = known.iter().find(|category| category.as_str() == name.value) {
            categories.insert(category.clone());
            continue;
        }
        let hint = match nearest(&name.value, known.iter().map(CategoryName::as_str)) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => format!("there would have to be a file categories/{}.toml", name.value),
        };
        section.faults.add(
            Finding::error("unknown-category", &name.place, format!("there is no category {:?}", name.value))
                .hint(hint),
        );
        all_well = false;
    }
    all_well.then_some(Some(categories))
}
