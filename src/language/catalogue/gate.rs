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
];
