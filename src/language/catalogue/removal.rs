//! Removing from the files what was erased.

pub(super) const TEXTS: super::Part = &[
    (
        "Try again to remove what was erased from the sources' files",
        "Noch einmal versuchen, das Gelöschte aus den Dateien der Quellen zu entfernen",
    ),
    ("remove", "entfernen"),
    ("{} steps done, {} still to be done", "{} Schritte erledigt, {} noch zu erledigen"),
    ("steps done", "Schritte erledigt"),
    ("steps still to be done", "Schritte noch zu erledigen"),
    ("removed from files", "aus Dateien entfernt"),
    ("full-text indexes", "Volltextindizes"),
    ("statistics", "Statistiken"),
    ("whole file", "ganze Datei"),
    ("full-text indexes once more", "Volltextindizes noch einmal"),
    ("STILL TO BE REMOVED", "NOCH ZU ENTFERNEN"),
    ("when owed", "bei Bedarf"),
    (
        "{}: confirmed at {oldest} and not known to be gone, longer than the {within} that it may take",
        "{}: bestätigt am {oldest} und nicht nachweislich weg, länger als die zulässigen {within}",
    ),
    ("{source}: still to be done: {what}: {why}", "{source}: noch zu erledigen: {what}: {why}"),
    ("{records} records", "{records} Datensätze"),
    (
        "{records} erased in {source}: done what the settings ask for to remove them from its files",
        "{records} gelöscht in {source}: was die Einstellungen verlangen, um sie aus den Dateien zu entfernen, ist getan",
    ),
    (
        "{records} erased in {source} may still be in its files; still to be done: {steps}",
        "{records} gelöscht in {source}, vielleicht noch in den Dateien; noch zu erledigen: {steps}",
    ),
    ("it was not tried yet", "noch nicht versucht"),
    ("the source is closed until an operator decides", "die Quelle ist geschlossen, bis der Betrieb entscheidet"),
    ("its last batch is not settled yet", "ihr letzter Stapel ist noch nicht abgewickelt"),
    ("outside its hours, {hours}", "außerhalb der Zeiten, {hours}"),
    ("it would fail: {fault}", "es würde scheitern: {fault}"),
    (
        "it needs {needed} bytes of room beside the file, and there are {free}",
        "es braucht {needed} Bytes Platz neben der Datei, und frei sind {free}",
    ),
    (
        "somebody reads or writes by it, and {left} pages of it cannot be let go of",
        "jemand liest oder schreibt damit, und {left} Seiten davon sind nicht freizugeben",
    ),
    ("writing indexes for full-text search anew", "Volltextindizes neu schreiben"),
    ("gathering statistics anew", "Statistiken neu erheben"),
    ("writing the whole file anew (VACUUM)", "die ganze Datei neu schreiben (VACUUM)"),
    ("making indexes for full-text search anew after VACUUM", "Volltextindizes nach VACUUM neu aufbauen"),
    ("emptying the write-ahead log", "das Write-Ahead-Log leeren"),
    ("proving that it is gone", "nachweisen, dass es weg ist"),
    ("proof", "Nachweis"),
    ("the rest has to be done first", "das Übrige muss zuerst getan werden"),
    ("the proof has found what nothing else removes", "der Nachweis hat gefunden, was nichts anderes entfernt"),
    (
        "values of {earlier} records that earlier runs have erased are not known any more, and {nonzero} bytes are not zero",
        "Werte von {earlier} Datensätzen, die frühere Läufe gelöscht haben, sind nicht mehr bekannt, und {nonzero} Bytes sind nicht null",
    ),
];
