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
        "{category}: more can be erased since it was counted than the brake allows; the rest waits for the next run",
        "{category}: seit der Zählung kann mehr gelöscht werden, als die Bremse erlaubt; der Rest wartet auf den nächsten Lauf",
    ),
    (
        "the brake stopped {job} in run {id}: {records} of {rows} records (limits {count} and {share})",
        "die Bremse hat {job} in Lauf {id} angehalten: {records} von {rows} Datensätzen (Grenzen {count} und {share})",
    ),
    ("the brake stopped {job} in run {id}", "die Bremse hat {job} in Lauf {id} angehalten"),
    (
        "look at the numbers: where they are not right, a rule is not; where they are, erasurectl run JOB --override-brake --reason TEXT",
        "die Zahlen ansehen: wo sie nicht stimmen, stimmt eine Regel nicht; wo sie stimmen, erasurectl run JOB --override-brake --reason TEXT",
    ),
    (
        "{category}: it is another set by now than the one that somebody has looked at",
        "{category}: es sind inzwischen andere Datensätze als die, die jemand angesehen hat",
    ),
    ("show what the brake has stopped", "zeigen, was die Bremse angehalten hat"),
    ("override the brake", "die Bremse überwinden"),
    (
        "the brake has stopped nothing in the newest run of {0}",
        "die Bremse hat im neuesten Lauf von {0} nichts angehalten",
    ),
    (
        "the brake has stopped something else in the newest run of {0} than what was looked at",
        "die Bremse hat im neuesten Lauf von {0} anderes angehalten, als angesehen wurde",
    ),
    (
        "the brake has stopped records in the newest run of {0} that are not all within what you may see",
        "die Bremse hat im neuesten Lauf von {0} Datensätze angehalten, die nicht alle einsehbar sind",
    ),
    (
        "erasurectl runs shows what has run, and erasurectl runs show RUN what was stopped",
        "erasurectl runs zeigt, was gelaufen ist, und erasurectl runs show RUN, was angehalten wurde",
    ),
    (
        "a run of {job} may go on over what the brake stopped in run {stopped}, digest {digest}",
        "ein Lauf von {job} darf über das hinweggehen, was die Bremse in Lauf {stopped} angehalten hat, Prüfsumme {digest}",
    ),
    ("cannot override the brake without a reason", "ohne Begründung lässt sich die Bremse nicht überwinden"),
    (
        "write --reason TEXT: it is kept beside the audit trail",
        "--reason TEXT schreiben: der Text liegt neben dem Protokoll",
    ),
    (
        "cannot override the brake: what it stopped in run {run} has the digest {digest}",
        "kann die Bremse nicht überwinden: was sie in Lauf {run} angehalten hat, hat die Prüfsumme {digest}",
    ),
    ("look at the numbers again", "die Zahlen noch einmal ansehen"),
    ("the brake stopped {records} records in run {id}", "die Bremse hat in Lauf {id} {records} Datensätze angehalten"),
    (
        "The run goes on over {records} records. Type their number to go on:",
        "Der Lauf geht über {records} Datensätze hinweg. Zum Fortfahren ihre Zahl eingeben:",
    ),
    (
        "cannot override the brake for {records} records without a terminal to ask at",
        "kann die Bremse für {records} Datensätze nicht überwinden, ohne Terminal für die Rückfrage",
    ),
    (
        "if that is the number you mean, add --yes-override {records}",
        "ist das die gemeinte Zahl, --yes-override {records} anfügen",
    ),
    (
        "cannot override the brake for {records} records: another number was given",
        "kann die Bremse für {records} Datensätze nicht überwinden: es wurde eine andere Zahl angegeben",
    ),
    ("nothing was begun; look at the numbers again", "nichts wurde begonnen; die Zahlen noch einmal ansehen"),
    ("overrides", "überwindet"),
    ("the brake of run {id}", "die Bremse von Lauf {id}"),
    (
        "Go on over what the brake has stopped in its newest run",
        "Über das hinweggehen, was die Bremse im neuesten Lauf angehalten hat",
    ),
    ("Why, with --override-brake", "Warum, mit --override-brake"),
    ("Only if that is still what this stands for", "Nur wenn es noch das ist, wofür dies steht"),
    ("brake", "Bremse"),
    ("by criterion", "nach Kriterium"),
    ("by unit", "nach Abteilung"),
    ("by year due", "nach Jahr der Löschreife"),
    (
        "{category}: {records} of {rows} records (limits {count} and {share})",
        "{category}: {records} von {rows} Datensätzen (Grenzen {count} und {share})",
    ),
    ("the brake stopped {job}: {}", "die Bremse hat {job} angehalten: {}"),
    (
        "{category}: {records} of {rows} records (limits {limit} and {share}), digest {digest}",
        "{category}: {records} von {rows} Datensätzen (Grenzen {limit} und {share}), Prüfsumme {digest}",
    ),
    ("others", "andere"),
    ("brake closed: {}", "Bremse zu: {}"),
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
