//! SQL expressions from the settings: checked, and made ready to stand in a statement.

use jiff::civil::Date;

use super::text::{Located, Token, literal, tokens};

/// Functions of date and time that mean "now" when they are given nothing to work on.
const DATE_FUNCTIONS: [(&str, usize); 6] =
    [("date", 0), ("time", 0), ("datetime", 0), ("julianday", 0), ("unixepoch", 0), ("strftime", 1)];

/// Why an expression is refused before the database sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// It asks for the time of day.
    #[error("it asks for the time of day, so a dry run and a run could differ")]
    TellsTime,
    /// It has a parameter that there is none of.
    #[error("there is no parameter {0}")]
    UnknownParameter(String),
    /// It has `:cutoff` without a period.
    #[error("there is no :cutoff without a period")]
    NoCutoff,
}

/// The days that an expression may ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Days {
    pub(super) today: Date,
    pub(super) cutoff: Option<Date>,
}

/// `sql` with its parameters replaced by their dates, between parentheses and on lines of its own, so that a comment at
/// its end does not swallow what follows.
pub(super) fn prepare(sql: &str, days: Days) -> Result<String, Refusal> {
    Ok(format!("(\n{}\n)", fill_in(sql, days)?))
}

/// `sql` with its parameters replaced by their dates.
pub(super) fn fill_in(sql: &str, days: Days) -> Result<String, Refusal> {
    let found = tokens(sql);
    refuse_now(&found)?;
    let mut text = String::with_capacity(sql.len());
    let mut copied = 0;
    for located in &found {
        let Token::Parameter(name) = &located.token else {
            continue;
        };
        let date = match name.as_str() {
            ":today" => days.today,
            ":cutoff" => days.cutoff.ok_or(Refusal::NoCutoff)?,
            _ => return Err(Refusal::UnknownParameter(name.clone())),
        };
        text.push_str(&sql[copied..located.start]);
        text.push_str(&literal(&date.to_string()));
        copied = located.end;
    }
    text.push_str(&sql[copied..]);
    Ok(text)
}

fn refuse_now(found: &[Located]) -> Result<(), Refusal> {
    for (index, located) in found.iter().enumerate() {
        // In double quotes too: SQLite takes a name that is no column's as text.
        let is_now = match &located.token {
            Token::Text(text) | Token::Name(text) => text.trim().eq_ignore_ascii_case("now"),
            _ => false,
        };
        if is_now || calls_for_now(&found[index..]) {
            return Err(Refusal::TellsTime);
        }
    }
    Ok(())
}

/// Whether a call of a date function begins here that has too few arguments to mean anything but now.
fn calls_for_now(found: &[Located]) -> bool {
    let [name, open, rest @ ..] = found else {
        return false;
    };
    let (Some(function), Token::Sign('(')) = (name.token.as_name(), &open.token) else {
        return false;
    };
    let Some((_, arguments_min)) = DATE_FUNCTIONS.iter().find(|(own, _)| function.eq_ignore_ascii_case(own)) else {
        return false;
    };
    arguments(rest) <= *arguments_min
}

fn arguments(after_open: &[Located]) -> usize {
    let mut depth = 0_usize;
    let mut count = 0;
    for located in after_open {
        match &located.token {
            Token::Sign(')') if depth == 0 => break,
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            Token::Sign(',') if depth == 0 => count += 1,
            _ => {}
        }
        count = count.max(1);
    }
    count
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn fill(sql: &str) -> Result<String, Refusal> {
        fill_in(sql, Days { today: date(2026, 11, 21), cutoff: None })
    }

    #[test]
    fn parameters_become_dates_and_text_stays_text() {
        assert_eq!(fill("x < :today AND y = ':today'").unwrap(), "x < '2026-11-21' AND y = ':today'");
        assert_eq!(fill("x < :cutoff"), Err(Refusal::NoCutoff));
        for sql in ["x = ?", "x = ?1", "x = :yesterday", "x = @today", "x = $today"] {
            assert!(matches!(fill(sql), Err(Refusal::UnknownParameter(_))), "{sql}");
        }
    }

    #[test]
    fn the_time_of_day_is_refused_in_every_form() {
        for sql in [
            "d < 'now'",
            "d < ' NOW '",
            "d < \"now\"",
            "d < date()",
            "d < datetime ( )",
            "d < date('now', '-3 years')",
            "d < strftime('%Y-%m-%d')",
            "d < unixepoch( /* now */ )",
        ] {
            assert_eq!(fill(sql), Err(Refusal::TellsTime), "{sql}");
        }
        for sql in ["date(d) < :today", "strftime('%Y', d) < '2020'", "note = 'know'", "date(max(a, b), '+1 day') > x"]
        {
            assert!(fill(sql).is_ok(), "{sql}");
        }
    }
}
