//! What anybody may put into the program from outside, and what must hold whatever it is: nothing panics, what is read and
//! written again is the same, and what was signed cannot be changed unseen.
//!
//! The fuzz targets beside this file and `tests/inputs.rs` call the same functions.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::LazyLock;

use erasured::actor::Actor;
use erasured::api;
use erasured::audit::{self, By, Checkpoint, CheckpointKey, Entry, Head, Kind, VerifierKey};
use erasured::config::{self, DateFormat, EARLIEST_DAY, Finding, Hours, Period, Starts};
use erasured::proof::{self, Header, Pages, Sample, Scan, Search, Tree, TreeKind, Unread, Wal};
use erasured::record::{KeyPart, KeyType, RecordKey, RecordRef, Value};
use erasured::scheduler::Cron;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A target: its name, and what it does with some bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 7] = [
    ("settings", settings),
    ("category", category),
    ("record", record),
    ("request", request),
    ("date", date_or_period),
    ("trail", trail),
    ("file", file),
];

const TOP: &str = "version = 1\ntime_zone = \"Europe/Vienna\"\n[source.app]\nurl = \"sqlite:app.db\"\n";
const CATEGORY: &str = "version = 1\nsource = \"app\"\ntable = \"people\"\nidentity = [\"name\"]\n[[criterion]]\n\
                        name = \"left\"\nsince = \"left_on\"\nperiod = \"3 years\"\n";

thread_local! {
    /// A folder for settings, which is removed with the thread.
    static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

/// `erasured.toml`, beside a category in order.
pub fn settings(data: &[u8]) {
    load(data, CATEGORY.as_bytes());
}

/// A category's file, beside settings in order.
pub fn category(data: &[u8]) {
    load(TOP.as_bytes(), data);
}

/// Either there are settings without a fault, or a fault that says where and what.
fn load(top: &[u8], category: &[u8]) {
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| tempfile::tempdir().unwrap());
        let categories = folder.path().join("categories");
        std::fs::create_dir_all(&categories).unwrap();
        std::fs::write(folder.path().join("erasured.toml"), top).unwrap();
        std::fs::write(categories.join("person.toml"), category).unwrap();
        match config::load(folder.path()) {
            Ok(loaded) => assert!(loaded.warnings.iter().all(|finding| !finding.is_error())),
            Err(findings) => {
                let told: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
                assert!(findings.iter().any(Finding::is_error), "no settings, and no fault");
                assert!(!told.contains("this is a fault of erasured"), "{told}");
            }
        }
    });
}

/// A record's name and its key, in columns of all kinds.
pub fn record(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(record) = text.parse::<RecordRef>() {
        assert_eq!(record.to_string(), text, "a name is written as it was read");
    }
    let count = text.split(',').count();
    for key_type in [KeyType::Text, KeyType::Other] {
        let types = vec![key_type; count];
        let key = RecordKey::from_text(&text);
        if let Ok(parts) = key.parts(&types) {
            assert_eq!(RecordKey::from_parts(&parts, &types).as_ref(), Ok(&key), "a key has one form");
        }
        let parts = key_parts(data, &text);
        let types = vec![key_type; parts.len()];
        if let Ok(key) = RecordKey::from_parts(&parts, &types) {
            let read = key.parts(&types);
            let texts = |parts: &[KeyPart]| parts.iter().map(|part| same(part, key_type)).collect::<Vec<_>>();
            assert_eq!(read.as_deref().map(texts), Ok(texts(&parts)), "a key means what was written: {key}");
            let bytes = key.as_str().as_bytes();
            let digits = bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let before = bytes.len() - digits;
            assert!(digits == 0 || before == 0 || bytes[before - 1] != b'@', "no key ends like a version: {key}");
        }
    }
}

/// Parts of a key made of these bytes: a text, a number, and bytes.
fn key_parts(data: &[u8], text: &str) -> Vec<KeyPart> {
    let number = data.iter().take(8).fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
    vec![KeyPart::Text(text.to_owned()), KeyPart::Integer(number), KeyPart::Blob(data.to_vec())]
}

/// In a column that keeps texts a number is one.
fn same(part: &KeyPart, key_type: KeyType) -> KeyPart {
    match part {
        KeyPart::Integer(number) if key_type == KeyType::Text => KeyPart::Text(number.to_string()),
        other => other.clone(),
    }
}

/// What a client may write into a query, a body or a path.
pub fn request(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    query::<api::AccessQuery>(&text);
    query::<api::AuditQuery>(&text);
    query::<api::HoldQuery>(&text);
    query::<api::ListQuery>(&text);
    query::<api::ProposalSet>(&text);
    query::<api::ReasonQuery>(&text);
    query::<api::RunQuery>(&text);
    query::<api::WaitQuery>(&text);
    body::<api::AccessRequest>(data);
    body::<api::ConfirmRequest>(data);
    body::<api::HoldRequest>(data);
    body::<api::MarkRequest>(data);
    body::<api::PostponeRequest>(data);
    body::<api::ReleaseRequest>(data);
    body::<api::RestoreRequest>(data);
    body::<api::RuleDecisionRequest>(data);
    body::<api::RuleSetRequest>(data);
    body::<api::RuleUnsetRequest>(data);
    body::<api::RunRequest>(data);
    if let Ok(decoded) = percent_encoding::percent_decode(data).decode_utf8() {
        record(decoded.as_bytes());
    }
}

fn query<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) {
    if let Ok(read) = serde_urlencoded::from_str::<T>(text) {
        let written = serde_urlencoded::to_string(&read).unwrap();
        assert_eq!(serde_urlencoded::from_str::<T>(&written).as_ref(), Ok(&read), "{written}");
    }
}

fn body<T: Serialize + DeserializeOwned + PartialEq + Debug>(data: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<T>(data) {
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<T>(&written).unwrap(), read, "{written}");
    }
}

static ZONES: LazyLock<Vec<TimeZone>> = LazyLock::new(|| {
    ["Europe/Vienna", "Pacific/Kiritimati", "UTC"].iter().map(|name| TimeZone::get(name).unwrap()).collect()
});

/// A date as a database holds it, and periods, hours and schedules as operators write them.
pub fn date_or_period(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut values = vec![Value::text(&text), Value::Blob(data.to_vec())];
    values.extend(text.parse().map(Value::Integer));
    if let Ok(bytes) = <[u8; 8]>::try_from(data) {
        values.extend([Value::Integer(i64::from_le_bytes(bytes)), Value::Real(f64::from_le_bytes(bytes))]);
    }
    for (_, format) in DateFormat::WORDS {
        for (zone, value) in ZONES.iter().flat_map(|zone| values.iter().map(move |value| (zone, value))) {
            if let Ok(Some(day)) = format.read(value, zone) {
                assert!(day >= EARLIEST_DAY, "{day} is too early");
            }
        }
    }
    if let Ok(period) = text.parse::<Period>() {
        [date(2026, 11, 28), date(2024, 2, 29), date(2100, 12, 31)]
            .into_iter()
            .for_each(|day| check_period(period, day));
        assert!(!period.can_end_before(period, Starts::AtDate), "no period ends before itself");
    }
    // Nothing more is asked of these than that they answer.
    let _ = (text.parse::<Hours>(), text.parse::<Cron>());
}

/// What began on the last day that is due today is due today, and what began a day later is not.
fn check_period(period: Period, today: Date) {
    for starts in [Starts::AtDate, Starts::YearEnd] {
        let Some(cutoff) = period.cutoff(today, starts) else { continue };
        let due_on = period.due_on(cutoff, starts).unwrap();
        assert!(due_on <= today, "{period}: {cutoff} is due on {due_on}, after {today}");
        if let Some(later) = cutoff.tomorrow().ok().and_then(|next| period.due_on(next, starts)) {
            assert!(later > today, "{period}: the day after {cutoff} is due on {later}, not after {today}");
        }
    }
}

/// A short trail, signed at its end.
struct Signed {
    lines: Vec<String>,
    note: String,
    key: VerifierKey,
}

const INSTALLATION: &str = "0123456789abcdef0123456789abcdef";

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let (mut head, mut lines) = (Head::EMPTY, Vec::new());
    let kinds = [
        Kind::StateCreated { installation: INSTALLATION.to_owned() },
        Kind::DaemonStarted { version: "1.0 \u{1}\"\\ é".to_owned() },
        Kind::DaemonStopped { why: "asked to".to_owned() },
    ];
    for kind in kinds {
        let by = By { actor: Actor::Daemon, run: Some(7), request: Some("0a1b".to_owned()) };
        let entry = Entry::next(&head, jiff::Timestamp::from_millisecond(1_790_000_000_123).unwrap(), by, &kind);
        head = entry.head();
        lines.push(entry.to_line());
    }
    let key = CheckpointKey::from_secret(&[9; 32]);
    let note = key.sign(&Checkpoint::over(INSTALLATION.to_owned(), head));
    Signed { lines, note, key: key.verifier(INSTALLATION) }
});

/// An exported trail with one line that is something else, or one byte of a line or of the checkpoint: it is found.
pub fn trail(data: &[u8]) {
    let Signed { lines, note, key } = &*SIGNED;
    let text = String::from_utf8_lossy(data);
    if let Ok(entry) = Entry::from_line(&text) {
        assert_eq!(entry.to_line(), text, "an entry has one form");
        let _ = entry.known_kind();
    }
    if let Ok(other) = text.parse::<VerifierKey>() {
        assert_eq!(other.to_string().parse::<VerifierKey>(), Ok(other));
    }
    for note in Checkpoint::split(&text) {
        let _ = key.open(&note);
    }
    for at in 0..lines.len() {
        let mut altered = lines.clone();
        altered[at] = text.clone().into_owned();
        hold(&altered, note);
    }
    if let [line, place @ .., byte] = data {
        let at = usize::from(*line) % lines.len();
        let mut altered = lines.clone();
        altered[at] = exchanged(&altered[at], place, *byte);
        hold(&altered, note);
        hold(lines, &exchanged(note, place, *byte));
    }
}

/// The text with another byte somewhere.
fn exchanged(text: &str, place: &[u8], byte: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let place = place.iter().take(4).fold(0, |sum, byte| sum << 8 | usize::from(*byte)) % bytes.len();
    bytes[place] = byte;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// That the whole of it verifies only where it is what was signed.
fn hold(lines: &[String], note: &str) {
    let signed = &*SIGNED;
    let report = audit::verify(lines, std::slice::from_ref(&note.to_owned()), &signed.key);
    let is_intact = report.fault.is_none() && report.verified_to == signed.lines.len() as u64;
    let is_same = lines == signed.lines && *note == signed.note;
    // A signature may be written in the company of others; what it signs is the same then.
    let is_same_to_the_letter = lines == signed.lines && signed.key.open(note).is_ok();
    assert_eq!(is_intact, is_same || is_same_to_the_letter, "{report:?}: {lines:?} {note:?}");
}

/// Trees of a database that is looked through, at most; a page beyond the file is asked for too.
const TREES: u32 = 4;
/// Steps that a look through one page may take, many times over.
const STEPS_OF_A_PAGE_MAX: u32 = 2_000;

/// A database's file in memory.
struct File<'d> {
    data: &'d [u8],
    page_bytes: usize,
}

impl Pages for File<'_> {
    fn current(&mut self, page: u32, into: &mut [u8]) -> Result<(), Unread> {
        self.stored(page, into).map(drop)
    }

    fn stored(&mut self, page: u32, into: &mut [u8]) -> Result<bool, Unread> {
        let from = usize::try_from(page).unwrap().saturating_sub(1).saturating_mul(self.page_bytes);
        into.fill(0);
        let Some(found) = self.data.get(from..).filter(|found| !found.is_empty()) else { return Ok(false) };
        let length = found.len().min(into.len());
        into[..length].copy_from_slice(&found[..length]);
        Ok(true)
    }

    fn is_replaced(&self, page: u32) -> bool {
        page.is_multiple_of(3)
    }
}

/// A database's file, a write-ahead log, and blocks of full-text indexes, read as the proof of removal reads them: it comes to
/// an end, whatever they hold.
pub fn file(data: &[u8]) {
    let mut told = 0_usize;
    proof::fts5(data, &mut |term| told += term.len());
    proof::fts3(data, &mut |term| told += term.len());
    told += proof::columns(data).len();
    told += usize::from(proof::journal_is_in_use(data));
    if let (Some(mut wal), Some(rest)) = (Wal::read(data), data.get(proof::WAL_HEADER_BYTES..)) {
        for frame in rest.chunks(proof::FRAME_HEADER_BYTES + 512) {
            let (header, page) = frame.split_at(frame.len().min(proof::FRAME_HEADER_BYTES));
            told += usize::from(header.len() == proof::FRAME_HEADER_BYTES && wal.frame(header, page).is_some());
        }
    }
    let Ok(header) = Header::read(data) else { return };
    let stored = u32::try_from(data.len().div_ceil(header.page_bytes)).unwrap();
    let pages = if header.pages == 0 { stored } else { header.pages.min(stored + TREES) };
    let kinds = [TreeKind::Rows, TreeKind::Entries, TreeKind::Terms5, TreeKind::Terms3];
    let tree =
        |(root, kind): (u32, &TreeKind)| Tree { name: root.to_string(), root, kind: *kind, is_ours: root % 2 == 0 };
    let trees = (1..=TREES).zip(&kinds).map(tree).collect();
    let mut sample = Sample::default();
    sample.add([Value::text("Kowalski-Lechner"), Value::text("maria.kowalski@example.org")]);
    let search = Search::new(&sample, header.encoding);
    let mut scan = Scan::new(header, pages, stored, trees, Some(search));
    let mut file = File { data, page_bytes: header.page_bytes };
    let limit = (pages + stored + TREES) * STEPS_OF_A_PAGE_MAX;
    let steps = (0..limit).find(|_| !matches!(scan.step(&mut file), Ok(true)));
    assert!(steps.is_some(), "the look does not come to an end after {limit} steps");
    let scanned = scan.finish();
    let settled = scanned.search.map(|search| search.settle(&|tree| tree.to_string()));
    assert!(settled.is_some(), "what was looked for is lost; {told} were read besides");
}
