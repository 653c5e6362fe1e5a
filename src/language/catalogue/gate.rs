//! The schema gate: what stops a category because the application has changed its schema.

pub(super) const TEXTS: super::Part = &[
    ("the settings do not fit the schema", "die Einstellungen passen nicht zum Schema"),
    ("the settings do not fit the schema: {}", "die Einstellungen passen nicht zum Schema: {}"),
    (
        "the settings do not fit the schema: {} (and {} more)",
        "die Einstellungen passen nicht zum Schema: {} (und noch {})",
    ),
    ("{}; in {}: {hint}", "{}; in {}: {hint}"),
    (
        "the schema has changed since the settings were laid over it",
        "das Schema hat sich geändert, seit die Einstellungen darüber gelegt wurden",
    ),
    (
        "{name}: the schema of {} has changed while its records were looked at; what is left is done by the next run",
        "{name}: das Schema von {} hat sich geändert, während Datensätze angesehen wurden; was übrig ist, macht der nächste Lauf",
    ),
    ("the schema has changed", "das Schema hat sich geändert"),
    ("the schema has changed: {}", "das Schema hat sich geändert: {}"),
    ("the schema has changed: {} (and {} more)", "das Schema hat sich geändert: {} (und noch {})"),
    (
        "if the settings still mean what they should, accept it: erasurectl schema accept {category}",
        "wenn die Einstellungen noch meinen, was sie sollen, annehmen: erasurectl schema accept {category}",
    ),
    ("{}; {hint}", "{}; {hint}"),
    ("{table} was a table and is a view", "{table} war eine Tabelle und ist eine View"),
    ("{view} was a view and is a table", "{view} war eine View und ist eine Tabelle"),
    ("the column {name} of {table} is gone", "die Spalte {name} von {table} ist weg"),
    ("the view {view} does not read what it did", "die View {view} liest nicht mehr, was sie las"),
    ("the trigger {trigger} does not do what it did", "der Trigger {trigger} tut nicht mehr, was er tat"),
    (
        "the type of {name} of {table} was {then} and is {now}",
        "der Typ von {name} von {table} war {then} und ist {now}",
    ),
    (
        "the collation of {name} of {table} was {} and is {}",
        "die Sortierfolge von {name} von {table} war {} und ist {}",
    ),
    ("{name} of {table} refused NULL and takes it", "{name} von {table} lehnte NULL ab und nimmt es"),
    ("{name} of {table} took NULL and refuses it", "{name} von {table} nahm NULL und lehnt es ab"),
    (
        "{name} of {table} is computed by another expression",
        "{name} von {table} wird mit einem anderen Ausdruck berechnet",
    ),
    ("{name} of {table} was computed and is not", "{name} von {table} wurde berechnet und wird es nicht mehr"),
    ("{name} of {table} was not computed and is", "{name} von {table} wurde nicht berechnet und wird es jetzt"),
    (
        "the key of {table} was {prior} and is {new}; with key = {value} it stays the same",
        "der Schlüssel von {table} war {prior} und ist {new}; mit key = {value} bleibt er gleich",
    ),
    (
        "{name} of {table} referred to {prior} of {parent} and refers to {new}",
        "{name} von {table} verwies auf {prior} von {parent} und verweist auf {new}",
    ),
    ("{moved}; with references = {value} it stays the same", "{moved}; mit references = {value} bleibt es gleich"),
    // The trail.
    ("the schema was noted as it is, for {}", "das Schema wurde festgehalten, wie es ist, für {}"),
    ("{category} was stopped: {reason}", "{category} wurde angehalten: {reason}"),
    ("{category} fits its schema again", "{category} passt wieder zu ihrem Schema"),
    ("the changed schema was accepted for {category}: {}", "das geänderte Schema wurde für {category} angenommen: {}"),
    // Accepting.
    ("cannot accept the schema of {category}: {error}", "kann das Schema von {category} nicht annehmen: {error}"),
    (
        "cannot accept the schema of {name}: there is no such category",
        "kann das Schema von {name} nicht annehmen: es gibt keine solche Datenart",
    ),
    ("its gate is open", "sie ist nicht angehalten"),
    ("it is not the change that was looked at", "es ist nicht die Änderung, die angesehen wurde"),
    ("put the settings right first, and reload them", "zuerst die Einstellungen richtigstellen und neu laden"),
    (
        "there is nothing to accept; erasurectl schema shows how every gate stands",
        "es gibt nichts anzunehmen; erasurectl schema zeigt, wie es um jede Datenart steht",
    ),
    ("look at it again: erasurectl schema", "noch einmal ansehen: erasurectl schema"),
    (
        "cannot take a category's name or a digest of that length",
        "kann einen Namen oder eine Prüfsumme dieser Länge nicht annehmen",
    ),
    ("{category} is stopped:", "{category} ist angehalten:"),
    ("in {file}: {hint}", "in {file}: {hint}"),
    ("{} goes on with its schema as it is", "{} geht mit dem Schema weiter, wie es ist"),
    ("write at most {NAME_MAX_BYTES}", "höchstens {NAME_MAX_BYTES} schreiben"),
    ("The category", "Die Datenart"),
    ("GATE", "SCHEMA"),
    ("CHANGE", "ÄNDERUNG"),
    ("closed", "angehalten"),
    (
        "Show which categories their schema stops, and accept what has changed",
        "Zeigen, welche Datenarten ihr Schema anhält, und annehmen, was sich geändert hat",
    ),
    (
        "Accept what has changed in a category's schema: the category goes on with it",
        "Annehmen, was sich im Schema einer Datenart geändert hat: sie geht damit weiter",
    ),
    (
        "Only if it is still the change that this stands for, as erasurectl schema shows it",
        "Nur wenn es noch die Änderung ist, für die dies steht, wie erasurectl schema sie zeigt",
    ),
];
