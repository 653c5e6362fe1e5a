//! Legal holds and standard reasons.

pub(super) const TEXTS: super::Part = &[
    ("HOLD", "SPERRE"),
    ("SINCE", "SEIT"),
    ("REFERENCE", "ZEICHEN"),
    ("FOR", "FÜR"),
    ("NAME", "NAME"),
    ("NUMBER", "NUMMER"),
    ("hold", "sperren"),
    ("release", "entsperren"),
    ("hold a record", "einen Datensatz sperren"),
    ("release a hold", "eine Sperre aufheben"),
    ("list holds", "Sperren auflisten"),
    (
        "Set a legal hold: the record is not erased until it is released",
        "Eine Sperre setzen: der Datensatz wird nicht gelöscht, bis sie aufgehoben ist",
    ),
    ("Release a legal hold, or ask for its release", "Eine Sperre aufheben oder ihre Aufhebung verlangen"),
    ("List legal holds, the oldest first", "Sperren auflisten, die älteste zuerst"),
    ("List the standard reasons", "Die Standardgründe auflisten"),
    (
        "Why: the number or the name of a standard reason, or a text",
        "Der Grund: Nummer oder Name eines Standardgrunds oder ein Text",
    ),
    (
        "Under which reference: a file number, a court's sign",
        "Unter welchem Zeichen: eine Aktenzahl, ein Geschäftszeichen des Gerichts",
    ),
    (
        "The number of the hold, where there are several on the record",
        "Die Nummer der Sperre, wo der Datensatz mehrere hat",
    ),
    ("The reference of the hold, instead of its number", "Das Zeichen der Sperre, statt ihrer Nummer"),
    ("What they are given for [default: all]", "Wofür sie angegeben werden [Vorgabe: alle]"),
    ("Asking for erasure by hand", "Für manuelles Löschen"),
    ("Postponing", "Für das Zurückstellen"),
    ("Setting or releasing a legal hold", "Für das Setzen oder Aufheben einer Sperre"),
    ("{kind}: anything else may be written too", "{kind}: auch anderes darf geschrieben werden"),
    ("{kind}: nothing else may be written", "{kind}: anderes darf nicht geschrieben werden"),
    ("hold {} is released", "Sperre {} ist aufgehoben"),
    ("hold {} stands until another person releases it", "Sperre {} besteht, bis eine andere Person sie aufhebt"),
    ("another person has been given the key since", "der Schlüssel wurde seither einer anderen Person gegeben"),
    (
        "release asked for by {}; another person can release it from {from} on",
        "Aufhebung verlangt von {}; eine andere Person kann ab {from} aufheben",
    ),
    ("release asked for by {}", "Aufhebung verlangt von {}"),
    ("held since {since}", "gesperrt seit {since}"),
    (
        "held since {since}, for another person under the key",
        "gesperrt seit {since}, wegen einer anderen Person unter dem Schlüssel",
    ),
    ("held since {since}: {reason} ({reference})", "gesperrt seit {since}: {reason} ({reference})"),
    // Refusals.
    ("cannot hold a record without a reference", "kann einen Datensatz nicht ohne Zeichen sperren"),
    (
        "write the file number or the court's sign that the hold belongs to",
        "die Aktenzahl oder das Geschäftszeichen schreiben, zu dem die Sperre gehört",
    ),
    (
        "cannot take this reference: it is too long, or more than a line",
        "kann dieses Zeichen nicht nehmen: zu lang oder mehr als eine Zeile",
    ),
    (
        "write one line of at most {REFERENCE_MAX_BYTES} bytes",
        "eine Zeile von höchstens {REFERENCE_MAX_BYTES} Bytes schreiben",
    ),
    (
        "cannot hold without a reason and a reference: both are required",
        "kann ohne Grund und Zeichen nicht sperren: beides ist nötig",
    ),
    (
        "write --reason TEXT --reference TEXT; erasurectl reasons hold shows the standard reasons",
        "--reason TEXT --reference TEXT schreiben; erasurectl reasons hold zeigt die Standardgründe",
    ),
    ("cannot hold {record}: there is no such record", "kann {record} nicht sperren: es gibt keinen solchen Datensatz"),
    ("cannot {asked} a record of {category}: {why}", "kann keinen Datensatz von {category} {asked}: {why}"),
    (
        "erasurectl status shows what is wrong; nothing is erased there until it is mended",
        "erasurectl status zeigt, was los ist; bis es behoben ist, wird dort nichts gelöscht",
    ),
    ("cannot {} {record}: {refused}", "kann {record} nicht {}: {refused}"),
    (
        "see what happened to it: erasurectl audit list --record {record}",
        "ansehen, was damit geschah: erasurectl audit list --record {record}",
    ),
    (
        "it stands; write another reference for a second one",
        "sie besteht; für eine zweite ein anderes Zeichen schreiben",
    ),
    ("erasurectl holds shows those there are", "erasurectl holds zeigt die vorhandenen"),
    (
        "say which: --hold NUMBER or --reference TEXT; their numbers are {}",
        "sagen, welche: --hold NUMMER oder --reference TEXT; die Nummern sind {}",
    ),
    (
        "ask a colleague with the permission hold to release it",
        "jemand anderen mit der Berechtigung hold um die Aufhebung bitten",
    ),
    ("release it then", "dann aufheben"),
    ("release it when an operator has set the clock right", "aufheben, wenn der Betrieb die Uhr gestellt hat"),
    (
        "its waiting time is not known to be over: the clock is not believed",
        "ob die Wartezeit vorbei ist, steht nicht fest: der Uhr wird nicht geglaubt",
    ),
    ("cannot {doing} for this reason: {refused}", "kann aus diesem Grund nicht {doing}: {refused}"),
    (
        "cannot release a hold by its number and by its reference at once",
        "kann eine Sperre nicht zugleich nach Nummer und Zeichen aufheben",
    ),
    ("it is too late: the record is being erased", "zu spät: der Datensatz wird gerade gelöscht"),
    ("it is too late: the record was erased at {0:.0}", "zu spät: der Datensatz wurde am {0} gelöscht"),
    ("it is held under this reference already, by hold {0}", "unter diesem Zeichen schon gesperrt, durch Sperre {0}"),
    ("there is no such hold on it", "es gibt darauf keine solche Sperre"),
    ("there are {} holds on it", "es gibt darauf {} Sperren"),
    (
        "you have asked for the release yourself, and another person has to agree",
        "die Aufhebung wurde von derselben Person verlangt, und eine andere muss zustimmen",
    ),
    (
        "its release was asked for, and it stands until {0:.0}",
        "die Aufhebung wurde verlangt, und die Sperre besteht bis {0}",
    ),
    ("it is stopped", "angehalten"),
    ("cannot read the records of {0}: {1}", "kann die Datensätze von {0} nicht lesen: {1}"),
    ("there is no reason {number}", "es gibt keinen Grund {number}"),
    (
        "it is none of the standard reasons, and no other is taken",
        "das ist keiner der Standardgründe, und kein anderer wird genommen",
    ),
    ("did you mean {meant:?}? The reasons are {offered}", "ist {meant} gemeint? Die Gründe sind {offered}"),
    ("the reasons are {offered}", "die Gründe sind {offered}"),
    // The trail.
    ("{counted} held, by hold {hold}", "{counted} gesperrt, durch Sperre {hold}"),
    ("a hold on {counted} came too late", "eine Sperre kam zu spät: {counted}"),
    ("the release of hold {hold} was asked for", "die Aufhebung von Sperre {hold} wurde verlangt"),
    ("hold {hold} was released", "Sperre {hold} wurde aufgehoben"),
];
