//! Standard reasons as rules: one that is added, worded otherwise or left out, and whether anything else may be said.
//!
//! A reason decides nothing about a record, so nothing here loosens anything.

use std::fmt;

use super::name::place_of;
use super::{Aside, RuleValue, SetRule};
use crate::config::load::{self, ReasonsFlaw};
use crate::config::{Choice, Finding, ReasonKind, Reasons, StandardReason};

/// What the names of these rules begin with. No category is called so.
pub(in crate::config) const SECTION: &str = "reasons";

/// `reasons.KIND.NAME` or `reasons.KIND.free_text`.
#[derive(Debug, Clone)]
pub(super) struct ReasonRule {
    kind: ReasonKind,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    FreeText,
    /// The reason of this name, which the files need not have.
    Reason(String),
}

impl fmt::Display for ReasonRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.what {
            What::FreeText => load::FREE_TEXT,
            What::Reason(name) => name,
        };
        write!(f, "{SECTION}.{}.{what}", self.kind.as_str())
    }
}

impl ReasonRule {
    pub(super) fn parse(text: &str) -> Result<Self, Finding> {
        let parts: Vec<&str> = text.split('.').collect();
        let found = match parts.as_slice() {
            [_, kind, what] => ReasonKind::ALL.into_iter().find(|of| of.as_str() == *kind).map(|kind| (kind, *what)),
            _ => None,
        };
        let Some((kind, what)) = found else {
            let finding = Finding::error("name", &place_of(text), format!("{text:?} is not the name of a rule"));
            return Err(finding.hint("write it like reasons.erase.NAME, reasons.postpone.NAME or reasons.hold.NAME"));
        };
        if what == load::FREE_TEXT {
            return Ok(Self { kind, what: What::FreeText });
        }
        load::check_reason_name(what, &place_of(text))?;
        Ok(Self { kind, what: What::Reason(what.to_owned()) })
    }

    /// Those of every kind: free text, and each reason.
    pub(super) fn all_of(reasons: &Reasons) -> Vec<Self> {
        let of_kind = |kind: ReasonKind| {
            let names = reasons.of(kind).standard.iter().map(|reason| What::Reason(reason.name.clone()));
            std::iter::once(What::FreeText).chain(names).map(move |what| Self { kind, what })
        };
        ReasonKind::ALL.into_iter().flat_map(of_kind).collect()
    }

    pub(super) fn read(&self, text: &str) -> Result<RuleValue, Finding> {
        let place = place_of(&self.to_string());
        match &self.what {
            What::FreeText => load::value(super::Kind::FreeText, load::FREE_TEXT, text, &place),
            What::Reason(name) => load::wording(name, text, &place).map(RuleValue::Reason),
        }
    }

    pub(super) fn value_in(&self, reasons: &Reasons) -> RuleValue {
        let choice = reasons.of(self.kind);
        match &self.what {
            What::FreeText => RuleValue::FreeText(choice.free_text),
            What::Reason(name) => RuleValue::Reason(choice.named(name).map(|reason| reason.wording.clone())),
        }
    }

    pub(super) fn put(&self, reasons: &mut Reasons, value: RuleValue) -> Result<(), Finding> {
        let mut choice = reasons.of(self.kind).clone();
        self.lay(&mut choice, value);
        match ReasonsFlaw::of(&choice) {
            Some(flaw) => Err(flaw.told(self.kind, &place_of(&self.to_string()))),
            None => {
                *reasons.of_mut(self.kind) = choice;
                Ok(())
            }
        }
    }

    /// A reason that is not there yet comes behind the others, whose numbers stay.
    fn lay(&self, choice: &mut Choice, value: RuleValue) {
        match (&self.what, value) {
            (What::FreeText, RuleValue::FreeText(may)) => choice.free_text = may,
            (What::Reason(name), RuleValue::Reason(None)) => choice.standard.retain(|reason| reason.name != *name),
            (What::Reason(name), RuleValue::Reason(Some(wording))) => {
                match choice.standard.iter_mut().find(|reason| reason.name == *name) {
                    Some(reason) => reason.wording = wording,
                    None => choice.standard.push(StandardReason { name: name.clone(), wording }),
                }
            }
            _ => (),
        }
    }
}

/// A change of reasons that is to be laid over the files.
#[derive(Debug)]
pub(super) struct Laid<'a> {
    pub(super) change: &'a SetRule,
    pub(super) rule: ReasonRule,
    pub(super) value: RuleValue,
}

impl Laid<'_> {
    /// Whether it has a part in what is wrong.
    fn has_part_in(&self, flaw: &ReasonsFlaw, file: &Choice) -> bool {
        match (&self.rule.what, flaw) {
            (What::Reason(name), ReasonsFlaw::Same(one, other)) => name == one || name == other,
            (What::Reason(name), ReasonsFlaw::TooMany(_)) => {
                matches!(self.value, RuleValue::Reason(Some(_))) && file.named(name).is_none()
            }
            (_, ReasonsFlaw::Nothing) => {
                matches!(self.value, RuleValue::Reason(None) | RuleValue::FreeText(false))
            }
            (What::FreeText, _) => false,
        }
    }
}

/// The files' reasons with all these changes over them, and those that take no part.
///
/// Whether changes fit together shows only when all of them are laid: two reasons may have exchanged their wordings. Where
/// the files have since become such that they do not fit, the latest that has a part in it is set aside.
pub(super) fn over(files: &Reasons, mut changes: Vec<Laid<'_>>) -> (Reasons, Vec<Aside>) {
    changes.sort_by_key(|laid| laid.change.number);
    let mut reasons = files.clone();
    let mut asides = Vec::new();
    for kind in ReasonKind::ALL {
        let file = files.of(kind);
        let (mut of_kind, others): (Vec<_>, Vec<_>) = changes.into_iter().partition(|laid| laid.rule.kind == kind);
        changes = others;
        loop {
            let mut choice = file.clone();
            of_kind.iter().for_each(|laid| laid.rule.lay(&mut choice, laid.value.clone()));
            let Some(flaw) = ReasonsFlaw::of(&choice) else {
                *reasons.of_mut(kind) = choice;
                break;
            };
            // What the files say alone is without a flaw: some change has a part in it.
            let Some(at) = of_kind.iter().rposition(|laid| laid.has_part_in(&flaw, file)) else { break };
            let name = of_kind.remove(at).change.name.clone();
            asides.push(Aside { why: flaw.told(kind, &place_of(&name)).message, name, waits: false });
        }
    }
    (reasons, asides)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::change::RuleName;

    fn file() -> Reasons {
        let mut reasons = Reasons::default();
        for (name, text) in
            [("lawsuit", "a lawsuit is pending"), ("audit", "{ en = \"an audit\", de = \"eine Prüfung\" }")]
        {
            let RuleValue::Reason(Some(wording)) = rule(&format!("reasons.hold.{name}")).read(text).unwrap() else {
                panic!("{text} says nothing")
            };
            reasons.hold.standard.push(StandardReason { name: name.to_owned(), wording });
        }
        reasons
    }

    fn rule(name: &str) -> ReasonRule {
        ReasonRule::parse(name).unwrap()
    }

    fn told(finding: Finding) -> String {
        assert!(finding.hint.is_some(), "no hint: {finding}");
        finding.to_string()
    }

    /// What is offered with these changes of reasons for holds over the file, and what is set aside.
    fn laid(files: &Reasons, changes: &[(&str, &str)]) -> String {
        let numbered = (1..).zip(changes);
        let changes: Vec<SetRule> = numbered
            .map(|(number, (name, value))| SetRule {
                name: format!("reasons.hold.{name}"),
                value: (*value).to_owned(),
                file: String::new(),
                number,
                is_approved: false,
            })
            .collect();
        // As the state gives them: by name.
        let mut by_name: Vec<Laid<'_>> = Vec::new();
        for change in &changes {
            let rule = rule(&change.name);
            by_name.push(Laid { change, value: rule.read(&change.value).unwrap(), rule });
        }
        by_name.sort_by_key(|laid| &laid.change.name);
        let (reasons, asides) = over(files, by_name);
        assert_eq!((&reasons.erase, &reasons.postpone), (&files.erase, &files.postpone));
        let offered = reasons.hold.standard.iter().map(|reason| format!("{}: {}", reason.name, reason.wording.plain));
        let asides = asides.iter().map(|aside| format!("{} aside: {}", aside.name, aside.why));
        offered.chain(asides).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_wrong_name_is_told_with_what_to_write() {
        for text in ["reasons.erase.free_text", "reasons.postpone.law-suit_2", "reasons.hold.enabled"] {
            let name = RuleName::parse(text).unwrap();
            assert_eq!((name.to_string().as_str(), name.category()), (text, None));
        }
        let long = format!("reasons.hold.{}", "a".repeat(41));
        let wrong = [
            "reasons",
            "reasons.free_text",
            "reasons.hold",
            "reasons.delete.lawsuit",
            "reasons.hold.lawsuit.en",
            "reasons.hold.",
            "reasons.hold.17",
            "reasons.hold.Law suit",
            long.as_str(),
        ];
        insta::assert_snapshot!(wrong.map(|text| told(RuleName::parse(text).unwrap_err())).join("\n"));
    }

    #[test]
    fn a_wrong_value_is_told_as_the_files_are() {
        let long = "a".repeat(201);
        let wrong = [
            ("lawsuit", ""),
            ("lawsuit", "two\nlines"),
            ("lawsuit", long.as_str()),
            ("lawsuit", "{ en = \"a lawsuit\" de = \"ein Verfahren\" }"),
            ("lawsuit", "{}"),
            ("lawsuit", "{ fr = \"un procès\" }"),
            ("lawsuit", "{ en = 3 }"),
            ("free_text", "no"),
            ("free_text", "none"),
        ];
        let told = wrong.map(|(name, text)| told(rule(&format!("reasons.hold.{name}")).read(text).unwrap_err()));
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_text_is_written_as_it_is_read() {
        for (typed, written, plain) in [
            ("a lawsuit is pending", "a lawsuit is pending", Some("a lawsuit is pending")),
            (" \"a lawsuit\" ", "a lawsuit", Some("a lawsuit")),
            ("\"none\"", "\"none\"", Some("none")),
            ("\"{ en }\"", "\"{ en }\"", Some("{ en }")),
            ("\"a\" or \\b", "\"\\\"a\\\" or \\\\b\"", Some("\"a\" or \\b")),
            ("3", "3", Some("3")),
            (
                "{ en = 'say \"a\\b\"', de = \"b\" }",
                "{ de = \"b\", en = \"say \\\"a\\\\b\\\"\" }",
                Some("say \"a\\b\""),
            ),
            (" none", "none", None),
        ] {
            let of = rule("reasons.erase.lawsuit");
            let value = of.read(typed).unwrap();
            assert_eq!(value.to_string(), written);
            assert_eq!(of.read(written).unwrap(), value, "{written}");
            let RuleValue::Reason(wording) = &value else { panic!("{typed} is no reason") };
            assert_eq!(wording.as_ref().map(|wording| wording.plain.as_str()), plain);
        }
    }

    #[test]
    fn nothing_that_is_said_of_reasons_loosens_anything() {
        for (name, one, other) in [
            ("reasons.hold.lawsuit", "a lawsuit", "none"),
            ("reasons.hold.lawsuit", "a lawsuit", "an audit"),
            ("reasons.hold.free_text", "true", "false"),
        ] {
            let (one, other) = (rule(name).read(one).unwrap(), rule(name).read(other).unwrap());
            assert!(!one.is_loosened_by(&other) && !other.is_loosened_by(&one), "{one} and {other}");
        }
    }

    #[test]
    fn one_that_is_added_comes_behind_those_of_the_file() {
        let of_file = "lawsuit: a lawsuit is pending; audit: an audit";
        assert_eq!(laid(&file(), &[]), of_file);
        assert_eq!(
            laid(&file(), &[("heirs", "the heirs"), ("claim", "a claim")]),
            [of_file, "heirs: the heirs", "claim: a claim"].join("; ")
        );
        assert_eq!(laid(&file(), &[("lawsuit", "a trial"), ("audit", "none")]), "lawsuit: a trial");
        // Their wordings are exchanged, and another reads as one did before: only all of them together make sense.
        let exchanged = [("claim", "a lawsuit is pending"), ("lawsuit", "an audit"), ("audit", "a claim")];
        assert_eq!(laid(&file(), &exchanged), "lawsuit: an audit; audit: a claim; claim: a lawsuit is pending");
    }

    #[test]
    fn what_does_not_fit_the_files_any_more_is_set_aside() {
        let mut files = file();
        let same =
            laid(&files, &[("court", "A lawsuit is pending"), ("check", "Eine Prüfung"), ("heirs", "the heirs")]);
        let silent = laid(&files, &[("audit", "none"), ("free_text", "false"), ("lawsuit", "none")]);
        let names: Vec<String> = (0..49).map(|number| format!("r{number:02}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        let many = laid(&files, &many);
        let many = many.split_once("r47: r47; ").unwrap().1;
        files.hold.free_text = false;
        let none = laid(&files, &[("audit", "none"), ("lawsuit", "none")]);
        insta::assert_snapshot!([&same, &silent, many, &none].join("\n"));
    }

    #[test]
    fn a_change_after_which_reasons_make_no_sense_is_refused() {
        let refused = |name: &str, value: &str| {
            let mut reasons = file();
            reasons.hold.free_text = false;
            reasons.hold.standard.truncate(1);
            let rule = rule(&format!("reasons.{name}"));
            let finding = rule.put(&mut reasons, rule.read(value).unwrap()).unwrap_err();
            assert_eq!(reasons.hold.standard.len(), 1, "nothing is put");
            told(finding)
        };
        insta::assert_snapshot!(
            [
                refused("hold.lawsuit", "none"),
                refused("erase.free_text", "false"),
                refused("hold.court", "{ en = \"a court\", de = \"A LAWSUIT is pending\" }")
            ]
            .join("\n")
        );
    }
}
