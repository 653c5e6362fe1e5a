//! Chance that comes out the same for the same seed, and the words that chance picks from.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

/// Pseudo-random numbers: SplitMix64. For sample data only.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.abs_diff(low) + 1;
        low.saturating_add_unsigned(self.next() % width)
    }

    pub(super) fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.index(last + 1));
        }
    }

    fn index(&mut self, count: usize) -> usize {
        let highest = i64::try_from(count).unwrap_or(i64::MAX) - 1;
        usize::try_from(self.between(0, highest)).unwrap_or(0)
    }

    /// A day of the calendar year that lies `years` before that of `today`; of the present year, a day before today.
    pub(super) fn day_years_ago(&mut self, today: Date, years: i64) -> Date {
        if years == 0 {
            return self.day_days_ago(today, 1, i64::from(today.day_of_year()));
        }
        let year = i16::try_from(i64::from(today.year()) - years).unwrap_or(Date::MIN.year());
        date(year, 1, 1).checked_add(self.between(0, 364).days()).unwrap_or(today)
    }

    /// A day from `least` to `most` days before `today`.
    pub(super) fn day_days_ago(&mut self, today: Date, least: i64, most: i64) -> Date {
        today.checked_sub(self.between(least, most).days()).unwrap_or(today)
    }

    /// Somebody nobody has met. `number` keeps mail addresses apart.
    pub(super) fn person(&mut self, number: i64) -> Person {
        let (first, last) = (*self.pick(&FIRST_NAMES), *self.pick(&LAST_NAMES));
        let email = format!("{}.{}{number}@{}", plain(first), plain(last), self.pick(&MAIL_DOMAINS));
        Person { first_name: first, last_name: last, email }
    }

    pub(super) fn address(&mut self) -> Address {
        let (postcode, city) = *self.pick(&TOWNS);
        Address { street: format!("{} {}", self.pick(&STREETS), self.between(1, 90)), postcode, city }
    }

    pub(super) fn iban(&mut self) -> String {
        format!("AT{:02}{:05}{:011}", self.between(2, 98), self.between(10_000, 60_000), self.between(1, 99_999_999))
    }
}

pub(super) struct Person {
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) email: String,
}

impl Person {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

pub(super) struct Address {
    pub(super) street: String,
    pub(super) postcode: &'static str,
    pub(super) city: &'static str,
}

fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    lower.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss").replace(' ', "-")
}

const FIRST_NAMES: [&str; 40] = [
    "Anna",
    "Bernhard",
    "Christa",
    "Dieter",
    "Elfriede",
    "Franz",
    "Gertraud",
    "Helmut",
    "Ingrid",
    "Jürgen",
    "Katharina",
    "Leopold",
    "Maria",
    "Norbert",
    "Olivia",
    "Peter",
    "Renate",
    "Stefan",
    "Theresia",
    "Ulrich",
    "Veronika",
    "Wolfgang",
    "Zoë",
    "Günther",
    "Hannelore",
    "Jörg",
    "Karl-Heinz",
    "Lieselotte",
    "Matthias",
    "Roswitha",
    "Sebastian",
    "Ursula",
    "Viktoria",
    "Walpurga",
    "Björn",
    "Käthe",
    "Emre",
    "Milica",
    "Tomasz",
    "Aylin",
];

const LAST_NAMES: [&str; 48] = [
    "Gruber",
    "Huber",
    "Bauer",
    "Wagner",
    "Müller",
    "Pichler",
    "Steiner",
    "Moser",
    "Mayer",
    "Hofer",
    "Leitner",
    "Berger",
    "Fuchs",
    "Eder",
    "Fischer",
    "Schmid",
    "Winkler",
    "Weber",
    "Schwarz",
    "Maier",
    "Schneider",
    "Reiter",
    "Mayr",
    "Schmidt",
    "Wimmer",
    "Egger",
    "Brunner",
    "Lang",
    "Baumgartner",
    "Auer",
    "Binder",
    "Lechner",
    "Wolf",
    "Wallner",
    "Aigner",
    "Ebner",
    "Koller",
    "Lehner",
    "Haas",
    "Schuster",
    "Größing",
    "Weiß",
    "Öllinger",
    "von Ahlen",
    "Yılmaz",
    "Novak",
    "Kowalski",
    "Horvath",
];

const MAIL_DOMAINS: [&str; 4] = ["example.at", "example.de", "post.example", "mail.example.org"];

const STREETS: [&str; 16] = [
    "Hauptstraße",
    "Bahnhofstraße",
    "Kirchengasse",
    "Lindenweg",
    "Mozartgasse",
    "Am Mühlbach",
    "Schulstraße",
    "Dorfplatz",
    "Feldgasse",
    "Birkenweg",
    "Ringstraße",
    "Wiener Straße",
    "Gartenweg",
    "Neubaugasse",
    "Untere Zeile",
    "Schloßallee",
];

const TOWNS: [(&str, &str); 12] = [
    ("1070", "Wien"),
    ("8010", "Graz"),
    ("4020", "Linz"),
    ("5020", "Salzburg"),
    ("6020", "Innsbruck"),
    ("3100", "St. Pölten"),
    ("9020", "Klagenfurt"),
    ("7000", "Eisenstadt"),
    ("6900", "Bregenz"),
    ("80331", "München"),
    ("94032", "Passau"),
    ("83022", "Rosenheim"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_the_same_for_the_same_seed_and_stays_within_its_bounds() {
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            (0..500).map(|_| dice.between(-3, 9)).collect::<Vec<_>>()
        };
        assert_eq!(throw(1), throw(1));
        assert_ne!(throw(1), throw(2));
        let thrown = throw(1);
        assert!((-3..=9).all(|number| thrown.contains(&number)));
        assert!(thrown.iter().all(|number| (-3..=9).contains(number)));
    }
}
