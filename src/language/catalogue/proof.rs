//! The proof that bytes are gone.

pub(super) const TEXTS: super::Part = &[
    ("cannot look through {path}: {what}", "kann {path} nicht durchsuchen: {what}"),
    ("it is not an SQLite database, or it is encrypted", "keine SQLite-Datenbank, oder verschlüsselt"),
    ("its header is damaged", "der Kopf der Datei ist beschädigt"),
    (
        "the system does not give its bytes (SQLite's code {id})",
        "das System gibt die Bytes nicht her (SQLite-Code {id})",
    ),
    // Layers.
    ("database file", "Datenbankdatei"),
    ("write-ahead log", "Write-Ahead-Log"),
    ("daemon's state", "Datenbestand des Dienstes"),
    ("daemon's log", "Log des Dienstes"),
    ("other backups", "andere Sicherungen"),
    ("rollback journal", "Rollback-Journal"),
    ("state's write-ahead log", "Write-Ahead-Log des Datenbestands"),
    ("file-system snapshots", "Schnappschüsse des Dateisystems"),
    ("device blocks", "Blöcke des Geräts"),
    // Verdicts.
    ("cannot be seen", "nicht einsehbar"),
    ("found {count}", "gefunden: {count}"),
    ("found {count} bytes that are not zero", "gefunden: {count} Bytes, die nicht null sind"),
    (
        "{why}; goes only with VACUUM ([source.{name}.removal] vacuum)",
        "{why}; verschwindet nur mit VACUUM ([source.{name}.removal] vacuum)",
    ),
    ("pending: {reason}", "offen: {reason}"),
    ("cannot be seen: {reason}", "nicht einsehbar: {reason}"),
    // Regions.
    ("free pages", "freie Seiten"),
    ("gaps inside pages", "Lücken in Seiten"),
    ("tails of long values", "Enden langer Werte"),
    ("index entries", "Einträge in Indizes"),
    ("pages not yet replaced", "noch nicht ersetzte Seiten"),
    ("damaged pages", "beschädigte Seiten"),
    ("old frames", "alte Rahmen"),
    // What is said of layers.
    (
        "the application kept writing while it was looked through; it has to be looked at again",
        "die Anwendung hat währenddessen weiter geschrieben; muss noch einmal durchsucht werden",
    ),
    ("it was broken off, and has to be looked at again", "abgebrochen; muss noch einmal durchsucht werden"),
    (
        "{rows} pages have a newer version in the write-ahead log",
        "{rows} Seiten haben eine neuere Fassung im Write-Ahead-Log",
    ),
    (
        "no value of the erased records is distinctive enough to be looked for",
        "kein Wert der gelöschten Datensätze ist kennzeichnend genug für eine Suche",
    ),
    (
        "it holds {count} frames and {rows} old ones, and was not emptied",
        "enthält {count} Rahmen und {rows} alte und wurde nicht geleert",
    ),
    (
        "a transaction is going on, or waits to be rolled back",
        "eine Transaktion läuft oder wartet auf ihr Zurückrollen",
    ),
    (
        "the journal or whoever takes the daemon's output keeps it; it holds keys, never values",
        "das Journal, oder wer sonst die Ausgabe des Dienstes nimmt, bewahrt es auf; es enthält Schlüssel, nie Werte",
    ),
    (
        "file systems and machines keep earlier versions where no program sees them",
        "Dateisysteme und Maschinen bewahren frühere Fassungen auf, wo kein Programm sie sieht",
    ),
    (
        "blocks that files have let go of keep their bytes until the device reuses them",
        "Blöcke, die keine Datei mehr verwendet, behalten ihre Bytes, bis das Gerät sie wieder verwendet",
    ),
    (
        "copies made before lie elsewhere; the ledger knows who must not come back with them",
        "frühere Kopien liegen anderswo; das Löschregister weiß, wer mit ihnen nicht zurückkommen darf",
    ),
    // What could not be read.
    ("the write-ahead log cannot be read as one", "das Write-Ahead-Log ist nicht als solches lesbar"),
    (
        "it uses a write-ahead log, and none is beside it",
        "sie verwendet ein Write-Ahead-Log, und neben ihr liegt keines",
    ),
    (
        "page {id} of {name} does not exist, or is used twice",
        "Seite {id} von {name} gibt es nicht, oder sie ist zweimal verwendet",
    ),
    ("page {id} of {name} is damaged", "Seite {id} von {name} ist beschädigt"),
    (
        "page {id} of a long value of {name} does not exist, or is used twice",
        "Seite {id} eines langen Werts von {name} gibt es nicht, oder sie ist zweimal verwendet",
    ),
    ("a long value of {name} ends too soon, on page {id}", "ein langer Wert von {name} endet zu früh, auf Seite {id}"),
    (
        "page {id} of the list of free pages does not exist, or is used twice",
        "Seite {id} der Liste freier Seiten gibt es nicht, oder sie ist zweimal verwendet",
    ),
    ("page {id} is free and used at once", "Seite {id} ist frei und verwendet zugleich"),
    ("page {id} of the list of free pages is damaged", "Seite {id} der Liste freier Seiten ist beschädigt"),
    // Runs, the status, the trail.
    ("WHETHER IT IS GONE", "OB ES WEG IST"),
    ("LAYER", "SCHICHT"),
    ("clean", "sauber"),
    (
        "{source}: {left} of what was erased, as far as can be seen",
        "{source}: vom Gelöschten ist {left}, soweit einsehbar",
    ),
    ("nothing is left", "nichts übrig"),
    ("nothing else is left", "sonst nichts übrig"),
    ("{source}: one value is still in use in {table}", "{source}: ein Wert ist in {table} noch in Verwendung"),
    (
        "{source}: {count} values are still in use in {table}",
        "{source}: {count} Werte sind in {table} noch in Verwendung",
    ),
    (
        "what was erased from {source} is gone, as far as can be seen",
        "was aus {source} gelöscht wurde, ist weg, soweit einsehbar",
    ),
    (
        "what was erased from {source} is not known to be gone",
        "von dem, was aus {source} gelöscht wurde, ist nicht bekannt, dass es weg ist",
    ),
];
