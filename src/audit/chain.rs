//! One entry, and the hash that ties it to the one before.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Kind, canonical};
use crate::actor::Actor;
use crate::record::{hex, unhex};

/// Tells these digests from all others.
const ENTRY_DOMAIN: &[u8; 24] = b"erasured audit entry v1\0";
/// Tells these digests from all others.
const TEXT_DOMAIN: &[u8] = b"erasured audit text v1\0";

/// SHA-256 of an entry.
pub type Hash = [u8; 32];

/// Who did something, and in the course of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// The run in which it was done.
    pub run: Option<i64>,
    /// The request by which it was asked for.
    pub request: Option<String>,
}

impl By {
    /// The daemon of its own accord.
    #[must_use]
    pub const fn daemon() -> Self {
        Self { actor: Actor::Daemon, run: None, request: None }
    }

    /// The daemon in the course of a run.
    #[must_use]
    pub const fn run(run: i64) -> Self {
        Self { actor: Actor::Daemon, run: Some(run), request: None }
    }

    /// Somebody, by a request.
    #[must_use]
    pub fn request(actor: Actor, request: &str) -> Self {
        Self { actor, run: None, request: Some(request.to_owned()) }
    }
}

/// The end of a chain, to which the next entry is tied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are: the number of the last one.
    pub entries: u64,
    /// The hash of the last one.
    pub hash: Hash,
}

impl Head {
    /// The beginning: no entry yet.
    pub const EMPTY: Self = Self { entries: 0, hash: [0; 32] };
}

/// An entry of the trail. Kind and details are held as they were written, so that what a later version wrote can be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// When, to the millisecond.
    pub at: Timestamp,
    /// Who, and in the course of what.
    pub by: By,
    /// The kind's word.
    pub kind: String,
    /// What belongs to the kind, as canonical JSON.
    pub details: String,
    /// The hash of the entry before.
    pub prev: Hash,
    /// The hash of this one.
    pub hash: Hash,
}

/// The text is not an entry in canonical form; says what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl Entry {
    /// The next entry behind `head`.
    #[must_use]
    pub fn next(head: &Head, at: Timestamp, by: By, kind: &Kind) -> Self {
        let (kind, details) = kind.split();
        let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let details = canonical::text(&details);
        let mut entry = Self { seq: head.entries + 1, at, by, kind, details, prev: head.hash, hash: [0; 32] };
        entry.hash = entry.computed_hash();
        entry
    }

    /// The end of the chain after this entry.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { entries: self.seq, hash: self.hash }
    }

    /// The hash that an entry of this content has.
    #[must_use]
    pub fn computed_hash(&self) -> Hash {
        let [seq, at, actor, run, request, kind] = &self.fields();
        hash_of(&[seq, at, actor, run, request, kind, &self.details, &format!("\"{}\"", hex(&self.prev))])
    }

    /// The kind and its details, where this version knows the kind.
    #[must_use]
    pub fn known_kind(&self) -> Option<Kind> {
        Kind::join(&self.kind, serde_json::from_str(&self.details).ok()?)
    }

    /// The line of the exported trail, without its line feed.
    #[must_use]
    pub fn to_line(&self) -> String {
        let [seq, at, actor, run, request, kind] = self.fields();
        let (details, hash, prev) = (&self.details, hex(&self.hash), hex(&self.prev));
        format!(
            r#"{{"actor":{actor},"at":{at},"details":{details},"hash":"{hash}","kind":{kind},"prev":"{prev}","request":{request},"run":{run},"seq":{seq}}}"#
        )
    }

    /// The entry that a line of an exported trail holds. Its hash is as it stands there; nothing is verified.
    ///
    /// # Errors
    /// When the line is not what [`to_line`](Self::to_line) writes, to the letter.
    pub fn from_line(line: &str) -> Result<Self, Malformed> {
        let value: Value = serde_json::from_str(line).map_err(|error| Malformed(format!("it is not JSON: {error}")))?;
        let entry =
            Self::from_value(&value).map_err(|member| Malformed(format!("{member} is not what it should be")))?;
        if entry.to_line() == line {
            Ok(entry)
        } else {
            Err(Malformed("it is not in the form in which entries are exported".into()))
        }
    }

    fn from_value(value: &Value) -> Result<Self, &'static str> {
        let text = |member: &'static str| value.get(member).and_then(Value::as_str).ok_or(member);
        let hash = |member: &'static str| unhex(text(member)?).ok_or(member);
        Ok(Self {
            seq: value.get("seq").and_then(Value::as_u64).ok_or("seq")?,
            at: text("at")?.parse().map_err(|_| "at")?,
            by: By {
                actor: value.get("actor").and_then(actor_from_json).ok_or("actor")?,
                run: value.get("run").filter(|run| !run.is_null()).map(|run| run.as_i64().ok_or("run")).transpose()?,
                request: match value.get("request") {
                    None | Some(Value::Null) => None,
                    Some(_) => Some(text("request")?.to_owned()),
                },
            },
            kind: text("kind")?.to_owned(),
            details: canonical::text(value.get("details").ok_or("details")?),
            prev: hash("prev")?,
            hash: hash("hash")?,
        })
    }

    /// `seq`, `at`, `actor`, `run`, `request`, `kind` as canonical JSON.
    fn fields(&self) -> [String; 6] {
        let null = || "null".to_owned();
        [
            self.seq.to_string(),
            format!("\"{:.3}\"", self.at),
            match &self.by.actor {
                Actor::Daemon => "\"daemon\"".to_owned(),
                user @ Actor::User { .. } => canonical::text(&actor_to_json(user)),
            },
            self.by.run.map_or_else(null, |run| run.to_string()),
            self.by.request.as_deref().map_or_else(null, canonical::quoted),
            canonical::quoted(&self.kind),
        ]
    }
}

/// The hash of an entry whose `seq`, `at`, `actor`, `run`, `request`, `kind`, `details` and `prev` are these in canonical JSON.
pub(super) fn hash_of(fields: &[&str; 8]) -> Hash {
    let mut digest = Sha256::new_with_prefix(ENTRY_DOMAIN);
    for field in fields {
        absorb(&mut digest, field.as_bytes());
    }
    digest.finalize().into()
}

fn absorb(digest: &mut Sha256, bytes: &[u8]) {
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

/// An actor as entries hold it.
#[must_use]
pub fn actor_to_json(actor: &Actor) -> Value {
    match actor {
        Actor::Daemon => json!("daemon"),
        Actor::User { uid, name } => json!({ "uid": uid, "user": name }),
    }
}

/// The actor that [`actor_to_json`] wrote.
#[must_use]
pub fn actor_from_json(value: &Value) -> Option<Actor> {
    if value == "daemon" {
        return Some(Actor::Daemon);
    }
    let uid = u32::try_from(value.get("uid")?.as_u64()?).ok()?;
    Some(Actor::User { uid, name: value.get("user")?.as_str()?.to_owned() })
}

/// The digest that stands in the chain for a text that somebody typed: without the salt it tells nothing about the text.
#[must_use]
pub fn text_digest(salt: &[u8; 16], text: &str) -> String {
    let mut digest = Sha256::new_with_prefix(TEXT_DOMAIN);
    absorb(&mut digest, salt);
    absorb(&mut digest, text.as_bytes());
    hex(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_back_from_its_line_and_from_nothing_else() {
        let vera = Actor::User { uid: 1000, name: "vera \"v\" ä".into() };
        let at = "2026-03-15T02:00:00.123987Z".parse().unwrap();
        let entry = Entry::next(
            &Head::EMPTY,
            at,
            By::request(vera, "r-1"),
            &Kind::SourceClosed { source: "crm".into(), reason: "the file has been replaced".into() },
        );
        let line = entry.to_line();
        insta::assert_snapshot!(line);
        assert_eq!(Entry::from_line(&line).unwrap(), entry);
        for other in [
            line.replace("\"seq\":1", "\"seq\": 1"),
            line.replace("123Z", "1230Z"),
            line.replace("{\"actor\"", "{\"seq\":2,\"actor\""),
            line.replace("\"run\":null", "\"run\":0.0"),
            format!("{line} "),
            line[1..].to_owned(),
        ] {
            assert_ne!(other, line);
            assert!(Entry::from_line(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn every_field_is_in_the_hash() {
        let entry = Entry::next(
            &Head::EMPTY,
            Timestamp::UNIX_EPOCH,
            By::run(3),
            &Kind::SourceOpened { source: "crm".into(), last_batch: None },
        );
        let change = |edit: &dyn Fn(&mut Entry)| {
            let mut other = entry.clone();
            edit(&mut other);
            assert_ne!(other.computed_hash(), entry.hash);
        };
        change(&|entry| entry.seq = 2);
        change(&|entry| entry.at = Timestamp::from_millisecond(1).unwrap());
        change(&|entry| entry.by.actor = Actor::User { uid: 0, name: "daemon".into() });
        change(&|entry| entry.by.run = None);
        change(&|entry| entry.by.request = Some(String::new()));
        change(&|entry| entry.kind = "source_close".into());
        change(&|entry| entry.details = "null".into());
        change(&|entry| entry.prev = [1; 32]);
    }

    /// The digests in trails that were written before are these.
    #[test]
    fn a_text_is_known_again_by_its_digest_with_its_salt_alone() {
        let digest = text_digest(&[7; 16], "a dispute is open");
        assert_eq!(digest, "f79ce9c83ad792cf765f29c03f30e2aedaba1c290cbed2293bf2301dd4a115fc");
        assert_ne!(digest, text_digest(&[8; 16], "a dispute is open"));
        assert_ne!(digest, text_digest(&[7; 16], "a dispute is over"));
    }
}
