//! Members of the customers' club, with their fees and courses.

use super::Sample;
use super::dice::Person;

const COUNT: usize = 80;

const COURSES: [&str; 5] = ["Kalligraphie I", "Kalligraphie II", "Buchbinden", "Papierschöpfen", "Kurrentschrift"];

const REQUESTS: [&str; 4] =
    ["Rollstuhlgerechter Zugang", "Linkshänderin", "Kommt später, Bahn", "Vegetarisch, Nussallergie"];

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// Left long ago, never paid a fee.
    Left,
    /// Left long ago; the fees are older than the law asks for.
    LeftPayer,
    /// Left long ago, but the fees must be kept.
    Retained,
    /// Due within weeks.
    Nearly,
    /// Somebody wrote down something.
    Unreadable,
    /// Has not left.
    Active,
}

impl Sample<'_> {
    pub(super) async fn members(&mut self) -> sqlx::Result<()> {
        let planned =
            [(Fate::Left, 9), (Fate::LeftPayer, 6), (Fate::Retained, 6), (Fate::Nearly, 5), (Fate::Unreadable, 2)];
        for (number, fate) in (1..).zip(self.fates(COUNT, &planned, Fate::Active)) {
            let member_no = member_no(number);
            let somebody = self.dice.person(number);
            self.member(number, &somebody, fate).await?;
            let fees = match fate {
                Fate::LeftPayer => Some((8, 10)),
                Fate::Retained => Some((3, 6)),
                Fate::Active => Some((0, 6)),
                Fate::Left | Fate::Nearly | Fate::Unreadable => None,
            };
            if let Some((least, most)) = fees {
                self.fees(&member_no, &somebody, least, most).await?;
            }
            if self.dice.chance(45) {
                self.bookings(&member_no).await?;
            }
            self.summary.members += 1;
        }
        Ok(())
    }

    async fn member(&mut self, number: i64, somebody: &Person, fate: Fate) -> sqlx::Result<()> {
        let left_on = match fate {
            Fate::Left => Some(self.days_ago(560, 2000).to_string()),
            Fate::LeftPayer => Some(self.years_ago(7, 7).to_string()),
            Fate::Retained => Some(self.days_ago(560, 1000).to_string()),
            Fate::Nearly => Some(self.days_ago(525, 545).to_string()),
            Fate::Unreadable => Some("0000-00-00".to_owned()),
            Fate::Active => None,
        };
        let left_at = left_on.map(|day| format!("{day} {:02}:30:00", self.dice.between(8, 18)));
        let recruited_by =
            if number > 1 && self.dice.chance(35) { Some(member_no(self.dice.between(1, number - 1))) } else { None };
        let (branch, birth_date, joined_on) = (self.branch(), self.birth_date(), self.years_ago(11, 15));
        let iban = self.dice.iban();
        sqlx::query(
            "INSERT INTO members (member_no, branch_id, first_name, last_name, email, birth_date, iban, joined_on,
                                  left_at, recruited_by)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(member_no(number))
        .bind(branch)
        .bind(somebody.first_name)
        .bind(somebody.last_name)
        .bind(&somebody.email)
        .bind(birth_date.to_string())
        .bind(iban)
        .bind(joined_on.to_string())
        .bind(left_at)
        .bind(recruited_by)
        .execute(&mut *self.to)
        .await?;
        Ok(())
    }

    async fn fees(&mut self, member_no: &str, somebody: &Person, least: i64, most: i64) -> sqlx::Result<()> {
        let iban = self.dice.iban();
        for years in least..=most {
            let paid_on = self.years_ago(years, years);
            sqlx::query(
                "INSERT INTO fees (member_no, payer_name, payer_iban, paid_on, amount_cents) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(member_no)
            .bind(somebody.name())
            .bind(&iban)
            .bind(paid_on.to_string())
            .bind(4800)
            .execute(&mut *self.to)
            .await?;
        }
        Ok(())
    }

    async fn bookings(&mut self, member_no: &str) -> sqlx::Result<()> {
        for _ in 0..self.dice.between(1, 3) {
            let (course, booked_on) = (*self.dice.pick(&COURSES), self.years_ago(2, 9));
            let booking: i64 =
                sqlx::query_scalar("INSERT INTO bookings (member_no, course, booked_on) VALUES (?, ?, ?) RETURNING id")
                    .bind(member_no)
                    .bind(course)
                    .bind(booked_on.to_string())
                    .fetch_one(&mut *self.to)
                    .await?;
            for position in 0..self.dice.between(0, 2) {
                sqlx::query("INSERT INTO booking_notes (booking_id, position, note) VALUES (?, ?, ?)")
                    .bind(booking)
                    .bind(position)
                    .bind(*self.dice.pick(&REQUESTS))
                    .execute(&mut *self.to)
                    .await?;
            }
        }
        Ok(())
    }
}

fn member_no(number: i64) -> String {
    format!("M-{number:04}")
}
