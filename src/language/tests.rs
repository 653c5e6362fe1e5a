use std::collections::BTreeSet;

use super::template::{Holds, Template};
use super::{Beside, Language, sentences};

/// Something that could stand in a place, known again afterwards.
fn sample(holds: Holds, index: usize) -> String {
    match holds {
        Holds::Text | Holds::Typed => format!("‹{index}›"),
        Holds::Number => format!("4{index}"),
        Holds::Date => format!("2031-01-0{}", index + 1),
        Holds::Name => format!("name{index}"),
        Holds::Record => format!("member/8{index}"),
        Holds::Quoted => format!("\"text {index}\""),
    }
}

#[test]
fn both_sides_have_the_same_places_and_none_is_empty() {
    let mut faults = Vec::new();
    for (english, german) in sentences() {
        let names = |text| Template::new(text).places().map(|place| place.name.clone()).collect::<BTreeSet<_>>();
        if german.trim().is_empty() || names(english) != names(german) || german.contains(":?}") {
            faults.push(format!("{english:?}: {german:?}"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_sentence_comes_twice() {
    let mut seen = BTreeSet::new();
    let twice: Vec<&str> = sentences().map(|(english, _)| english).filter(|english| !seen.insert(*english)).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}

#[test]
fn every_sentence_is_read_as_itself() {
    let mut faults = Vec::new();
    for (english, german) in sentences() {
        let (read, said) = (Template::new(english), Template::new(german));
        let samples: Vec<(String, String)> =
            read.places().enumerate().map(|(index, place)| (place.name.clone(), sample(place.holds, index))).collect();
        let of = |name: &str| samples.iter().find(|(known, _)| known == name).map(|(_, sample)| sample.as_str());
        let (sentence, expected) = (read.say(of), said.say(of));
        let told = Language::German.tell(&sentence);
        if told != expected {
            faults.push(format!("{sentence:?}\n  is told as  {told}\n  instead of  {expected}"));
        }
        // Of several that fit, one must say most, or all say the same.
        for (other, other_german) in sentences() {
            let rival = Template::new(other);
            if other == english || rival.weight() != read.weight() {
                continue;
            }
            let Some(inside) = rival.read(&sentence) else { continue };
            let inside: Vec<(&str, &str)> = rival.places().map(|place| place.name.as_str()).zip(inside).collect();
            let of = |name: &str| inside.iter().find(|(known, _)| *known == name).map(|(_, inside)| *inside);
            if Template::new(other_german).say(of) != expected {
                faults.push(format!("{sentence:?} is {english:?} as well as {other:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn sentences_within_sentences() {
    for (english, german) in [
        ("cannot confirm customer/4: it is confirmed", "kann customer/4 nicht bestätigen: Stand ist bestätigt"),
        (
            "error: cannot find run 7: there is none of this number",
            "Fehler: kann Lauf 7 nicht finden: keiner hat diese Nummer",
        ),
        ("it stays until 2030-12-31: invoices", "bleibt bis 2030-12-31: invoices"),
        (
            "  due, inactive: persons whose a is more than 3 years before today, counted from the end of that year",
            "  löschreif, inactive: persons, deren a mehr als 3 Jahre vor heute liegt, gezählt vom Ende jenes Jahres",
        ),
        ("until 2031-01-01; the record is gone", "bis 2031-01-01; den Datensatz gibt es nicht mehr"),
        (
            "2 rows of orders and 1 row of notes stay and refer to it",
            "2 Zeilen von orders und 1 Zeile von notes bleiben und verweisen darauf",
        ),
        ("2 deleted, 1 anonymised", "2 gelöscht, 1 anonymisiert"),
        ("a confirmation has to wait for 1 year 6 months", "eine Bestätigung muss 1 Jahr 6 Monate warten"),
        ("7: done", "7: fertig"),
        (
            "cannot confirm user/Anna Maier: there is no proposal for it",
            "kann user/Anna Maier nicht bestätigen: dafür gibt es keinen Löschvorschlag",
        ),
        (
            "cannot hold customer/4: it is too late: the record is being erased",
            "kann customer/4 nicht sperren: zu spät: der Datensatz wird gerade gelöscht",
        ),
        ("7 done", "7 erledigt"),
        ("3 records proposed: 3 customer under inactive", "3 Datensätze vorgeschlagen: 3 customer nach inactive"),
    ] {
        assert_eq!(Language::German.tell(english), german);
        assert_eq!(Language::English.tell(english), english);
    }
}

#[test]
fn what_is_not_known_is_not_lost() {
    for text in
        ["Maier, Anna", "customer/17", "", "  ", "2031-01-01", "x: y; z (w", "‹a› – „b“", "a request by telephone"]
    {
        assert_eq!(Language::German.tell(text), text);
    }
    let mut missed = Vec::new();
    let mut missing = |text: &str| missed.push(text.to_owned());
    Language::German.tell_beside(
        "cannot mark customer/4: she is on the moon today",
        &mut Beside { own: &|_| None, missed: &mut missing },
    );
    assert_eq!(missed, ["she is on the moon today"]);
}

#[test]
fn an_installation_has_sentences_of_its_own() {
    let own = |text: &str| (text == "a lawsuit is pending").then(|| "ein Verfahren ist anhängig".to_owned());
    let told = Language::German
        .tell_beside("until 2031-01-01: a lawsuit is pending", &mut Beside { own: &own, missed: &mut |_| () })
        .into_owned();
    assert_eq!(told, "bis 2031-01-01: ein Verfahren ist anhängig");
}

#[test]
fn the_environment_is_asked_in_the_order_of_posix() {
    let of = |set: &[(&str, &str)]| {
        Language::of_environment(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!(of(&[]), Language::English);
    assert_eq!(of(&[("LANG", "de_AT.UTF-8")]), Language::German);
    assert_eq!(of(&[("LANG", "de")]), Language::German);
    assert_eq!(of(&[("LANG", "DE_de@euro")]), Language::German);
    assert_eq!(of(&[("LANG", "de_AT.UTF-8"), ("LC_MESSAGES", "en_GB.UTF-8")]), Language::English);
    assert_eq!(of(&[("LC_MESSAGES", "de_DE"), ("LC_ALL", "C")]), Language::English);
    assert_eq!(of(&[("LC_MESSAGES", "de_DE"), ("LC_ALL", "")]), Language::German);
    for other in ["C", "POSIX", "C.UTF-8", "fr_FR", "deu", "den_CA", "_de"] {
        assert_eq!(of(&[("LANG", other)]), Language::English, "{other}");
    }
}
