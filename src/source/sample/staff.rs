//! Users of the sample application.

use jiff::tz::TimeZone;

use super::Sample;

const COUNT: usize = 60;

const TASKS: [&str; 6] =
    ["Angebot nachfassen", "Messestand buchen", "Preisliste prüfen", "Rückruf", "Lager zählen", "Broschüre bestellen"];

const CHANGES: [&str; 4] = ["Preisliste geändert", "Rabattstufe freigegeben", "Vorlage ersetzt", "Artikel gesperrt"];

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// Gone for years; nothing refers to the account that stays.
    Gone,
    /// Gone for years, but named in the change log.
    GoneAndLogged,
    /// Was never there, long ago.
    NeverCame,
    /// Will come, or not.
    NotYet,
    /// Due within weeks.
    Nearly,
    /// At work.
    Active,
}

impl Sample<'_> {
    pub(super) async fn users(&mut self) -> sqlx::Result<()> {
        let planned =
            [(Fate::Gone, 6), (Fate::GoneAndLogged, 5), (Fate::NeverCame, 2), (Fate::NotYet, 3), (Fate::Nearly, 6)];
        for (id, fate) in (1..).zip(self.fates(COUNT, &planned, Fate::Active)) {
            self.user(id, fate).await?;
            self.sessions(id, fate).await?;
            self.tasks(id).await?;
            if fate == Fate::GoneAndLogged || (fate == Fate::Active && self.dice.chance(60)) {
                self.changes(id).await?;
            }
            self.summary.users += 1;
        }
        Ok(())
    }

    async fn user(&mut self, id: i64, fate: Fate) -> sqlx::Result<()> {
        let somebody = self.dice.person(id);
        let last_login = match fate {
            Fate::Gone | Fate::GoneAndLogged => Some(self.days_ago(400, 1500)),
            Fate::Nearly => Some(self.days_ago(340, 362)),
            Fate::Active => Some(self.days_ago(0, 200)),
            Fate::NeverCame | Fate::NotYet => None,
        };
        let created_on = if fate == Fate::NotYet { self.days_ago(5, 300) } else { self.days_ago(1600, 3000) };
        // Eight in the morning, in Unix seconds.
        let last_login = last_login
            .and_then(|day| day.at(8, 0, 0, 0).to_zoned(TimeZone::UTC).ok())
            .map(|at| at.timestamp().as_second());
        let branch = if self.dice.chance(90) { Some(self.branch()) } else { None };
        let hash = self.dice.between(1_000_000_000_000, 9_000_000_000_000);
        sqlx::query(
            "INSERT INTO users (id, branch_id, login, display_name, email, password_hash, created_on, last_login)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(branch)
        .bind(format!("{}{id}", somebody.last_name.to_lowercase()))
        .bind(somebody.name())
        .bind(&somebody.email)
        .bind(format!("scrypt:{hash:x}"))
        .bind(created_on.to_string())
        .bind(last_login)
        .execute(&mut *self.to)
        .await?;
        Ok(())
    }

    async fn sessions(&mut self, user: i64, fate: Fate) -> sqlx::Result<()> {
        let count = if matches!(fate, Fate::NeverCame | Fate::NotYet) { 0 } else { self.dice.between(0, 3) };
        for number in 0..count {
            let token = self.dice.between(0, i64::MAX);
            sqlx::query("INSERT INTO sessions (token, user_id, user_agent) VALUES (?, ?, ?)")
                .bind(format!("{token:016x}{number}"))
                .bind(user)
                .bind("Mozilla/5.0 (X11; Linux x86_64)")
                .execute(&mut *self.to)
                .await?;
        }
        Ok(())
    }

    async fn tasks(&mut self, user: i64) -> sqlx::Result<()> {
        for _ in 0..self.dice.between(0, 3) {
            let (title, due_on) = (*self.dice.pick(&TASKS), self.days_ago(0, 900));
            sqlx::query("INSERT INTO tasks (assigned_to, title, due_on) VALUES (?, ?, ?)")
                .bind(user)
                .bind(title)
                .bind(due_on.to_string())
                .execute(&mut *self.to)
                .await?;
        }
        Ok(())
    }

    async fn changes(&mut self, user: i64) -> sqlx::Result<()> {
        for _ in 0..self.dice.between(1, 4) {
            let (what, changed_on) = (*self.dice.pick(&CHANGES), self.days_ago(400, 1500));
            sqlx::query("INSERT INTO change_log (user_id, what, changed_on) VALUES (?, ?, ?)")
                .bind(user)
                .bind(what)
                .bind(changed_on.to_string())
                .execute(&mut *self.to)
                .await?;
        }
        Ok(())
    }
}
