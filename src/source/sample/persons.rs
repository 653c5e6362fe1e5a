//! Persons of the sample: contacts at partners, with their donations and meetings.

use jiff::civil::Date;

use super::Sample;
use super::dice::Person;

const COUNT: usize = 120;

const MEETINGS: i64 = 40;

const ORGANISATIONS: [&str; 8] = [
    "Gemeindeamt Hinterbrühl",
    "Druckerei Sonnleitner",
    "Verein der Schreibfreunde",
    "Regionalmuseum",
    "Stadtbücherei",
    "Papierfabrik Traun",
    "Wochenblatt",
    "Handelsakademie",
];

const TOPICS: [&str; 5] =
    ["Ausstellung Handschrift", "Neue Papiersorten", "Sponsoring Sommerfest", "Pressegespräch", "Jahresplanung"];

const UNREADABLE: [&str; 3] = ["31.02.2020", "Frühjahr 2019", "?"];

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// Not heard of for more than two years, gave nothing.
    Forgotten,
    /// Not heard of for as long; the gift is older than the law asks for.
    ForgottenDonor,
    /// Not heard of for as long, but the gift must be kept.
    Retained,
    /// Due within weeks.
    Nearly,
    /// Nobody wrote down when.
    NoDate,
    /// Somebody wrote down something.
    Unreadable,
    /// In touch.
    Active,
}

impl Sample<'_> {
    pub(super) async fn persons(&mut self) -> sqlx::Result<()> {
        let planned = [
            (Fate::Forgotten, 14),
            (Fate::ForgottenDonor, 8),
            (Fate::Retained, 5),
            (Fate::Nearly, 12),
            (Fate::NoDate, 4),
            (Fate::Unreadable, 3),
        ];
        for (id, fate) in (1..).zip(self.fates(COUNT, &planned, Fate::Active)) {
            let somebody = self.dice.person(id);
            self.person(id, &somebody, fate).await?;
            if self.dice.chance(50) {
                self.person_address(id).await?;
            }
            let gift = match fate {
                Fate::ForgottenDonor => Some((8, 9)),
                Fate::Retained => Some((3, 6)),
                Fate::Active if self.dice.chance(30) => Some((0, 6)),
                _ => None,
            };
            if let Some((least, most)) = gift {
                self.donation(id, &somebody, least, most).await?;
            }
            self.summary.persons += 1;
        }
        self.meetings().await
    }

    async fn person(&mut self, id: i64, somebody: &Person, fate: Fate) -> sqlx::Result<()> {
        let last_contact = match fate {
            Fate::Forgotten | Fate::ForgottenDonor | Fate::Retained => Some(german(self.days_ago(740, 2000))),
            Fate::Nearly => Some(german(self.days_ago(705, 727))),
            Fate::NoDate => None,
            Fate::Unreadable => Some((*self.dice.pick(&UNREADABLE)).to_owned()),
            Fate::Active => Some(german(self.days_ago(1, 600))),
        };
        let birth_date = self.birth_date();
        let branch = if self.dice.chance(85) { Some(self.branch()) } else { None };
        sqlx::query(
            "INSERT INTO persons (id, branch_id, first_name, last_name, organisation, email, birth_date, last_contact)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(branch)
        .bind(somebody.first_name)
        .bind(somebody.last_name)
        .bind(*self.dice.pick(&ORGANISATIONS))
        .bind(&somebody.email)
        .bind(self.dice.chance(60).then(|| german(birth_date)))
        .bind(last_contact)
        .execute(&mut *self.to)
        .await?;
        Ok(())
    }

    async fn person_address(&mut self, person: i64) -> sqlx::Result<()> {
        let address = self.dice.address();
        sqlx::query("INSERT INTO person_addresses (person_id, street, postcode, city) VALUES (?, ?, ?, ?)")
            .bind(person)
            .bind(&address.street)
            .bind(address.postcode)
            .bind(address.city)
            .execute(&mut *self.to)
            .await?;
        Ok(())
    }

    async fn donation(&mut self, person: i64, somebody: &Person, least: i64, most: i64) -> sqlx::Result<()> {
        let (donated_on, amount) = (self.years_ago(least, most), self.dice.between(2, 40) * 500);
        sqlx::query("INSERT INTO donations (person_id, donor_name, donated_on, amount_cents) VALUES (?, ?, ?, ?)")
            .bind(person)
            .bind(somebody.name())
            .bind(donated_on.to_string())
            .bind(amount)
            .execute(&mut *self.to)
            .await?;
        Ok(())
    }

    async fn meetings(&mut self) -> sqlx::Result<()> {
        let persons = i64::try_from(self.summary.persons).unwrap_or(1);
        for meeting in 1..=MEETINGS {
            let (organiser, held_on) = (self.dice.between(1, persons), self.years_ago(1, 6));
            sqlx::query("INSERT INTO meetings (id, organiser_id, held_on, topic) VALUES (?, ?, ?, ?)")
                .bind(meeting)
                .bind(organiser)
                .bind(held_on.to_string())
                .bind(*self.dice.pick(&TOPICS))
                .execute(&mut *self.to)
                .await?;
            for _ in 0..self.dice.between(2, 6) {
                let guest = self.dice.between(1, persons);
                sqlx::query("INSERT OR IGNORE INTO meeting_guests (meeting_id, person_id) VALUES (?, ?)")
                    .bind(meeting)
                    .bind(guest)
                    .execute(&mut *self.to)
                    .await?;
            }
        }
        Ok(())
    }
}

fn german(day: Date) -> String {
    day.strftime("%d.%m.%Y").to_string()
}
