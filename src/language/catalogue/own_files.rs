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
        "entry 1 is missing: the trail begins with entry {first}. If what came before was pruned, the checkpoint signed over entry {first} is needed, too",
        "Eintrag 1 fehlt: das Protokoll beginnt mit Eintrag {first}. Wurde entfernt, was davor war, wird auch der Prüfpunkt gebraucht, der über Eintrag {first} signiert wurde",
    ),
    (
        "the trail begins with it, and no entry that was signed tells that what came before was pruned",
        "das Protokoll beginnt mit ihm, und kein signierter Eintrag sagt, dass entfernt wurde, was davor stand",
    ),
];
