//! Linked records.

pub(super) const TEXTS: super::Part = &[
    ("LINKED", "VERKNÜPFT"),
    ("verdict", "Befund"),
    ("due", "löschreif"),
    ("blocked", "verhindert"),
    ("free", "frei"),
    ("unknown", "unbekannt"),
    ("another record", "ein anderer Datensatz"),
    ("same source", "selbe Quelle"),
    ("another source, erased alone", "andere Quelle, wird allein gelöscht"),
    ("confirmed together", "gemeinsam bestätigt"),
    ("{} (together: {})", "{} (gemeinsam: {})"),
    ("linked with {}: {verdict}", "verknüpft mit {}: {verdict}"),
    (
        "Together with these, which the record is linked to: all are confirmed or none, and those of one source are erased together",
        "Zusammen mit diesen, mit denen der Datensatz verknüpft ist: alle werden bestätigt oder keiner, und die einer Quelle werden gemeinsam gelöscht",
    ),
    ("Together with all that it is linked to", "Zusammen mit allem, womit er verknüpft ist"),
    ("due under {criterion} since {since}", "löschreif nach {criterion} seit {since}"),
    ("due under {criterion}", "löschreif nach {criterion}"),
    (
        "more than {LINKED_RECORDS_MAX} records are linked: nothing can be said of them together",
        "mehr als {LINKED_RECORDS_MAX} Datensätze sind verknüpft: über sie gemeinsam kann nichts gesagt werden",
    ),
    ("another record blocks", "ein anderer Datensatz verhindert es"),
    ("{many} other records block", "{many} andere Datensätze verhindern es"),
    ("a link cannot be followed: {trouble}", "einer Verknüpfung kann nicht gefolgt werden: {trouble}"),
    ("nothing blocks any of them", "nichts verhindert einen davon"),
    (
        "what is in another source is decided with the others and erased alone",
        "was in einer anderen Quelle liegt, wird mitentschieden und allein gelöscht",
    ),
    ("a category cannot be looked at", "eine Datenart kann nicht angesehen werden"),
    ("it is postponed until {until}", "zurückgestellt bis {until}"),
    // Refusals.
    (
        "cannot confirm all of a set together with what it is linked to",
        "kann eine ganze Menge nicht zusammen mit dem bestätigen, womit sie verknüpft ist",
    ),
    (
        "name the records, with all that each is linked to: with_linked, --with-linked",
        "die Datensätze nennen, mit allem, womit jeder verknüpft ist: with_linked, --with-linked",
    ),
    (
        "name one record, or confirm each with all that it is linked to: with_linked, --with-linked",
        "einen Datensatz nennen oder jeden mit allem bestätigen, womit er verknüpft ist: with_linked, --with-linked",
    ),
    ("cannot confirm several records with others", "kann nicht mehrere Datensätze mit anderen bestätigen"),
    ("cannot confirm together with {record}: {fault}", "kann nicht gemeinsam mit {record} bestätigen: {fault}"),
    (
        "{} of the linked records stand in the way, and nothing was confirmed",
        "{} der verknüpften Datensätze stehen im Weg, und nichts wurde bestätigt",
    ),
    ("it is not linked with the record", "nicht mit dem Datensatz verknüpft"),
    ("it blocks: {reason}", "verhindert es: {reason}"),
    ("it is not due: {reason}", "nicht löschreif: {reason}"),
    ("it is due, and not proposed yet", "löschreif und noch nicht vorgeschlagen"),
    ("nothing can be said of it: {problem}", "nichts kann darüber gesagt werden: {problem}"),
    (
        "something here was confirmed together with others, or has changed meanwhile",
        "etwas davon wurde gemeinsam mit anderen bestätigt oder hat sich inzwischen geändert",
    ),
    ("more than {LINKED_RECORDS_MAX} records are linked", "mehr als {LINKED_RECORDS_MAX} Datensätze sind verknüpft"),
    (
        "confirm it by itself, or look at what is linked: erasurectl show",
        "allein bestätigen oder ansehen, was verknüpft ist: erasurectl show",
    ),
    (
        "confirm without it: alone, or --with those that nothing blocks",
        "ohne ihn bestätigen: allein oder --with mit denen, die nichts verhindert",
    ),
    (
        "ask for its erasure first (erasurectl mark), or name those that are due: --with",
        "zuerst manuell löschen lassen (erasurectl mark) oder die löschreifen nennen: --with",
    ),
    ("let prepare run first, or confirm without it", "zuerst prepare laufen lassen oder ohne ihn bestätigen"),
    (
        "see what is wrong with its source or category: erasured check",
        "ansehen, was mit Quelle oder Datenart nicht stimmt: erasured check",
    ),
    (
        "look at it again: erasurectl show; restore takes apart what was confirmed together",
        "noch einmal ansehen: erasurectl show; restore trennt, was gemeinsam bestätigt wurde",
    ),
    (
        "a link that leads so far ties more than one person: confirm alone",
        "eine Verknüpfung, die so weit führt, verbindet mehr als eine Person: allein bestätigen",
    ),
    ("it was erased already", "schon gelöscht"),
    // What happens to those that go together.
    (
        "{counted} of {source} to be erased together, or not at all",
        "{counted} von {source} gemeinsam zu löschen oder gar nicht",
    ),
    ("linked records of {}", "verknüpfte Datensätze von {}"),
    (
        "the confirmation of what it was confirmed together with was taken back",
        "die Bestätigung dessen, womit gemeinsam bestätigt wurde, wurde zurückgenommen",
    ),
    ("what it was confirmed together with was postponed", "was gemeinsam bestätigt wurde, wurde zurückgestellt"),
    (
        "what it was confirmed together with is not to be erased any more",
        "was gemeinsam bestätigt wurde, soll nicht mehr gelöscht werden",
    ),
    (
        "what it was confirmed together with has changed, and is to be decided about anew",
        "was gemeinsam bestätigt wurde, hat sich geändert und ist neu zu entscheiden",
    ),
];
