//! The walk: what happens, in plain words, with what the commands really answer.

use std::ffi::OsString;

use jiff::ToSpan as _;
use serde_json::Value;

use super::place::Place;
use super::{Client, DemoError};
use crate::clock::{Clock as _, SystemClock};
use crate::daemon::output;
use crate::source::sample::peek;

/// Lines of a long answer that are shown.
const LINES_SHOWN: usize = 24;

pub(super) struct Walk<'p> {
    pub(super) place: &'p Place,
    pub(super) client: Client,
}

/// The records that the walk is about.
struct Chosen {
    delete: String,
    anonymise: String,
    restored: String,
    postponed: String,
}

impl Walk<'_> {
    pub(super) async fn walk(&mut self) -> Result<(), DemoError> {
        self.introduce();
        self.tell("1. The rules", "What is erased, and when, is written in four files, one per category. In words:");
        self.show(&["policy"]).await?;
        self.tell(
            "2. Prepare",
            "Every night the prepare job looks for records that are due, and proposes them. Now, by hand:",
        );
        self.show(&["run", "prepare", "--wait"]).await?;
        self.show(&["list", "--category", "prospect", "--limit", "8"]).await?;
        let chosen = self.choose().await?;
        self.decide(&chosen).await?;
        self.erase(&chosen).await?;
        self.audit().await?;
        self.conclude();
        Ok(())
    }

    fn introduce(&self) {
        let summary = &self.place.summary;
        output::data(&format!(
            "A small CRM lies in {}: {} prospects, {} persons, {} members and {} users, with {} orders and {} invoices.\n\
             Nobody in it exists. A daemon watches over it, with its socket open. Nothing here leaves this machine.",
            self.place.database().display(),
            summary.prospects,
            summary.persons,
            summary.members,
            summary.users,
            summary.orders,
            summary.invoices,
        ));
    }

    async fn decide(&mut self, chosen: &Chosen) -> Result<(), DemoError> {
        self.tell(
            "3. A clerk decides",
            "Labels are read from the CRM at the moment of looking, and stored nowhere. One record in full, and why it would be \
             anonymised instead of deleted:",
        );
        self.show(&["show", &chosen.anonymise]).await?;
        output::data("The clerk confirms three, and takes one of these back:");
        self.show(&["confirm", &chosen.delete, &chosen.anonymise, &chosen.restored]).await?;
        self.show(&["restore", &chosen.restored]).await?;
        output::data("One more is not to be erased yet. That needs a reason and a date:");
        let until = SystemClock.today(&jiff::tz::TimeZone::UTC).checked_add(90.days());
        let until = until.map_err(|error| DemoError::Unexpected(error.to_string()))?.to_string();
        self.show(&["postpone", &chosen.postponed, "--until", &until, "--reason", "complaint under way"]).await?;
        self.show(&["list", "--state", "confirmed"]).await
    }

    async fn erase(&mut self, chosen: &Chosen) -> Result<(), DemoError> {
        self.tell("4. The final job", "Before it, the CRM holds:");
        self.rows(chosen).await?;
        output::data("What the run would do, by the run's own code, without doing it:");
        self.show(&["run", "erase", "--dry-run", "--wait"]).await?;
        output::data("And the run:");
        self.show(&["run", "erase", "--wait"]).await?;
        output::data("After it, the CRM holds:");
        self.rows(chosen).await?;
        output::data(
            "The one without orders is gone. The other's orders had to stay, so its row stayed too, without the person; so did \
             the addresses that its orders were shipped to. The restored and the postponed ones are untouched.\n\n\
             The file was written anew, in hours that the demo's settings give for that, and then searched for what was erased: \
             erasurectl runs show 3 says where, and what nobody can see.",
        );
        Ok(())
    }

    async fn audit(&mut self) -> Result<(), DemoError> {
        self.tell(
            "5. The auditor",
            "Every decision and every erasure is in a chain of entries, signed at the end of each run. Records are keys in it, \
             never names:",
        );
        self.show(&["audit", "list", "--limit", "12"]).await?;
        self.show(&["audit", "verify"]).await
    }

    fn conclude(&self) {
        let socket = self.place.socket();
        let ctl = format!("erasurectl --socket {}", socket.display());
        self.tell(
            "Commands to try next",
            "While the daemon runs (erasured demo, without --once), from another terminal:",
        );
        for command in ["status", "list --state proposed", "show prospect/KEY", "runs", "audit export"] {
            output::data(&format!("    {ctl} {command}"));
        }
        output::data(&format!(
            "    erasured plan --config {} --state-dir {}",
            self.place.config().display(),
            self.place.state_dir().display()
        ));
        output::data(&format!("    erasured check --config {}\n", self.place.config().display()));
    }

    fn tell(&self, title: &str, words: &str) {
        output::data(&format!("\n== {title}\n\n{words}"));
    }

    /// Records for the walk: one to delete, one to anonymise whose orders have addresses, two more.
    async fn choose(&mut self) -> Result<Chosen, DemoError> {
        let answer = self.ask(&["list", "--category", "prospect", "--json"]).await?;
        let listed: Value = serde_json::from_str(&answer).map_err(|error| DemoError::Unexpected(error.to_string()))?;
        let with = |outcome: &str| -> Vec<String> {
            let items = listed["items"].as_array().into_iter().flatten();
            let matching = items.filter(|item| item["outcome"] == outcome);
            matching.filter_map(|item| item["record"].as_str().map(str::to_owned)).collect()
        };
        let mut anonymise = None;
        for record in with("anonymise") {
            if peek::ships_alone(&self.place.database(), number(&record)?).await.map_err(DemoError::Sample)? {
                anonymise = Some(record);
                break;
            }
        }
        let mut delete = with("delete").into_iter();
        match (delete.next(), anonymise, delete.next(), delete.next()) {
            (Some(delete), Some(anonymise), Some(restored), Some(postponed)) => {
                Ok(Chosen { delete, anonymise, restored, postponed })
            }
            _ => Err(DemoError::Unexpected("the sample has too few prospects that are due".to_owned())),
        }
    }

    async fn rows(&self, chosen: &Chosen) -> Result<(), DemoError> {
        for record in [&chosen.delete, &chosen.anonymise] {
            output::data(&format!("    {record}"));
            let rows = peek::prospect(&self.place.database(), number(record)?).await.map_err(DemoError::Sample)?;
            rows.iter().for_each(|row| output::data(&format!("      {row}")));
        }
        output::data("");
        Ok(())
    }

    /// Runs a client command and shows it with its answer.
    async fn show(&mut self, words: &[&str]) -> Result<(), DemoError> {
        let shown: Vec<String> = words
            .iter()
            .map(|word| if word.contains(' ') { format!("{word:?}") } else { (*word).to_owned() })
            .collect();
        output::data(&format!("\n$ erasurectl {}", shown.join(" ")));
        let answer = self.ask(words).await?;
        let lines: Vec<&str> = answer.lines().collect();
        lines.iter().take(LINES_SHOWN).for_each(|line| output::data(line));
        if lines.len() > LINES_SHOWN {
            output::data(&format!("… ({} lines more)", lines.len() - LINES_SHOWN));
        }
        output::data("");
        Ok(())
    }

    async fn ask(&mut self, words: &[&str]) -> Result<String, DemoError> {
        let socket = self.place.socket();
        let mut arguments: Vec<OsString> = vec!["erasurectl".into(), "--socket".into(), socket.into()];
        arguments.extend(words.iter().map(OsString::from));
        let answer = (self.client)(arguments).await;
        if answer.code == 0 {
            Ok(answer.stdout)
        } else {
            Err(DemoError::Command {
                command: format!("erasurectl {}", words.join(" ")),
                code: answer.code,
                stderr: answer.stderr.trim().to_owned(),
            })
        }
    }
}

/// The number of a prospect.
fn number(record: &str) -> Result<i64, DemoError> {
    let key = record.rsplit('/').next().and_then(|key| key.parse().ok());
    key.ok_or_else(|| DemoError::Unexpected(format!("{record} has no number")))
}
