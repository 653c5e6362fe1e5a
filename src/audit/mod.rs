//! The audit trail: kinds of entry, hash chain, checkpoints, verification. Pure: reads and writes nothing itself.
//!
//! May be relied on: an entry's hash covers every other field of it and the hash before, so that an altered, removed,
//! added or reordered entry is found; cutting the trail short is found up to the newest checkpoint that is supplied.
//! Records are named by category and key alone. Free text that people typed is never in the chain: a salted digest of it
//! is ([`text_digest`]), while salt and text lie beside the chain and can go without breaking it.
//!
//! # The exported trail
//!
//! One entry a line, as JSON in UTF-8, each line ended by a line feed. A line is in canonical
//! form: no blanks outside strings, the members of every object in the order of their names, integers only, strings with
//! the shortest escapes (`\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`, otherwise `\u00xx` for characters below U+0020) and no
//! others. This is what RFC 8785 asks for. The members of a line:
//!
//! | Member | Value |
//! |---|---|
//! | `actor` | `"daemon"`, or `{"uid":1000,"user":"vera"}` for a user of the machine |
//! | `at` | when, in UTC with milliseconds: `"2026-03-15T02:00:00.000Z"` |
//! | `details` | what belongs to the kind: an object, or `null`; see [`Kind`] |
//! | `hash` | 64 hexadecimal digits, lower case: SHA-256, as below |
//! | `kind` | the kind of entry: `"confirmed"` |
//! | `prev` | the `hash` of the entry before; 64 zeros in entry 1 |
//! | `request` | the id of the request that caused it, or `null` |
//! | `run` | the number of the run that caused it, or `null` |
//! | `seq` | the number of the entry: 1, 2, 3 … without a gap, the first of them as below |
//!
//! `hash` is SHA-256 over the 24 bytes `erasured audit entry v1` and a zero byte, followed by the values of `seq`, `at`,
//! `actor`, `run`, `request`, `kind`, `details` and `prev` in this order, each as its length in bytes (eight bytes, the
//! highest first) and its canonical JSON: a string with its quotes, `null` as four letters.
//!
//! Entry 1 is of the kind `state_created` and names the installation. A trail from which what was too old has been pruned
//! begins with a later entry: one of which a checkpoint is supplied, and of which a later entry, of the kind `pruned`, tells
//! that the trail begins with it (`first`). That entry must lie at or before the newest checkpoint supplied: what nobody has
//! signed, anybody may have written. A beginning that is gone otherwise is found.
//!
//! # Checkpoints
//!
//! A checkpoint is a signed note in the form of C2SP (<https://c2sp.org/signed-note>): three lines, an empty line, and one
//! signature line.
//!
//! ```text
//! erasured/<installation>
//! <number of entries>
//! <hash of the last of them, base64>
//!
//! — erasured/<installation> <base64 of: key id (4 bytes), Ed25519 signature (64 bytes)>
//! ```
//!
//! The signature is over the three lines with their line feeds. The key id is the first four bytes of SHA-256 over the
//! key's name (`erasured/<installation>`), a line feed, a byte 1 and the 32 bytes of the public key. The public key is
//! written as C2SP's verifier key: `<name>+<key id in hexadecimal>+<base64 of: a byte 1, the public key>`.
//!
//! Where another key takes its place, the checkpoint over the entry that says so (`checkpoint_key_changed`) has two lines more,
//! `key before: ` and `key after: ` with the two public keys, and a signature line of each. Whoever trusts one of the two may
//! trust the other: the one before for checkpoints up to this one, the one after for later ones, and neither for any else.

mod canonical;
mod chain;
mod checkpoint;
mod kind;
mod line;
mod succession;
mod verify;

pub use chain::{By, Entry, Hash, Head, Malformed, actor_from_json, actor_to_json, text_digest};
pub use checkpoint::{Checkpoint, CheckpointError, CheckpointKey, Succession, VerifierKey};
pub use kind::{Access, AccessEnd, BrakedCategory};
pub use kind::{
    Batched, Because, Counts, ErasedGroup, HoldRelease, HoldSet, Kind, Planned, Postponement, ProposedGroup,
    ReasonedGroup, RecordGroup, Removal, RuleChanged, Settlement, ToldComplaint, Trigger,
};
pub use verify::{Fault, Report, Verifier, verify};
