//! What people read: every verb and every error, with its exit code.

use std::fmt::Write as _;

use erasured::actor::Permission;
use erasured::admin::identity_of;
use erasured::audit::{By, Checkpoint, CheckpointKey, Entry, Head, Kind};

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

macro_rules! transcripts {
    ($($(#[$doc:meta])* $name:ident($backend:expr): $([$($word:expr),*])+)+) => {$(
        $(#[$doc])*
        #[tokio::test]
        async fn $name() {
            let serving = serve($backend).await;
            let text = transcript(&serving, &[$(&[$($word),*]),+]).await;
            insta::assert_snapshot!(text);
        }
    )+};
}

transcripts! {
    status(Fake::default()):
        ["status"]
        ["status", "--json"]
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
        ["show", "customer/404"]
        ["show", "17"]
    confirm(Fake::default()):
        ["confirm", "customer/17"]
        ["confirm", "customer/17", "customer/18@3"]
        ["confirm", "customer/17@3", "customer/18@2"]
        ["confirm", "customer/17", "--json"]
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
        ["run", "prepare", "--wait"]
        ["run", "prepare", "--dry-run"]
        ["run", "destroy"]
    runs(Fake::default()):
        ["runs"]
        ["runs", "--json", "--limit", "3"]
        ["runs", "show", "7"]
        ["runs", "show", "8"]
        ["runs", "show", "5"]
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
        command.arg("status").env("ERASURED_SOCKET", &socket);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap().replace(socket.to_str().unwrap(), "SOCKET");
        (output.status.code().unwrap(), stderr)
    };
    assert_eq!(call(socket.clone()).await.0, 0);
    serving.stop().await;
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
    let checkpoint = |head| key.sign(&Checkpoint { installation: "test".into(), head });
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
        let output = command.output().unwrap();
        let said = |bytes| String::from_utf8(bytes).unwrap();
        writeln!(text, "{trail}, {notes}, {key}: exit {}", output.status.code().unwrap()).unwrap();
        writeln!(text, "{}{}", said(output.stdout), said(output.stderr)).unwrap();
    }
    insta::assert_snapshot!(text);
}
