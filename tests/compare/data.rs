//! The application's data: customers with orders and addresses, made anew and always the same for a day and a number.
//!
//! Of ten customers four are due, spread at random over the table; two of these four have orders and are anonymised, the
//! other two have none and are deleted. Orders lie scattered over the customers, as they do where customers order now and
//! again; addresses mostly lie in the customers' order, as they do where they are entered together.

use std::fmt::Write as _;
use std::path::Path;

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::fault::{Doing as _, Outcome, go_on};
use crate::sql::{Bind, Sql};

/// The retention period of the settings, in years.
pub const PERIOD_YEARS: i64 = 3;
/// Orders for each customer, over all.
const ORDERS_EACH: u64 = 3;
/// Rows of one statement.
const ROWS_EACH: u64 = 10_000;
/// Nobody's last contact is as near as this to the day that decides: runs may go on beyond midnight.
const MARGIN_DAYS: u64 = 30;
const SEED: u64 = 0x5eed_0f0e_4a5e_d001;

const FIRST_NAMES: [&str; 16] = [
    "Anna", "Bruno", "Carla", "David", "Elif", "Franz", "Greta", "Hasan", "Ida", "Jakob", "Klara", "Leon", "Mira",
    "Nikola", "Olga", "Paul",
];
const SYLLABLES: [&str; 16] =
    ["ber", "dan", "fel", "gru", "hal", "kir", "lan", "mar", "nov", "per", "rau", "sel", "tho", "ull", "wei", "zim"];
const STREETS: [&str; 8] = ["Hauptstr.", "Am Anger", "Lindenweg", "Gartengasse", "Ring", "Mühlweg", "Seestr.", "Markt"];
const CITIES: [&str; 8] = ["Wien", "Graz", "Linz", "Salzburg", "Innsbruck", "Villach", "Wels", "Steyr"];

const TABLES: &str = "
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT,
  status TEXT NOT NULL, created_on TEXT NOT NULL, last_contact_on TEXT NOT NULL);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), ordered_on TEXT NOT NULL,
  total_cents INTEGER NOT NULL, ship_name TEXT, shipping TEXT NOT NULL);
CREATE TABLE addresses (
  id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), street TEXT NOT NULL,
  city TEXT NOT NULL, zip TEXT NOT NULL);";
const INDEXES: &str = "
CREATE UNIQUE INDEX customers_email ON customers (email);
CREATE INDEX customers_last_name ON customers (last_name);
CREATE INDEX customers_last_contact_on ON customers (last_contact_on);
CREATE INDEX orders_customer_id ON orders (customer_id);
CREATE INDEX addresses_customer_id ON addresses (customer_id);";
/// What takes the index of a dependent column away.
pub const UNINDEX: &str = "DROP INDEX addresses_customer_id";

/// The next of a series of numbers that look as if drawn at random: splitmix64.
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a customer is to the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Due, and to be anonymised.
    DueWithOrders,
    /// Due, and to be deleted.
    DueWithout,
    /// Stays.
    NotDue,
}

/// What the customer of this id is.
pub fn standing(id: u64) -> Standing {
    match mix(SEED ^ id) % 10 {
        0 | 1 => Standing::DueWithOrders,
        2 | 3 => Standing::DueWithout,
        _ => Standing::NotDue,
    }
}

/// The latest last contact that is due on this day.
pub fn cutoff(today: Date) -> Outcome<Date> {
    today.checked_sub(PERIOD_YEARS.years()).doing("reckon with dates")
}

/// Writes the values of the row of this number.
type Write = fn(&Maker, &mut String, u64);

/// Makes the database, with a write-ahead log.
pub fn make(path: &Path, customers: u64, today: Date) -> Outcome<()> {
    let maker = Maker { customers, days: Days::before(today)? };
    let mut sql = Sql::making(path)?;
    sql.script(TABLES)?;
    let columns = |count: usize| (0..count).map(|at| format!("value->>{at}")).collect::<Vec<_>>().join(", ");
    let tables: [(&str, usize, u64, Write); 3] = [
        ("customers", 8, customers, Maker::customer),
        ("orders", 6, customers * ORDERS_EACH, Maker::order),
        ("addresses", 5, customers, Maker::address),
    ];
    sql.script("BEGIN")?;
    for (table, width, rows, write) in tables {
        let insert = format!("INSERT INTO {table} SELECT {} FROM json_each(?1)", columns(width));
        for first in (0..rows).step_by(usize::try_from(ROWS_EACH).doing("count")?) {
            go_on()?;
            let mut json = String::from("[");
            for row in first..rows.min(first + ROWS_EACH) {
                json.push_str(if row == first { "[" } else { ",[" });
                write(&maker, &mut json, row);
                json.push(']');
            }
            json.push(']');
            sql.run(&insert, &[Bind::Text(&json)])?;
        }
    }
    for index in INDEXES.split_terminator(';') {
        go_on()?;
        sql.script(index)?;
    }
    sql.script("COMMIT; PRAGMA journal_mode = WAL;")?;
    sql.close()?;
    std::fs::File::open(path).and_then(|file| file.sync_all()).doing("sync the data")
}

/// Days before today, as texts.
struct Days(Vec<String>);

impl Days {
    const COUNT: u32 = 4_000;

    fn before(today: Date) -> Outcome<Self> {
        let day = |back: u32| today.checked_sub(i64::from(back).days()).map(|day| day.to_string());
        Ok(Self((0..Self::COUNT).map(day).collect::<Result<_, _>>().doing("reckon with dates")?))
    }

    /// A day between so many days ago and so many more.
    fn ago(&self, least: u64, spread: u64, dice: u64) -> &str {
        let back = least + dice % spread;
        usize::try_from(back).ok().and_then(|back| self.0.get(back)).map_or("2010-01-01", String::as_str)
    }
}

/// Makes rows.
struct Maker {
    customers: u64,
    days: Days,
}

impl Maker {
    fn customer(&self, json: &mut String, row: u64) {
        let id = row + 1;
        let dice = mix(SEED ^ (id << 20));
        let first_name = pick(&FIRST_NAMES, dice);
        let last_name = surname(dice >> 8);
        let due_since = u64::from(PERIOD_YEARS.unsigned_abs() as u32) * 366 + MARGIN_DAYS;
        let last_contact_on = match standing(id) {
            Standing::NotDue => self.days.ago(0, due_since - 3 * MARGIN_DAYS, dice >> 24),
            Standing::DueWithOrders | Standing::DueWithout => self.days.ago(due_since, 2_000, dice >> 24),
        };
        let created_on = self.days.ago(3_300, 700, dice >> 32);
        let phone = 100_000 + (dice >> 16) % 9_000_000;
        let status = if dice & 1 == 0 { "customer" } else { "prospect" };
        // Writing to a string does not fail.
        let _ = write!(
            json,
            r#"{id},"{first_name}","{last_name}","{}.{}.{id}@example.org","+43 660 {phone}","{status}","{created_on}","{last_contact_on}""#,
            first_name.to_lowercase(),
            last_name.to_lowercase(),
        );
    }

    fn order(&self, json: &mut String, row: u64) {
        let dice = mix(SEED ^ (row << 21) ^ 1);
        // Each customer comes three times; the turns of those who have none are somebody else's.
        let mut customer = self.scattered(row);
        let mut again = dice;
        while standing(customer) == Standing::DueWithout {
            again = mix(again);
            customer = again % self.customers + 1;
        }
        let total = 500 + (dice >> 12) % 40_000;
        let ordered_on = self.days.ago(0, 3_500, dice >> 24);
        let name = surname(mix(SEED ^ (customer << 20)) >> 8);
        let _ = write!(
            json,
            r#"{},{customer},"{ordered_on}",{total},"{name}, {}","parcel {}""#,
            row + 1,
            pick(&FIRST_NAMES, mix(SEED ^ (customer << 20))),
            (dice >> 40) % 100_000,
        );
    }

    fn address(&self, json: &mut String, row: u64) {
        let dice = mix(SEED ^ (row << 22) ^ 2);
        // Most have one, some two, some none.
        let customer = if dice.is_multiple_of(10) { mix(dice) % self.customers + 1 } else { row + 1 };
        let (street, city) = (pick(&STREETS, dice >> 8), pick(&CITIES, dice >> 16));
        let (house, zip) = ((dice >> 24) % 120 + 1, 1_000 + (dice >> 32) % 8_999);
        let _ = write!(json, r#"{},{customer},"{street} {house}","{city}","{zip}""#, row + 1);
    }

    /// Goes through all customers, each once a round, in an order that looks like none.
    fn scattered(&self, row: u64) -> u64 {
        let mut stride = (self.customers * 618 / 1_000) | 1;
        while gcd(stride, self.customers) != 1 {
            stride += 1;
        }
        (row % self.customers) * stride % self.customers + 1
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn pick<'a>(list: &[&'a str], dice: u64) -> &'a str {
    list[usize::try_from(dice).unwrap_or_default() % list.len()]
}

/// One of four thousand.
fn surname(dice: u64) -> String {
    let mut name = [pick(&SYLLABLES, dice), pick(&SYLLABLES, dice >> 4), pick(&SYLLABLES, dice >> 8)].concat();
    if let Some(initial) = name.get_mut(..1) {
        initial.make_ascii_uppercase();
    }
    name
}
