//! The brake.

pub(super) const TEXTS: super::Part = &[
    (
        "{category}: the brake {stopped}: {records} of {rows} records would be {what} (limits {count} and {share})",
        "{category}: die Bremse {stopped}: {records} von {rows} Datensätzen würden {what} (Grenzen {count} und {share})",
    ),
    ("stopped it", "hat angehalten"),
    ("would stop it", "würde anhalten"),
    (
        "{category}: not all that is due was counted, and nothing was proposed: the brake would not have known",
        "{category}: nicht alles Löschreife wurde gezählt, also nichts vorgeschlagen: die Bremse hätte nicht Bescheid gewusst",
    ),
    (
        "{category}: more has become due since it was counted than the brake allows; the rest waits for the next run",
        "{category}: seit der Zählung ist mehr löschreif geworden, als die Bremse erlaubt; der Rest wartet auf den nächsten Lauf",
    ),
    (
        "the brake stopped {job} in run {id}: {records} of {rows} records (limits {count} and {share})",
        "die Bremse hat {job} in Lauf {id} angehalten: {records} von {rows} Datensätzen (Grenzen {count} und {share})",
    ),
    ("the brake stopped {job} in run {id}", "die Bremse hat {job} in Lauf {id} angehalten"),
    (
        "look at the numbers: if they are not right, a rule is not; if they are, erasurectl policy set CATEGORY.brake_share or CATEGORY.brake_count",
        "die Zahlen ansehen: stimmen sie nicht, stimmt eine Regel nicht; stimmen sie, erasurectl policy set DATENART.brake_share oder DATENART.brake_count",
    ),
    ("brake", "Bremse"),
    ("by criterion", "nach Kriterium"),
    ("by unit", "nach Abteilung"),
    ("by year due", "nach Jahr der Löschreife"),
    (
        "{category}: {records} of {rows} records (limits {count} and {share})",
        "{category}: {records} von {rows} Datensätzen (Grenzen {count} und {share})",
    ),
    ("the brake stopped {job}", "die Bremse hat {job} angehalten"),
    (
        "{category}: {records} of {rows} records (limits {limit} and {share}), digest {digest}",
        "{category}: {records} von {rows} Datensätzen (Grenzen {limit} und {share}), Prüfsumme {digest}",
    ),
    ("others", "andere"),
    ("brake closed: {}", "Bremse zu: {}"),
    ("marked by the application", "von der Anwendung markiert"),
    ("marked by clerks", "von Bearbeitern markiert"),
    ("anonymised before", "früher anonymisiert"),
    ("brake: {}", "Bremse: {}"),
    (
        "no run stops, however many records it would propose or erase",
        "kein Lauf hält an, wie viele Datensätze er auch vorschlagen oder löschen würde",
    ),
    (
        "a run stops before it proposes or erases more than {} records and {} of the table",
        "ein Lauf hält an, bevor er mehr als {0} Datensätze und {1} der Tabelle vorschlägt oder löscht",
    ),
];
