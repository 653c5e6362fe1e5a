//! What is wrong with a database, a disk or the clock, and what to do.

pub(super) const TEXTS: super::Part = &[
    (
        "{name}: the application kept the database locked, {TRIES} times for {span}; something of it is left",
        "{name}: die Anwendung hielt die Datenbank gesperrt, {TRIES} Mal für {span}; etwas davon ist übrig",
    ),
    (
        "{source}: who came back with a backup is looked for once no category is stopped",
        "{source}: wer mit einer Sicherung zurückkam, wird gesucht, sobald keine Kategorie mehr angehalten ist",
    ),
    ("what is left is done by the next run", "was übrig ist, macht der nächste Lauf"),
    ("run {id} tries again what is left, from {at:.0} on", "Lauf {id} versucht ab {at:.0} noch einmal, was übrig ist"),
    ("run {id} has begun before it and does what was left", "Lauf {id} hat vorher begonnen und macht, was übrig war"),
    (
        "the clock was set back: it shows {at:.0} and has shown {until:.0}; jobs wait until it is right again, or until erasured clock --accept says that it is",
        "die Uhr wurde zurückgestellt: sie zeigt {at:.0} und zeigte {until:.0}; Jobs warten, bis sie wieder stimmt oder erasured clock --accept sagt, dass sie stimmt",
    ),
    (
        "the clock was set ahead: it shows {at:.0}, and {until:.0} was expected; jobs wait until it is right again, or until erasured clock --accept says that it is",
        "die Uhr wurde vorgestellt: sie zeigt {at:.0}, erwartet war {until:.0}; Jobs warten, bis sie wieder stimmt oder erasured clock --accept sagt, dass sie stimmt",
    ),
    (
        "the clock shows {at:.0}, and nothing is on record since {until:.0}; jobs wait until erasured clock --accept says that it is right",
        "die Uhr zeigt {at:.0}, und seit {until:.0} ist nichts aufgezeichnet; Jobs warten, bis erasured clock --accept sagt, dass sie stimmt",
    ),
    (
        "the clock is right, an operator says; it had shown {newest}",
        "die Uhr stimmt, sagt der Betrieb; gezeigt hatte sie {newest}",
    ),
    ("clock", "Uhr"),
    ("came back", "zurückgekommen"),
    (
        "{category}: {} {records} erased before, came back with a restored backup, and would not be proposed: the trail names them (came_back); mark those that are to be erased again",
        "{category}: {} {records} schon gelöscht, mit einer zurückgespielten Sicherung zurückgekommen, und kein Vorschlag: das Protokoll nennt sie (came_back); was wieder gelöscht werden soll, von Hand vormerken",
    ),
    (
        "{category}: {} {records} erased before, and the same key is there again; whether a restored backup brought the same person back cannot be told: the key or the columns of the fingerprints are others by now",
        "{category}: {} {records} schon gelöscht, und derselbe Schlüssel ist wieder da; ob eine zurückgespielte Sicherung dieselbe Person zurückgebracht hat, lässt sich nicht sagen: der Schlüssel oder die Spalten der Fingerabdrücke sind inzwischen andere",
    ),
    (
        "{category}: {} {records} erased before and came back with a restored backup",
        "{category}: {} {records} schon gelöscht und mit einer Sicherung zurückgekommen",
    ),
    (
        "{category}: {count} {records} not erased, for the database refused it: {why}",
        "{category}: {count} {records} nicht zu löschen, die Datenbank hat es abgelehnt: {why}",
    ),
    ("record was", "Datensatz war"),
    ("records were", "Datensätze waren"),
    ("not before", "nicht vor"),
    ("not before {at}", "nicht vor {at}"),
    ("{standing}, not before {at}", "{standing}, nicht vor {at}"),
    (
        "there is nothing in the database {path}: the file is empty",
        "in der Datenbank {path} ist nichts: die Datei ist leer",
    ),
    (
        "the database {path} was replaced by another file while it was open",
        "die Datenbank {path} wurde durch eine andere Datei ersetzt, während sie offen war",
    ),
    (
        "the database cannot be written: it, its folder or the disk is read-only",
        "die Datenbank ist nicht beschreibbar: sie, ihr Ordner oder die Platte ist schreibgeschützt",
    ),
    (
        "a crash of the application has left a change half written in the database",
        "ein Absturz der Anwendung hat eine Änderung halb geschrieben in der Datenbank gelassen",
    ),
    (
        "whoever may write to the file and its folder takes it back by opening it, as the application does",
        "wer in die Datei und ihren Ordner schreiben darf, nimmt sie beim Öffnen zurück, so auch die Anwendung",
    ),
    ("the disk of the database fails", "die Platte der Datenbank versagt"),
    ("the database is damaged", "die Datenbank ist beschädigt"),
    ("the disk of the database is full", "die Platte der Datenbank ist voll"),
    (
        "the database or a file beside it cannot be opened",
        "die Datenbank oder eine Datei daneben lässt sich nicht öffnen",
    ),
    ("the file is no SQLite database", "die Datei ist keine SQLite-Datenbank"),
    (
        "let the daemon's user write to the file, and to the folder that its journals are made in",
        "den Benutzer des Dienstes in die Datei schreiben lassen, und in den Ordner, in dem ihre Journale entstehen",
    ),
    (
        "see what the system's log says of the disk, then check the database with PRAGMA integrity_check",
        "im Systemlog nach der Platte sehen, dann die Datenbank mit PRAGMA integrity_check prüfen",
    ),
    (
        "check it with PRAGMA integrity_check, and repair it or restore a backup",
        "mit PRAGMA integrity_check prüfen, und sie reparieren oder aus einer Sicherung wiederherstellen",
    ),
    (
        "make room on the disk; nothing was changed, and the next run goes on",
        "Platz auf der Platte schaffen; nichts wurde geändert, und der nächste Lauf macht weiter",
    ),
    (
        "see that the folder is there and that the daemon's user may write to it",
        "nachsehen, ob der Ordner da ist und der Benutzer des Dienstes darin schreiben darf",
    ),
    (
        "check the url in erasured.toml, and what lies at that path",
        "die url in erasured.toml prüfen, und was an diesem Pfad liegt",
    ),
    (
        "put it back, or check the url in erasured.toml; no new one is made",
        "zurücklegen, oder die url in erasured.toml prüfen; es wird keine neue angelegt",
    ),
    (
        "nothing more was written; the next run opens the file that is there now",
        "es wurde nichts mehr geschrieben; der nächste Lauf öffnet die Datei, die jetzt dort liegt",
    ),
];
