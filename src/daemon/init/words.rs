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
}

/// Stems shorter than this must be words of their own.
const STEM_BYTES_MIN: usize = 5;

/// In this order: the first that fits says it.
const COLUMNS: &[(Meaning, &str)] = &[
    (Meaning::Neutral, "=is =has =can =count =num =status =type =typ =kind =art =soort =flag template"),
    (Meaning::Secret, "password passwort kennwort wachtwoord motdepasse token secret apikey salt hash pin"),
    (Meaning::Network, "ipaddress ipadresse useragent deviceid fingerprint ip"),
    (Meaning::Email, "email courriel mail epost"),
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
         nationalitaet religion occupation beruf beroep photo picture avatar portrait signature company firma \
         bedrijf entreprise employer website homepage image foto sex",
    ),
    (
        Meaning::Neutral,
        "anzahl aantal quantity menge amount betrag bedrag montant summe price preis prijs currency waehrung \
         language sprache langue locale timezone version position active aktiv actief enabled rating score \
         method category reference total =qty =prix =taal =sort =rank =level =code =sku =upc =slug",
    ),
    (Meaning::Unit, "branch department abteilung filiale standort afdeling vestiging agence division office"),
];

/// Words for people, as tables are called.
const PEOPLE: &str = "customer client contact person people member employee patient student applicant candidate prospect \
     subscriber donor resident guest visitor teacher participant owner volunteer kunde mitglied benutzer \
     nutzer mitarbeiter bewerber interessent schueler mieter kontakt teilnehmer klient bewohner spender klant \
     gebruiker medewerker deelnemer huurder bewoner relatie persoon utilisateur membre adherent employe \
     salarie abonne locataire personne candidat user users lead leads staff tenant lid leden";

/// Words for what has to be kept for the books.
const BOOKS: &str = "order invoice payment booking contract transaction purchase receipt refund rechnung bestellung auftrag \
     zahlung buchung vertrag beleg factuur bestelling betaling boeking overeenkomst facture commande paiement \
     reservation contrat sale sales bill";

/// Words for what is of no use without the person.
const APPENDAGES: &str = "address adresse adres email phone telefon session token login preference setting notification wishlist \
     search history visit basket cart warenkorb winkelmand panier message newsletter device alert profile \
     consent vote log logs";

/// From when a period may run, the best first.
const STARTS: &[&str] = &[
    "last letzt laatst dernier derniere",
    "left ended closed austritt ausgetreten kuendigung beendet uitschrijv uitgeschreven einde sortie \
     terminated cancelled archived expired end ende exit fin",
    "updated modified changed geaendert gewijzigd modifie",
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

/// Whether a table is called after people.
pub(super) fn is_called_people(table: &str) -> bool {
    name_says(table, PEOPLE)
}

/// Whether a table is called after what the books keep.
pub(super) fn is_called_books(table: &str) -> bool {
    name_says(table, BOOKS)
}

/// Whether a table is called after what is of no use without the person.
pub(super) fn is_called_appendage(table: &str) -> bool {
    name_says(table, APPENDAGES)
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
        ] {
            assert_eq!(meaning(column), expected, "{column}");
        }
    }

    #[test]
    fn tables_and_dates_are_understood_too() {
        assert!(is_called_people("Kundenstamm") && is_called_people("auth_user") && !is_called_people("userless"));
        assert!(is_called_books("InvoiceLine") && is_called_appendage("address_useraddress"));
        let ranks = ["letzter_kontakt", "austritt_am", "updated_at", "date_joined", "xyz"].map(rank_of_start);
        assert_eq!(ranks, [Some(0), Some(1), Some(2), Some(3), None]);
    }
}
