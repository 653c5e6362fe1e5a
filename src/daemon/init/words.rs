//! What the names of tables and columns say, in English, German, Dutch and French.
//!
//! A name is cut into its words (`lastContactOn`, `last_contact_on`), and compared without accents. Long stems are looked
//! for anywhere in the name, because German and Dutch write compounds in one; short ones, and those after `=`, must be a word
//! of their own: "country" has nothing to do with "count".

/// What a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    LastName,
    FirstName,
    FullName,
    Email,
    Phone,
    /// Street, town, country.
    Address,
    Birth,
    /// Numbers that the state or a bank has given.
    Number,
    Login,
    /// Passwords and tokens.
    Secret,
    /// Addresses of machines.
    Network,
    /// What people write.
    Text,
    /// Firms, pictures and sites of theirs.
    Shown,
    /// Anything else that is the person's.
    Personal,
    /// The department or branch.
    Unit,
    /// Says nothing about who it is.
    Neutral,
    Unknown,
}

impl Meaning {
    /// Whether it tells whom a row is about.
    pub(super) const fn is_personal(self) -> bool {
        !matches!(self, Self::Unit | Self::Neutral | Self::Unknown)
    }

    /// Whether it is said in letters: a number called after it counts something, or points to it.
    pub(super) const fn is_in_letters(self) -> bool {
        matches!(
            self,
            Self::LastName
                | Self::FirstName
                | Self::FullName
                | Self::Email
                | Self::Login
                | Self::Secret
                | Self::Text
                | Self::Shown
        )
    }
}

/// Stems shorter than this must be words of their own.
const STEM_BYTES_MIN: usize = 5;

/// In this order: the first that fits says it.
const COLUMNS: &[(Meaning, &str)] = &[
    (Meaning::Neutral, "=is =has =can =count =counter =num =status =type =typ =kind =art =soort =flag template"),
    // Anything may be in these. A mail server is no mail address.
    (Meaning::Unknown, "preference setting =config =option =options =params =data =vars =host =server =port"),
    (Meaning::Secret, "password passwort kennwort wachtwoord motdepasse token secret apikey salt hash pin"),
    (Meaning::Network, "ipaddress ipadresse useragent deviceid fingerprint ip"),
    (Meaning::Email, "email courriel mail epost replyto cc bcc"),
    (Meaning::Login, "username benutzername gebruikersnaam nickname screenname login nick alias handle"),
    (Meaning::FirstName, "firstname givenname forename middlename vorname rufname voornaam prenom initials"),
    (
        Meaning::LastName,
        "lastname surname familyname nachname familienname zuname achternaam nomdefamille geburtsname \
         maidenname nom",
    ),
    (Meaning::FullName, "fullname displayname contactname ansprechpartner contactpersoon name naam"),
    (Meaning::Birth, "birth geburt geboorte geboren naissance dob"),
    (Meaning::Phone, "phone telefon telefoon mobile mobil handy fax tel gsm portable"),
    (
        Meaning::Number,
        "passport reisepass iban socialsecurity sozialversicherung steuernummer taxid taxnumber vatnumber \
         ausweis burgerservice rijksregister nationalid creditcard cardnumber bankaccount kontonummer \
         rekeningnummer ssn bsn bic svnr nir insee",
    ),
    (
        Meaning::Address,
        "street strasse straat address adresse adres hausnummer huisnummer postcode postalcode codepostal \
         zipcode postleitzahl woonplaats latitude longitude country line rue city town zip plz ort stadt \
         plaats ville land pays",
    ),
    (
        Meaning::Text,
        "comment remark bemerkung opmerking commentaire remarque beschreibung description message nachricht \
         bericht searchtext subject betreff note notes notiz notizen notitie body text memo bio about query",
    ),
    (
        Meaning::Personal,
        "gender geschlecht geslacht salutation anrede aanhef civilite title titel titre nationality \
         nationalitaet religion occupation beruf beroep vcard sex",
    ),
    (
        Meaning::Shown,
        "photo picture avatar portrait signature company firma bedrijf entreprise employer organisation \
         organization website homepage image foto",
    ),
    (
        Meaning::Neutral,
        "anzahl aantal quantity menge amount betrag bedrag montant summe price preis prijs currency waehrung \
         language sprache langue locale timezone version position active aktiv actief enabled rating score \
         method category =reference total =state =statut =zustand =qty =prix =taal =sort =rank =level =code =sku =upc =slug",
    ),
    (Meaning::Unit, "branch department abteilung filiale standort afdeling vestiging agence division office"),
];

/// Words for people, as tables are called. "Party" is what contracts and address books say for either.
const PEOPLE: &str = "customer client contact person people member employee patient student applicant candidate prospect \
     subscriber donor resident guest visitor teacher participant owner volunteer kunde mitglied benutzer \
     nutzer mitarbeiter bewerber interessent schueler mieter kontakt teilnehmer klient bewohner spender klant \
     gebruiker medewerker deelnemer huurder bewoner relatie persoon utilisateur membre adherent employe \
     salarie abonne locataire personne candidat user lead staff tenant lid leden party parties";

/// What people are to a row, beside the words for people.
const ROLES: &str =
    "supplier vendor payee debtor creditor author lieferant leverancier fournisseur schuldner glaeubiger";

/// What a word may end in where it is of more than one.
const PLURALS: &[&str] = &["", "s", "es", "e", "n", "en", "er", "ern", "in", "innen"];

/// Words for many of them, or for what is known about them, behind the word that says of whom: `Kundenstamm`.
const COLLECTIVES: &str = "stamm stammdaten daten data base info list liste lijst kartei bestand verzeichnis record \
     records table tabelle tbl entity master account accounts old archive archived deleted active new";

/// Words for what has to be kept for the books.
const BOOKS: &str = "order invoice payment booking contract transaction purchase receipt refund rechnung bestellung auftrag \
     zahlung buchung vertrag beleg factuur bestelling betaling boeking overeenkomst facture commande paiement \
     reservation contrat sale sales bill";

/// Words for what is of no use without the person.
const APPENDAGES: &str = "address adresse adres email phone telefon session token login preference setting notification wishlist \
     search history visit basket cart warenkorb winkelmand panier message newsletter device alert profile \
     identity identities cache attempt consent vote log logs";

/// From when a period may run, the best first.
const STARTS: &[&str] = &[
    "last letzt laatst dernier derniere",
    "left ended closed austritt ausgetreten kuendigung beendet uitschrijv uitgeschreven einde sortie \
     terminated cancelled archived expired end ende exit fin",
    "update modified changed geaendert gewijzigd modifie =write edited",
    "created joined registered registration creation erstellt angelegt eintritt beitritt aangemaakt \
     ingeschreven inscription signup since seit hire hired entry",
];

/// The words of a name, in lower case and without accents and digits.
pub(super) fn tokens(name: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let (mut word, mut was_lower) = (String::new(), false);
    let characters: Vec<char> = name.chars().collect();
    for (at, character) in characters.iter().copied().enumerate() {
        let ends_capitals = character.is_uppercase() && characters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if !character.is_alphabetic() || (character.is_uppercase() && (was_lower || ends_capitals)) {
            tokens.push(std::mem::take(&mut word));
        }
        if character.is_alphabetic() {
            character.to_lowercase().for_each(|lower| plain(lower, &mut word));
        }
        was_lower = character.is_lowercase();
    }
    tokens.push(word);
    tokens.retain(|token| !token.is_empty());
    tokens
}

fn plain(character: char, word: &mut String) {
    match character {
        'ä' => word.push_str("ae"),
        'ö' => word.push_str("oe"),
        'ü' => word.push_str("ue"),
        'ß' => word.push_str("ss"),
        'à' | 'â' | 'á' => word.push('a'),
        'é' | 'è' | 'ê' | 'ë' => word.push('e'),
        'î' | 'ï' | 'í' => word.push('i'),
        'ô' | 'ó' => word.push('o'),
        'û' | 'ù' | 'ú' => word.push('u'),
        'ç' => word.push('c'),
        other => word.push(other),
    }
}

fn says(tokens: &[String], joined: &str, words: &str) -> bool {
    words.split_whitespace().any(|word| {
        let (word, is_whole) = word.strip_prefix('=').map_or((word, word.len() < STEM_BYTES_MIN), |word| (word, true));
        tokens.iter().any(|token| token == word) || (!is_whole && joined.contains(word))
    })
}

fn name_says(name: &str, words: &str) -> bool {
    let tokens = tokens(name);
    says(&tokens, &tokens.concat(), words)
}

/// What a column's name says.
pub(super) fn meaning(column: &str) -> Meaning {
    let tokens = tokens(column);
    let joined = tokens.concat();
    COLUMNS.iter().find(|(_, words)| says(&tokens, &joined, words)).map_or(Meaning::Unknown, |(meaning, _)| *meaning)
}

/// Whether a column is called after a part of a country.
pub(super) fn is_called_region(column: &str) -> bool {
    name_says(column, "state region province county bundesland provincie")
}

/// Whether SQL has a meaning of its own for the word.
pub(super) fn is_reserved(name: &str) -> bool {
    let words =
        ["order", "group", "table", "index", "select", "from", "where", "values", "references", "transaction", "check"];
    words.iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// Whether a name has to do with people: `contact_groups`.
pub(super) fn mentions_people(name: &str) -> bool {
    name_says(name, PEOPLE)
}

/// Whether a table's rows are people by its name: what they are stands last, in English, German and Dutch. Members of contact
/// groups are people; contact groups, and the devices of users, are none.
pub(super) fn is_called_people(table: &str) -> bool {
    let mut tokens = tokens(table);
    while let Some(last) = tokens.pop() {
        let is_collective = |word: &&str| last.strip_suffix(*word).is_some();
        if is_one_of(&last, PEOPLE) {
            return true;
        }
        // The longest first, so that nothing of it is left over.
        let Some(word) = COLLECTIVES.split_whitespace().filter(is_collective).max_by_key(|word| word.len()) else {
            return false;
        };
        let rest = last.strip_suffix(word).unwrap_or_default();
        if !rest.is_empty() {
            return is_one_of(rest, PEOPLE);
        }
    }
    false
}

/// Whether a table's rows are what the books keep, and not something that only has to do with it: what stands last says so.
pub(super) fn is_called_only_books(table: &str) -> bool {
    tokens(table).last().is_some_and(|last| is_one_of(last, BOOKS))
}

/// Whether a table is called after numbers that tell who somebody is.
pub(super) fn is_called_identifiers(table: &str) -> bool {
    name_says(
        table,
        "identifier identification bankcard creditcard bankaccount passport licence license ausweis card iban",
    )
}

/// Whether a column holds the number that its table is about.
pub(super) fn is_called_number(column: &str) -> bool {
    matches!(tokens(column).as_slice(), [one] if ["number", "nummer", "numero", "code", "value", "reference"].contains(&one.as_str()))
}

/// Whether numbers of this name count or sort, whatever else is called so.
pub(super) fn is_called_after_places(column: &str) -> bool {
    name_says(column, "order sequence position number sort rank level line count num total priority")
}

/// Whether a column's name fits people and things alike, and says nothing of which.
pub(super) fn is_called_generally(column: &str) -> bool {
    let general = ["name", "naam", "nom", "title", "titel", "titre", "description", "beschreibung", "image", "photo"];
    matches!(tokens(column).as_slice(), [one] if general.contains(&one.as_str()))
}

/// Whether a column is called after somebody: what stands last says whom it leads to.
pub(super) fn is_called_after_somebody(words: &[String]) -> bool {
    words.last().is_some_and(|last| is_one_of(last, PEOPLE) || is_one_of(last, ROLES))
}

/// Whether a word is one of these, or ends in a long one of them, in the singular or the plural.
fn is_one_of(word: &str, words: &str) -> bool {
    words.split_whitespace().any(|stem| {
        PLURALS.iter().any(|plural| {
            let head = word.strip_suffix(plural).and_then(|rest| rest.strip_suffix(stem));
            head.is_some_and(|before| before.is_empty() || stem.len() >= STEM_BYTES_MIN)
        })
    })
}

/// Whether one is the other's plural, or both are the same.
pub(super) fn is_same_word(one: &str, other: &str) -> bool {
    let is_plural = |many: &str, one: &str| {
        many.strip_prefix(one).is_some_and(|rest| PLURALS.contains(&rest))
            || many.strip_suffix("ies").is_some_and(|stem| one.strip_suffix('y') == Some(stem))
    };
    is_plural(one, other) || is_plural(other, one)
}

/// Whether a column says who made or changed a row.
pub(super) fn is_called_after_who_did_it(column: &str) -> bool {
    let tokens = tokens(column);
    let words = tokens.strip_suffix(&["id".to_owned()]).unwrap_or(&tokens);
    words.len() > 1 && words.last().is_some_and(|last| last == "by" || last == "uid")
}

/// Whether a table is called after what the books keep.
pub(super) fn is_called_books(table: &str) -> bool {
    name_says(table, BOOKS)
}

/// Whether a table is called after what is of no use without the person.
pub(super) fn is_called_appendage(table: &str) -> bool {
    name_says(table, APPENDAGES)
}

/// Whether a number called after this part of an address is that part, and does not point to it.
pub(super) fn is_address_in_numbers(column: &str) -> bool {
    name_says(
        column,
        "zip plz postal postcode postleitzahl hausnummer huisnummer latitude longitude =lat =lon =lng street",
    )
}

/// Whether a start by this name says only when a record began, and nothing of its end.
pub(super) const fn is_of_beginning(rank: usize) -> bool {
    rank + 1 == STARTS.len()
}

/// How good a start a date makes by its name; the lower the better.
pub(super) fn rank_of_start(column: &str) -> Option<usize> {
    STARTS.iter().position(|words| name_says(column, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        assert_eq!(tokens("lastContactOn"), ["last", "contact", "on"]);
        assert_eq!(tokens("CUSTOMER_ID2"), ["customer", "id"]);
        assert_eq!(tokens("HTTPServer Größe"), ["http", "server", "groesse"]);
        assert_eq!(tokens("§1"), Vec::<String>::new());
    }

    #[test]
    fn columns_are_understood_in_four_languages() {
        for (column, expected) in [
            ("last_name", Meaning::LastName),
            ("Familienname", Meaning::LastName),
            ("achternaam", Meaning::LastName),
            ("prénom", Meaning::FirstName),
            ("BillingAddress", Meaning::Address),
            ("email_address", Meaning::Email),
            ("ip_address", Meaning::Network),
            ("Geburtsdatum", Meaning::Birth),
            ("geboortedatum", Meaning::Birth),
            ("is_active", Meaning::Neutral),
            ("email_body_template", Meaning::Neutral),
            ("BillingCountry", Meaning::Address),
            ("PostalCode", Meaning::Address),
            ("tax_code", Meaning::Neutral),
            ("branch_id", Meaning::Unit),
            ("Straßenname", Meaning::Address),
            ("wachtwoord", Meaning::Secret),
            ("xyz", Meaning::Unknown),
            ("mail_host", Meaning::Unknown),
            ("preferences", Meaning::Unknown),
            ("failed_login_counter", Meaning::Neutral),
            ("reply-to", Meaning::Email),
            ("organization", Meaning::Shown),
        ] {
            assert_eq!(meaning(column), expected, "{column}");
        }
    }

    #[test]
    fn tables_and_dates_are_understood_too() {
        for people in ["Kundenstamm", "auth_user", "party_party", "contactgroupmembers", "customer_data", "Mieterinnen"]
        {
            assert!(is_called_people(people), "{people}");
        }
        for others in ["userless", "contactgroups", "contact_mechanism", "res_user_device", "database", "party_address"]
        {
            assert!(!is_called_people(others), "{others}");
        }
        assert!(is_called_only_books("order_order") && !is_called_only_books("payment_bankcard"));
        assert!(is_same_word("parties", "party") && is_same_word("users", "user") && !is_same_word("users", "use"));
        assert!(is_called_after_who_did_it("created_by") && is_called_after_who_did_it("write_uid"));
        assert!(!is_called_after_who_did_it("uid") && !is_called_after_who_did_it("by"));
        assert!(is_called_books("InvoiceLine") && is_called_appendage("address_useraddress"));
        let ranks = ["letzter_kontakt", "austritt_am", "updated_at", "date_joined", "xyz"].map(rank_of_start);
        assert_eq!(ranks, [Some(0), Some(1), Some(2), Some(3), None]);
    }
}
