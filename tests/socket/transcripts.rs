//! What people read: every verb and every error, with its exit code.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use erasured::actor::Permission;
use erasured::admin::identity_of;
use erasured::audit::{By, Checkpoint, CheckpointKey, Entry, Head, Kind};
use erasured::language::Language;

use crate::backend::{Fake, SET};
use crate::serving::{Serving, granted, serve};

/// A digest of another set of as many.
const OTHER_SET: &str = "38-3-11111111111111111111111110";

/// Exit code, stdout and stderr of one call after the other.
async fn transcript(serving: &Serving, calls: &[&[&str]]) -> String {
    let mut text = String::new();
    for words in calls {
        let (exit, stdout, stderr) = serving.erasurectl(words).await;
        let typed: Vec<_> = words
            .iter()
            .map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() })
            .collect();
        writeln!(text, "$ erasurectl {}\nexit {}", typed.join(" "), exit.unwrap()).unwrap();
        for (name, said) in [("stdout", stdout), ("stderr", stderr)] {
            if !said.is_empty() {
                writeln!(text, "--- {name}\n{}", said.trim_end()).unwrap();
            }
        }
        text.push('\n');
    }
    let me = identity_of(nix::unistd::geteuid().as_raw()).unwrap();
    text.replace(serving.socket.to_str().unwrap(), "SOCKET")
        .replace(&format!(": {} has no grant", me.user), ": USER has no grant")
}

/// What people or applications have typed: the client gives it as it is.
const TYPED: &[&str] = &[
    "court case",
    "retention period expired",
    "note one",
    "a lawsuit is pending",
    "the heirs have asked",
    "the member: a neighbour",
    "linz, wels",
    // What a check of the schema finds is for operators, in English.
    "column nickname of members is not classified",
    "write it into keep = [\"nickname\"] if it is not personal, or into anonymise with what replaces it",
];

/// The same in German, without what is for machines; and every sentence that was not told in German.
async fn german(serving: &Serving, calls: &[&[&str]]) -> (String, Vec<String>) {
    let mut text = String::new();
    let misses = Arc::new(Mutex::new(Vec::new()));
    for words in calls.iter().filter(|words| !words.contains(&"--json") && !words.contains(&"--csv")) {
        let socket = serving.socket.to_str().unwrap();
        let arguments = [&["erasurectl", "--socket", socket], *words].concat();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let arguments = arguments.into_iter().map(Into::into);
        let exit = erasured::ctl::run_noting(Language::German, &misses, arguments, &mut out, &mut err).await;
        writeln!(text, "$ erasurectl {}\nexit {}", words.join(" "), exit.code()).unwrap();
        for said in [out, err] {
            text.push_str(&String::from_utf8(said).unwrap());
        }
        text.push('\n');
    }
    let me = identity_of(nix::unistd::geteuid().as_raw()).unwrap();
    let misses = misses.lock().unwrap().iter().filter(|miss| !TYPED.contains(&miss.as_str())).cloned().collect();
    let text = text.replace(serving.socket.to_str().unwrap(), "SOCKET");
    (text.replace(&format!(": {} hat keine", me.user), ": USER hat keine"), misses)
}

macro_rules! transcripts {
    ($($(#[$doc:meta])* $name:ident($backend:expr): $([$($word:expr),*])+)+) => {$(
        $(#[$doc])*
        #[tokio::test]
        async fn $name() {
            let serving = serve($backend).await;
            let calls: &[&[&str]] = &[$(&[$($word),*]),+];
            insta::assert_snapshot!(transcript(&serving, calls).await);
            let (text, misses) = german(&serve($backend).await, calls).await;
            insta::assert_snapshot!(concat!(stringify!($name), "_in_german"), text);
            assert!(misses.is_empty(), "the catalogue does not know:\n{}", misses.join("\n"));
        }
    )+};
}

transcripts! {
    status(Fake::default()):
        ["status"]
        ["status", "--json"]
        ["status", "--check"]
        ["status", "--check", "--json"]
    status_of_one_that_is_well(Fake { is_well: true, ..Fake::default() }):
        ["status"]
        ["status", "--check"]
    metrics(Fake::default()):
        ["metrics"]
    list(Fake::default()):
        ["list"]
        ["list", "--state", "confirmed", "--json"]
        ["list", "--category", "customer", "--criterion", "inactive", "--limit", "1"]
        ["list", "--category", "member"]
        ["list", "--state", "lost"]
        ["list", "--limit", "0"]
    list_of_many(Fake::default()):
        ["list", "--category", "customer", "--unit", "graz", "--age", "30", "--due-from", "2025-01-01", "--due-to",
         "2025-12-31", "--decided-by", "vera", "--sort", "due", "--descending"]
        ["list", "--text", "Maier"]
        ["list", "--text", "Maier", "--json"]
        ["list", "--text", " "]
        ["list", "--due-from", "1.1.2025"]
        ["list", "--sort", "colour"]
        ["list", "--csv"]
        ["list", "--csv", "--unit", "graz"]
        ["list", "--csv", "--limit", "1"]
        ["list", "--csv", "--json"]
        ["list", "--totals"]
        ["list", "--totals", "--category", "customer", "--json"]
        ["list", "--totals", "--category", "member"]
        ["list", "--digest"]
        ["list", "--digest", "--state", "proposed"]
        ["list", "--digest", "--json"]
        ["list", "--digest", "--text", "Maier"]
    show(Fake::default()):
        ["show", "customer/17"]
        ["show", "customer/17", "--json"]
        ["show", "customer/71"]
        ["show", "customer/404"]
        ["show", "17"]
    confirm(Fake::default()):
        ["confirm", "customer/17"]
        ["confirm", "customer/17", "customer/18@3"]
        ["confirm", "customer/17@3", "customer/18@2"]
        ["confirm", "customer/17", "--json"]
        ["confirm", "customer/71"]
        ["confirm", "customer/71", "customer/72", "customer/73"]
        ["confirm", "customer/71", "customer/72", "--json"]
        ["confirm", "customer/404"]
        ["confirm", "customer/409"]
        ["confirm", "customer/403"]
        ["confirm", "customer/17", "customer/404", "customer/409"]
        ["confirm", "customer/17", "customer/17"]
        ["confirm", "customer/17@3", "--with", "member/88", "user/7@3"]
        ["confirm", "customer/17", "--with-linked"]
        ["confirm", "customer/17", "--with-linked", "--json"]
        ["confirm", "customer/17", "customer/18", "--with", "member/88"]
        ["confirm", "customer/17", "--with", "member/88", "--with-linked"]
        ["confirm", "Customer/17"]
        ["confirm"]
    confirm_many(Fake::default()):
        ["confirm", "--all", "--state", "proposed", "--digest", SET, "--yes-confirm", "3"]
        ["confirm", "--all", "--state", "proposed", "--digest", SET, "--yes-confirm", "3", "--json"]
        ["confirm", "--all", "--state", "proposed", "--digest", SET]
        ["confirm", "--all", "--state", "proposed", "--digest", SET, "--yes-confirm", "4"]
        ["confirm", "--all", "--digest", OTHER_SET, "--yes-confirm", "3"]
        ["confirm", "--all", "--digest", OTHER_SET, "--yes-confirm", "3", "--json"]
        ["confirm", "--all", "--state", "proposed"]
        ["confirm", "--all", "--digest", "k3f9"]
        ["confirm", "--all", "customer/17"]
        ["confirm", "customer/17", "--state", "proposed"]
        ["confirm", "customer/17", "--digest", SET]
        ["confirm", "customer/1", "customer/2", "customer/3", "customer/4", "customer/5", "customer/6", "customer/7",
         "customer/8", "customer/9", "customer/10", "customer/11", "customer/12", "customer/13", "customer/14",
         "customer/15", "customer/16", "customer/17", "customer/18", "customer/19", "customer/20", "customer/21"]
    mark(Fake::default()):
        ["mark", "customer/17", "--reason", "erasure requested"]
        ["mark", "customer/17", "--reason", "erasure requested", "--json"]
        ["mark", "customer/17"]
        ["mark", "customer/404", "--reason", "erasure requested"]
        ["mark", "customer/409", "--reason", "erasure requested"]
        ["mark", "17", "--reason", "erasure requested"]
    postpone(Fake::default()):
        ["postpone", "customer/17", "--until", "2027-06-30", "--reason", "court case"]
        ["postpone", "customer/17"]
        ["postpone", "customer/17", "--until", "2027-06-30"]
        ["postpone", "customer/17", "--reason", "court case"]
        ["postpone", "customer/17", "--until", "2027-06-30", "--reason", " "]
        ["postpone", "customer/17", "--until", "2020-01-01", "--reason", "court case"]
        ["postpone", "customer/17", "--until", "30.06.2027", "--reason", "court case"]
        ["postpone", "customer/17", "--until", "2027-02-30", "--reason", "court case"]
    restore(Fake::default()):
        ["restore", "customer/17"]
        ["restore", "customer/404", "--json"]
    hold(Fake::default()):
        ["hold", "customer/17", "--reason", "lawsuit", "--reference", "3 Cg 17/26"]
        ["hold", "customer/17", "--reason", "lawsuit", "--reference", "3 Cg 17/26", "--json"]
        ["hold", "customer/17", "--reason", "lawsuit"]
        ["hold", "customer/17", "--reason", " ", "--reference", "3 Cg 17/26"]
        ["hold", "customer/17", "--reason", "because", "--reference", "3 Cg 17/26"]
        ["hold", "customer/404", "--reason", "lawsuit", "--reference", "3 Cg 17/26"]
        ["hold", "customer/409", "--reason", "lawsuit", "--reference", "3 Cg 17/26"]
    release(Fake::default()):
        ["release", "customer/17"]
        ["release", "customer/17", "--reason", "the lawsuit is over", "--json"]
        ["release", "customer/18"]
        ["release", "customer/18", "--hold", "2"]
        ["release", "customer/18", "--reference", "3 Cg 17/26", "--json"]
        ["release", "customer/18", "--hold", "2", "--reference", "3 Cg 17/26"]
        ["release", "customer/404"]
    holds(Fake::default()):
        ["holds"]
        ["holds", "--limit", "1"]
        ["holds", "--limit", "1", "--json"]
    reasons(Fake::default()):
        ["reasons"]
        ["reasons", "hold"]
        ["reasons", "hold", "--json"]
        ["reasons", "wish"]
    run(Fake::default()):
        ["run", "erase"]
        ["run", "erase", "--wait"]
        ["run", "erase", "--wait", "--json"]
        ["run", "remove"]
        ["run", "remove", "--wait"]
        ["run", "prepare", "--wait"]
        ["run", "prepare", "--dry-run"]
        ["run", "destroy"]
        ["run", "prepare", "--override-brake"]
        ["run", "prepare", "--override-brake", "--reason", "the archive was merged"]
        ["run", "prepare", "--override-brake", "--reason", "the archive was merged", "--yes-override", "18000", "--wait"]
        ["run", "prepare", "--override-brake", "--reason", "the archive was merged", "--yes-override", "18000", "--json"]
        ["run", "prepare", "--override-brake", "--reason", "the archive was merged", "--yes-override", "17000"]
        ["run", "prepare", "--override-brake", "--reason", "the archive was merged", "--digest", "17-0"]
        ["run", "prepare", "--override-brake", "--dry-run"]
        ["run", "erase", "--override-brake", "--reason", "the archive was merged"]
        ["run", "erase", "--reason", "the archive was merged"]
    runs(Fake::default()):
        ["runs"]
        ["runs", "--json", "--limit", "3"]
        ["runs", "show", "7"]
        ["runs", "show", "8"]
        ["runs", "show", "9"]
        ["runs", "show", "10"]
        ["runs", "show", "5"]
        ["runs", "show", "6"]
        ["runs", "show", "12"]
        ["runs", "show", "7", "--html"]
        ["runs", "show", "7", "--html", "--json"]
        ["runs", "show", "seven"]
    audit(Fake::default()):
        ["audit", "list"]
        ["audit", "list", "--record", "customer/17", "--json"]
        ["audit", "verify"]
        ["audit", "verify", "--json"]
        ["audit", "checkpoints"]
        ["audit", "checkpoints", "--public-key"]
        ["audit", "verify", "--file", "trail.jsonl"]
        ["audit"]
    altered_trail(Fake { altered: true, ..Fake::default() }):
        ["audit", "verify"]
        ["audit", "verify", "--json"]
    policy(Fake::default()):
        ["policy"]
        ["policy", "--json"]
        ["policy", "list"]
        ["policy", "set", "customer.inactive.period", "4 years"]
        ["policy", "set", "customer.inactive.period", "4 years", "--json"]
        ["policy", "set", "customer.decisions", "1"]
        ["policy", "set", "customer.decisions"]
        ["policy", "unset", "customer.inactive.period"]
        ["policy", "approve", "customer.decisions"]
        ["policy", "approve", "customer.decisions@40"]
        ["policy", "approve", "customer.decisions@x"]
        ["policy", "reject", "customer.decisions"]
        ["policy", "--help"]
    schema(Fake::default()):
        ["schema"]
        ["schema", "--json"]
        ["schema", "accept", "customer"]
        ["schema", "accept", "customer", "--json"]
        ["schema", "accept", "customer", "--digest", "0a1b"]
        ["schema", "accept", "customer", "--digest", "beef"]
        ["schema", "accept", "user"]
        ["schema", "accept", "nobody"]
        ["schema", "accept"]
        ["schema", "--help"]
    access(Fake::default()):
        ["access", "list"]
        ["access", "list", "--user", "vera", "--json"]
        ["access", "show", "karl"]
        ["access", "show", "anna"]
        ["access", "show", "karl", "--json"]
        ["access", "unit", "add", "karl", "graz"]
        ["access", "unit", "add", "karl", "graz", "--json"]
        ["access", "unit", "remove", "karl", "graz"]
        ["access", "record", "add", "karl", "customer/18"]
        ["access", "record", "remove", "karl", "customer/18"]
        ["access", "record", "add", "karl", "18"]
        ["access", "deny", "add", "karl", "customer/17", "--asked-by", "the member", "--reason", "a neighbour"]
        ["access", "deny", "add", "karl", "customer/17", "--reason", "a neighbour"]
        ["access", "deny", "remove", "karl", "customer/17"]
        ["access", "stand-in", "vera", "--for", "karl", "--until", "2026-12-31"]
        ["access", "stand-in", "vera", "--for", "karl", "--end"]
        ["access", "stand-in", "vera", "--for", "karl"]
        ["access", "stand-in", "vera"]
    not_permitted(Fake { grants: granted(&[Permission::View]), ..Fake::default() }):
        ["list", "--limit", "1"]
        ["run", "erase"]
        ["audit", "verify"]
        ["audit", "export"]
    help(Fake::default()):
        ["--help"]
        ["list", "--help"]
        ["confirm", "--help"]
        ["postpone", "--help"]
        ["audit", "--help"]
        ["audit", "verify", "--help"]
        ["access", "--help"]
        ["lsit"]
        []
}

#[tokio::test]
async fn without_a_daemon() {
    let serving = serve(Fake::default()).await;
    let socket = serving.socket.clone();
    let folder = tempfile::tempdir().unwrap();
    let stale = folder.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    let call = |socket: std::path::PathBuf| async move {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_erasurectl"));
        // The variable names the socket where no option does.
        command.arg("status").env("LC_ALL", "C").env("ERASURED_SOCKET", &socket);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap().replace(socket.to_str().unwrap(), "SOCKET");
        (output.status.code().unwrap(), stderr)
    };
    assert_eq!(call(socket.clone()).await.0, 0);
    serving.stop().await;
    let mut out = Vec::new();
    let words = ["erasurectl", "--lang", "en", "--socket", socket.to_str().unwrap(), "status", "--check"];
    let exit = erasured::ctl::run(words.map(Into::into), &mut out, &mut Vec::new()).await;
    let said = String::from_utf8(out).unwrap().replace(socket.to_str().unwrap(), "SOCKET");
    assert_eq!((exit.code(), said.as_str()), (2, "CRITICAL: cannot reach the daemon: there is no socket SOCKET\n"));
    insta::assert_debug_snapshot!([call(socket).await, call(stale).await]);
}

/// `erasurectl list | head -0`: nothing is wrong when nobody reads on.
#[tokio::test]
async fn a_reader_may_go() {
    let serving = serve(Fake::default()).await;
    let socket = serving.socket.clone();
    let output = tokio::task::spawn_blocking(move || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_erasurectl"));
        command
            .arg("--socket")
            .arg(socket)
            .args(["audit", "export"])
            .env("LC_ALL", "C")
            .stdout(writer)
            .stderr(std::process::Stdio::piped());
        command.spawn().unwrap().wait_with_output().unwrap()
    });
    let output = output.await.unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

/// An exported trail in a folder: itself, its checkpoints, their key.
fn export(folder: &std::path::Path) {
    let at = "2026-11-20T09:00:00Z".parse().unwrap();
    let started = Kind::DaemonStarted { version: "0.1.0".into() };
    let created = Entry::next(&Head::EMPTY, at, By::daemon(), &Kind::StateCreated { installation: "test".into() });
    let signed = Entry::next(&created.head(), at, By::daemon(), &started);
    let unsigned = Entry::next(&signed.head(), at, By::daemon(), &started);
    let key = CheckpointKey::from_secret(&[7; 32]);
    let checkpoint = |head| key.sign(&Checkpoint::over("test".into(), head));
    let write = |name, text: String| std::fs::write(folder.join(name), text).unwrap();
    let trail = [created.to_line(), signed.to_line(), unsigned.to_line()].join("\n") + "\n";
    write("altered", trail.replacen("0.1.0", "0.1.1", 1));
    write("cut", created.to_line() + "\n");
    write("trail", trail);
    write("notes", checkpoint(created.head()) + &checkpoint(signed.head()));
    write("key", key.verifier("test").to_string() + "\n");
    write("other-key", CheckpointKey::from_secret(&[8; 32]).verifier("test").to_string());
    write("empty", String::new());
}

/// No daemon is asked: there is none.
#[tokio::test]
async fn an_exported_trail() {
    let folder = tempfile::tempdir().unwrap();
    export(folder.path());
    let typed_key = std::fs::read_to_string(folder.path().join("key")).unwrap();
    let mut text = String::new();
    for (trail, notes, key, json) in [
        ("trail", "notes", "key", false),
        ("trail", "notes", typed_key.trim(), true),
        ("altered", "notes", "key", false),
        ("cut", "notes", "key", true),
        ("trail", "notes", "other-key", false),
        ("trail", "empty", "key", false),
        ("trail", "notes", "trail", false),
        ("trail", "notes", "nowhere", false),
        ("nowhere", "notes", "key", false),
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_erasurectl"));
        command.current_dir(folder.path()).args(["--socket", "/nowhere", "audit", "verify", "--file", trail]);
        command.args(["--checkpoints", notes, "--public-key", key]).args(json.then_some("--json"));
        command.env("LC_ALL", "C");
        let output = command.output().unwrap();
        let said = |bytes| String::from_utf8(bytes).unwrap();
        writeln!(text, "{trail}, {notes}, {key}: exit {}", output.status.code().unwrap()).unwrap();
        writeln!(text, "{}{}", said(output.stdout), said(output.stderr)).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// The option names the language, or else the environment does; neither changes the exit code or what is for machines.
#[tokio::test]
async fn in_whichever_language() {
    let serving = serve(Fake::default()).await;
    let socket = serving.socket.clone();
    let call = |words: &'static [&'static str], locale: &'static str| {
        let socket = socket.clone();
        async move {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_erasurectl"));
            command.arg("--socket").arg(socket).args(words).env("LC_ALL", locale);
            let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
            let said = [output.stdout, output.stderr].concat();
            (output.status.code().unwrap(), String::from_utf8(said).unwrap())
        }
    };
    for (words, english, german) in [
        (&["show", "customer/404"][..], "error: cannot show", "Fehler: kann customer/404 nicht zeigen"),
        (&["lsit"], "error: unrecognized subcommand", "Fehler: es gibt kein Verb lsit"),
        (&["--help"], "Usage: erasurectl", "Aufruf: erasurectl"),
        (&["postpone", "customer/17"], "error: cannot postpone", "Fehler: kann ohne Datum"),
    ] {
        let (in_english, in_german) = (call(words, "en_GB.UTF-8").await, call(words, "de_AT.UTF-8").await);
        assert!(in_english.1.contains(english), "{}", in_english.1);
        assert!(in_german.1.contains(german), "{}", in_german.1);
        assert_eq!(in_english.0, in_german.0, "{words:?}");
    }
    let typed = call(&["--lang", "de", "show", "customer/404"], "C").await;
    assert!(typed.1.starts_with("Fehler: "), "{}", typed.1);
    let typed = call(&["show", "customer/404", "--lang=en"], "de_DE.UTF-8").await;
    assert!(typed.1.starts_with("error: "), "{}", typed.1);
    let wrong = call(&["status", "--lang", "fr"], "de_DE.UTF-8").await;
    assert_eq!(wrong.0, 2);
    assert!(wrong.1.starts_with("Fehler: kann \"fr\" für --lang <SPRACHE> nicht verwenden"), "{}", wrong.1);
    assert_eq!(call(&["list", "--json"], "de_AT.UTF-8").await, call(&["list", "--json"], "C").await);
    assert_eq!(call(&["list", "--csv"], "de_AT.UTF-8").await, call(&["list", "--csv"], "C").await);
}
