//! Who is the same person: some prospects are persons too, some persons members, some users persons.

use super::Sample;

/// The same people in three categories, those whom nobody has heard of for longest first.
const PEOPLE: i64 = 12;
/// Those of them who may have an account as well.
const ACCOUNTS: i64 = 3;

/// Pairs the longest forgotten of each table with one another. Dates that cannot be read come into no pair.
const ROLES: &str = "
    CREATE TEMP TABLE roles AS
    WITH p AS (SELECT id, row_number() OVER (ORDER BY last_contact_on, id) AS place FROM prospects
               WHERE status <> 'customer' AND date(last_contact_on) IS NOT NULL),
         q AS (SELECT id, row_number() OVER (ORDER BY substr(last_contact, 7), substr(last_contact, 4, 2), id) AS place
               FROM persons WHERE last_contact GLOB '[0-3][0-9].[01][0-9].[12][0-9][0-9][0-9]'),
         m AS (SELECT member_no, row_number() OVER (ORDER BY left_at, member_no) AS place FROM members
               WHERE left_at > '1'),
         u AS (SELECT id, row_number() OVER (ORDER BY last_login, id) AS place FROM users WHERE last_login IS NOT NULL)
    SELECT p.id AS prospect, q.id AS person, m.member_no AS member, iif(place <= ?2, u.id, NULL) AS account, place
    FROM p JOIN q USING (place) JOIN m USING (place) JOIN u USING (place) WHERE place <= ?1";

/// One person has one name, in all tables.
const NAMES: [&str; 8] = [
    "UPDATE prospects SET person_id = r.person FROM roles r WHERE r.prospect = id",
    "INSERT INTO person_members SELECT person, member FROM roles WHERE place % 3 > 0",
    "UPDATE users SET person_id = r.person FROM roles r WHERE r.account = id
     AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.prospect_id = r.prospect)",
    "UPDATE persons SET first_name = p.first_name, last_name = p.last_name FROM roles r, prospects p
     WHERE r.person = persons.id AND p.id = r.prospect",
    "UPDATE members SET first_name = coalesce(p.first_name, ''), last_name = p.last_name
     FROM person_members pm, persons p WHERE pm.member_no = members.member_no AND p.id = pm.person_id",
    "UPDATE users SET display_name = coalesce(p.first_name || ' ', '') || p.last_name FROM persons p
     WHERE p.id = users.person_id",
    "UPDATE donations SET donor_name = coalesce(p.first_name || ' ', '') || p.last_name FROM roles r, persons p
     WHERE r.person = donations.person_id AND p.id = r.person",
    "UPDATE fees SET payer_name = trim(m.first_name || ' ' || m.last_name) FROM person_members pm, members m
     WHERE pm.member_no = fees.member_no AND m.member_no = pm.member_no",
];

impl Sample<'_> {
    /// Chance has no part in it: whoever else is in the sample stays as they are.
    pub(super) async fn roles(&mut self) -> sqlx::Result<()> {
        sqlx::query(ROLES).bind(PEOPLE).bind(ACCOUNTS).execute(&mut *self.to).await?;
        for sql in NAMES {
            sqlx::query(sql).execute(&mut *self.to).await?;
        }
        sqlx::query("DROP TABLE roles").execute(&mut *self.to).await?;
        Ok(())
    }
}
