//! Prospects of the sample, with what they ordered.

use super::Sample;
use super::dice::Person;

const COUNT: usize = 200;

const ARTICLES: [(&str, i64); 8] = [
    ("Füllfeder, schwarz", 8900),
    ("Notizbuch A5", 1990),
    ("Visitenkarten, 100 Stück", 2900),
    ("Tischkalender", 1490),
    ("Brieföffner, Messing", 3400),
    ("Ledermappe", 12_900),
    ("Tinte, 50 ml", 1290),
    ("Geschenkpapier", 690),
];

const NOTES: [&str; 6] = [
    "Möchte erst im Herbst wieder angerufen werden.",
    "War am Messestand, sehr freundlich.",
    "Bittet um Katalog per Post.",
    "Hat die Telefonnummer gewechselt.",
    "Kennt uns über die Nachbarin.",
    "Beschwerde wegen Lieferverzug, erledigt.",
];

const UNREADABLE: [&str; 4] = ["", "0000-00-00", "unbekannt", "2023-02-30"];

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// Not heard of for years, bought nothing.
    Forgotten,
    /// Not heard of for years; what was bought is older than the law asks for.
    ForgottenBuyer,
    /// Not heard of for years, but there is an invoice that must be kept.
    Retained,
    /// A customer whose last order is long ago.
    FormerCustomer,
    /// Wants to be gone.
    Objected,
    /// Due at the turn of the year.
    Nearly,
    /// Nobody wrote down when.
    NoDate,
    /// Somebody wrote down something.
    Unreadable,
    /// A customer who orders.
    Customer,
    /// In touch.
    Active,
}

impl Fate {
    fn status(self) -> &'static str {
        match self {
            Self::Forgotten | Self::ForgottenBuyer | Self::Retained => "lost",
            Self::FormerCustomer | Self::Customer => "customer",
            Self::Objected => "objected",
            Self::Nearly | Self::NoDate | Self::Unreadable => "contacted",
            Self::Active => "new",
        }
    }
}

impl Sample<'_> {
    pub(super) async fn prospects(&mut self) -> sqlx::Result<()> {
        let planned = [
            (Fate::Forgotten, 23),
            (Fate::ForgottenBuyer, 9),
            (Fate::Retained, 6),
            (Fate::FormerCustomer, 7),
            (Fate::Objected, 3),
            (Fate::Nearly, 18),
            (Fate::NoDate, 6),
            (Fate::Unreadable, 4),
            (Fate::Customer, 50),
        ];
        for (id, fate) in (1001..).zip(self.fates(COUNT, &planned, Fate::Active)) {
            let somebody = self.dice.person(id);
            self.prospect(id, &somebody, fate).await?;
            self.addresses(id).await?;
            self.contact_notes(id).await?;
            let (orders, (least, most)) = match fate {
                Fate::ForgottenBuyer => (self.dice.between(1, 2), (8, 9)),
                Fate::FormerCustomer => (self.dice.between(1, 3), (9, 10)),
                Fate::Retained => (1, (4, 6)),
                Fate::Customer => (self.dice.between(1, 3), (0, 3)),
                _ => (0, (0, 0)),
            };
            for _ in 0..orders {
                let ordered_on = self.years_ago(least, most);
                self.order(id, &somebody, ordered_on).await?;
            }
            self.summary.prospects += 1;
        }
        Ok(())
    }

    async fn prospect(&mut self, id: i64, somebody: &Person, fate: Fate) -> sqlx::Result<()> {
        let last_contact_on = match fate {
            Fate::Forgotten | Fate::ForgottenBuyer | Fate::Retained => Some(self.years_ago(4, 6).to_string()),
            Fate::FormerCustomer => Some(self.years_ago(7, 8).to_string()),
            Fate::Nearly => Some(self.years_ago(3, 3).to_string()),
            Fate::NoDate => None,
            Fate::Unreadable => Some((*self.dice.pick(&UNREADABLE)).to_owned()),
            Fate::Objected | Fate::Customer | Fate::Active => Some(self.days_ago(1, 500).to_string()),
        };
        let (branch, created_on, birth_date) = (self.branch(), self.years_ago(11, 12), self.birth_date());
        let birth_date = self.dice.chance(70).then(|| birth_date.to_string());
        let phone = format!("+43 {} {}", self.dice.between(660, 699), self.dice.between(1_000_000, 9_999_999));
        let remark = if self.dice.chance(15) { Some(*self.dice.pick(&NOTES)) } else { None };
        sqlx::query(
            "INSERT INTO prospects (id, branch_id, first_name, last_name, email, phone, birth_date, status, created_on,
                                    last_contact_on, remark)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(branch)
        .bind(somebody.first_name)
        .bind(somebody.last_name)
        .bind(&somebody.email)
        .bind(phone)
        .bind(birth_date)
        .bind(fate.status())
        .bind(created_on.to_string())
        .bind(last_contact_on)
        .bind(remark)
        .execute(&mut *self.to)
        .await?;
        Ok(())
    }

    async fn addresses(&mut self, prospect: i64) -> sqlx::Result<()> {
        for _ in 0..self.dice.between(0, 2) {
            let address = self.dice.address();
            sqlx::query("INSERT INTO addresses (prospect_id, street, postcode, city) VALUES (?, ?, ?, ?)")
                .bind(prospect)
                .bind(&address.street)
                .bind(address.postcode)
                .bind(address.city)
                .execute(&mut *self.to)
                .await?;
        }
        Ok(())
    }

    async fn contact_notes(&mut self, prospect: i64) -> sqlx::Result<()> {
        for _ in 0..self.dice.between(0, 2) {
            let (written_on, note) = (self.years_ago(4, 10), *self.dice.pick(&NOTES));
            sqlx::query("INSERT INTO contact_notes (prospect_id, written_on, note) VALUES (?, ?, ?)")
                .bind(prospect)
                .bind(written_on.to_string())
                .bind(note)
                .execute(&mut *self.to)
                .await?;
        }
        Ok(())
    }

    async fn order(&mut self, prospect: i64, somebody: &Person, ordered_on: jiff::civil::Date) -> sqlx::Result<()> {
        let number = self.summary.orders + 1;
        let order = i64::try_from(number).unwrap_or(i64::MAX);
        let shipping_address = self.shipping_address(order, somebody).await?;
        let handled_by = self.dice.between(1, 60);
        let lines = self.dice.between(1, 3);
        let bought: Vec<(&str, i64, i64)> = (0..lines)
            .map(|_| {
                let (article, price) = *self.dice.pick(&ARTICLES);
                (article, self.dice.between(1, 5), price)
            })
            .collect();
        let total: i64 = bought.iter().map(|(_, quantity, price)| quantity * price).sum();
        sqlx::query(
            "INSERT INTO orders (id, number, prospect_id, shipping_address_id, handled_by, ship_name, ordered_on,
                                 total_cents)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(order)
        .bind(format!("A{}-{number:04}", ordered_on.year()))
        .bind(prospect)
        .bind(shipping_address)
        .bind(handled_by)
        .bind(somebody.name())
        .bind(ordered_on.to_string())
        .bind(total)
        .execute(&mut *self.to)
        .await?;
        self.summary.orders += 1;
        self.order_lines(order, somebody, &bought).await?;
        self.invoice(prospect, order, somebody, ordered_on, total).await
    }

    /// Mostly an address of the order's own; at times the one of the order before, whoever placed that.
    async fn shipping_address(&mut self, order: i64, somebody: &Person) -> sqlx::Result<i64> {
        if order > 1 && self.dice.chance(10) {
            let last: i64 =
                sqlx::query_scalar("SELECT max(id) FROM shipping_addresses").fetch_one(&mut *self.to).await?;
            return Ok(last);
        }
        let address = self.dice.address();
        sqlx::query_scalar(
            "INSERT INTO shipping_addresses (name, street, postcode, city, country) VALUES (?, ?, ?, ?, ?)
             RETURNING id",
        )
        .bind(somebody.name())
        .bind(&address.street)
        .bind(address.postcode)
        .bind(address.city)
        .bind(if address.postcode.len() == 4 { "AT" } else { "DE" })
        .fetch_one(&mut *self.to)
        .await
    }

    async fn order_lines(&mut self, order: i64, somebody: &Person, bought: &[(&str, i64, i64)]) -> sqlx::Result<()> {
        for (line, (article, quantity, price)) in (1_i64..).zip(bought) {
            let engraving = (*article == ARTICLES[0].0).then(|| format!("Für {}", somebody.first_name));
            sqlx::query(
                "INSERT INTO order_lines (order_id, line, article, quantity, price_cents, engraving)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(order)
            .bind(line)
            .bind(*article)
            .bind(*quantity)
            .bind(*price)
            .bind(engraving)
            .execute(&mut *self.to)
            .await?;
        }
        Ok(())
    }

    async fn invoice(
        &mut self,
        prospect: i64,
        order: i64,
        somebody: &Person,
        invoice_date: jiff::civil::Date,
        total: i64,
    ) -> sqlx::Result<()> {
        let address = self.dice.address();
        sqlx::query(
            "INSERT INTO invoices (number, prospect_id, order_id, billing_name, billing_address, invoice_date, total_cents)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(format!("R{}-{order:04}", invoice_date.year()))
        .bind(prospect)
        .bind(order)
        .bind(somebody.name())
        .bind(format!("{}, {} {}", address.street, address.postcode, address.city))
        .bind(invoice_date.to_string())
        .bind(total)
        .execute(&mut *self.to)
        .await?;
        self.summary.invoices += 1;
        Ok(())
    }
}
