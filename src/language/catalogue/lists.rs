//! Lists, sets, and confirming all of what was seen.

pub(super) const TEXTS: super::Part = &[
    ("ORDER", "REIHENFOLGE"),
    ("DAYS", "TAGE"),
    ("USER", "BENUTZER"),
    ("Only those with this text in their label", "Nur die mit diesem Text in der Bezeichnung"),
    ("In this order", "In dieser Reihenfolge"),
    ("The last first", "Das Letzte zuerst"),
    ("Write CSV, and every page of it", "CSV schreiben, alle Seiten davon"),
    ("Only count them, by category and state", "Nur zählen, nach Datenart und Stand"),
    (
        "Say what stands for all of them as they are now, to confirm them by; with --json, only that",
        "Nennen, was für sie alle in ihrem jetzigen Stand steht, um sie damit zu bestätigen; mit --json nur das",
    ),
    ("Which proposals are meant", "Welche Löschvorschläge gemeint sind"),
    ("Only records of this unit", "Nur Datensätze dieser Abteilung"),
    ("Only what has been waiting for at least so many days", "Nur was seit mindestens so vielen Tagen wartet"),
    ("Only what is due since this day or a later one", "Nur was seit diesem Tag oder einem späteren löschreif ist"),
    ("Only what is due since this day or an earlier one", "Nur was seit diesem Tag oder einem früheren löschreif ist"),
    ("Only what this user has decided about last", "Nur worüber zuletzt dieser Benutzer entschieden hat"),
    ("By category and key", "Nach Datenart und Schlüssel"),
    ("By the day since when they are due", "Nach dem Tag, seit dem sie löschreif sind"),
    ("What has waited longest first", "Was am längsten wartet, zuerst"),
    (
        "All that the filters let through, as long as they are what the digest stands for",
        "Alle, die die Filter durchlassen, solange sie sind, wofür die Prüfsumme steht",
    ),
    (
        "What `erasurectl list` with the same filters and --digest gave",
        "Was `erasurectl list` mit denselben Filtern und --digest genannt hat",
    ),
    (
        "Do not ask to type the number of records: it is this one",
        "Nicht nach der Zahl der Datensätze fragen: es ist diese",
    ),
    ("ERASED", "GELÖSCHT"),
    ("IN THE SET", "IN DER MENGE"),
    ("TOTAL", "GESAMT"),
    ("WITHDRAWN", "ZURÜCKGEZOGEN"),
    ("origin", "Herkunft"),
    ("records", "Datensätze"),
    ("digest", "Prüfsumme"),
    ("new", "neu"),
    ("gone", "verschwunden"),
    ("changed", "geändert"),
    (
        "{found} found in {searched} labels, of {total} records in all",
        "{found} gefunden in {searched} Bezeichnungen, von insgesamt {total} Datensätzen",
    ),
    ("{} in all", "{} insgesamt"),
    (
        "{proposed} of the {records} wait for a decision: as it is, the set cannot be confirmed",
        "{proposed} der {records} warten auf eine Entscheidung: so kann die Menge nicht bestätigt werden",
    ),
    ("add --state proposed", "--state proposed hinzufügen"),
    (
        "erasurectl confirm --all with the same filters and --digest {digest}",
        "erasurectl confirm --all mit denselben Filtern und --digest {digest}",
    ),
    ("and {unnamed} more", "und {unnamed} weitere"),
    ("{count} records", "{count} Datensätze"),
    (
        "{records} will be confirmed. Type the number of records to go on:",
        "{records} werden bestätigt. Zum Fortfahren die Zahl der Datensätze eingeben:",
    ),
    (
        "cannot confirm {records} without a terminal to ask at",
        "kann nicht bestätigen ohne ein Terminal für die Rückfrage: {records}",
    ),
    (
        "if that is the number you mean, add --yes-confirm {count}",
        "wenn diese Zahl gemeint ist, --yes-confirm {count} hinzufügen",
    ),
    (
        "cannot confirm {records}: another number was given",
        "kann nicht bestätigen: eine andere Zahl als {records} wurde genannt",
    ),
    ("nothing was confirmed; look at the list again", "nichts wurde bestätigt; die Liste noch einmal ansehen"),
    (
        "nothing was decided: the set had {then} records, and has {now} now",
        "nichts wurde entschieden: die Menge hatte {then} Datensätze und hat jetzt {now}",
    ),
    ("more has happened since then than is shown", "seither ist mehr geschehen, als gezeigt wird"),
    ("cannot confirm single records by filters", "kann einzelne Datensätze nicht nach Filtern bestätigen"),
    ("write --all for all that the filters let through", "--all schreiben für alle, die die Filter durchlassen"),
    ("cannot confirm single records by a digest", "kann einzelne Datensätze nicht mit einer Prüfsumme bestätigen"),
    (
        "write --all, and the filters that the digest was made with",
        "--all schreiben und die Filter, mit denen die Prüfsumme entstand",
    ),
    (
        "look at it first: erasurectl list with the same filters and --digest gives the digest",
        "zuerst ansehen: erasurectl list mit denselben Filtern und --digest nennt die Prüfsumme",
    ),
    (
        "cannot confirm single records and all of a set in one request",
        "kann einzelne Datensätze und eine ganze Menge nicht in einer Anfrage bestätigen",
    ),
    ("cannot confirm all of a set without its digest", "kann eine ganze Menge nicht ohne ihre Prüfsumme bestätigen"),
    (
        "erasurectl list with the same filters and --digest gives it",
        "erasurectl list mit denselben Filtern und --digest nennt sie",
    ),
    (
        "cannot confirm by a digest without the set that it stands for",
        "kann nicht mit einer Prüfsumme bestätigen ohne die Menge, für die sie steht",
    ),
    (
        "name the set in `all`, with the same filters that the digest was made with",
        "die Menge in `all` nennen, mit den Filtern, mit denen die Prüfsumme entstand",
    ),
    (
        "cannot go on from this cursor: it is of a list in another order",
        "kann an dieser Stelle nicht fortfahren: sie ist von einer Liste in anderer Reihenfolge",
    ),
    (
        "give the same filters and the same order as for the page before",
        "dieselben Filter und dieselbe Reihenfolge wie für die vorige Seite angeben",
    ),
    (
        "cannot read the digest: it is none that a list has given",
        "kann die Prüfsumme nicht lesen: keine Liste hat sie genannt",
    ),
    (
        "cannot confirm all of the set: it has changed since the digest was made",
        "kann die Menge nicht ganz bestätigen: sie hat sich seit der Prüfsumme geändert",
    ),
    (
        "cannot confirm all of the set: the digest stands for another one",
        "kann die Menge nicht ganz bestätigen: die Prüfsumme steht für eine andere",
    ),
    (
        "look at what has changed, and take a new digest: erasurectl list with the same filters and --digest",
        "ansehen, was sich geändert hat, und eine neue Prüfsumme nehmen: erasurectl list mit denselben Filtern und --digest",
    ),
    (
        "give the filters that the digest was made with; somebody else's digest may be of records that you do not see",
        "die Filter angeben, mit denen die Prüfsumme entstand; die einer anderen Person kann für Datensätze stehen, die hier nicht zu sehen sind",
    ),
    (
        "cannot {asked} all of the set: {proposed} of its {records} records wait for a decision",
        "kann die Menge nicht ganz {asked}: {proposed} ihrer {records} Datensätze warten auf eine Entscheidung",
    ),
    (
        "add --state proposed to the filters, and take the digest of that",
        "--state proposed zu den Filtern hinzufügen und davon die Prüfsumme nehmen",
    ),
    (
        "cannot {asked} all of the set: there is no record in it",
        "kann die Menge nicht ganz {asked}: sie enthält keinen Datensatz",
    ),
    (
        "cannot list what is due on {text:?}: it is not a date",
        "kann nicht auflisten, was am {text} löschreif ist: das ist kein Datum",
    ),
    ("cannot look for an empty text", "kann keinen leeren Text suchen"),
    ("cannot look for a text of {} bytes", "kann keinen Text von {} Bytes suchen"),
    ("write at most {TEXT_MAX_BYTES}", "höchstens {TEXT_MAX_BYTES} schreiben"),
    (
        "the set is not what its digest stands for, and nothing was decided",
        "die Menge ist nicht, wofür ihre Prüfsumme steht, und nichts wurde entschieden",
    ),
    (
        "{proposed} of the {records} records in the set wait for a decision, and nothing was decided",
        "{proposed} der {records} Datensätze der Menge warten auf eine Entscheidung, und nichts wurde entschieden",
    ),
    ("there is nothing in the set", "die Menge ist leer"),
];
