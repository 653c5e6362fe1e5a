//! What is said of the daemon's own files.

pub(super) const TEXTS: super::Part = &[
    (
        "keys of {category} are personal: digests stand for them from now on",
        "Schlüssel von {category} sind personenbezogen: ab jetzt stehen Prüfwerte für sie",
    ),
    ("pruned", "bereinigt"),
    ("{} entries before entry {}", "{} Einträge vor Eintrag {}"),
    (
        "{entries} entries before entry {first} were pruned",
        "{entries} Einträge vor Eintrag {first} wurden nach Ablauf der Aufbewahrung entfernt",
    ),
    (
        "the trail begins with it, and no entry tells that what came before was pruned",
        "das Protokoll beginnt mit ihm, und kein Eintrag sagt, dass entfernt wurde, was davor stand",
    ),
];
