//! The real programs in processes of their own: a daemon on a folder, and the client that talks to it.
//!
//! Nothing here sleeps for a fixed time: whoever waits, waits for something that can be seen, and not for ever.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::common::{Bench, rows};

/// The longest that anything is waited for.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(5);
/// What a service manager, or whoever runs the tests, might have set.
const FOREIGN: [&str; 11] = [
    "CREDENTIALS_DIRECTORY",
    "ERASURED_LOG",
    "ERASURED_SOCKET",
    "FAILPOINTS",
    "JOURNAL_STREAM",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "STATE_DIRECTORY",
    "WATCHDOG_USEC",
];

/// Waits until this is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < LIMIT, "waited in vain: {what}");
        std::thread::sleep(LOOK);
    }
}

/// Waits until this is so; for what only a connection can see.
pub async fn wait_for(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let since = Instant::now();
    while !is_so().await {
        assert!(since.elapsed() < LIMIT, "waited in vain: {what}");
        std::thread::sleep(LOOK);
    }
}

fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    command.env("LC_ALL", "C");
    FOREIGN.iter().for_each(|name| {
        command.env_remove(name);
    });
    command
}

/// A folder with settings, in which a daemon keeps its state, its socket and its log.
pub struct Site {
    pub dir: PathBuf,
}

/// What a command has answered.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// What this command answers. One that does not end, as a daemon that was to be refused, fails the test.
    pub fn of(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let read = |mut pipe: Box<dyn Read + Send>| {
            std::thread::spawn(move || {
                let mut text = String::new();
                pipe.read_to_string(&mut text).map(|_| text).unwrap()
            })
        };
        let stdout = read(Box::new(child.stdout.take().unwrap()));
        let stderr = read(Box::new(child.stderr.take().unwrap()));
        let since = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if since.elapsed() > LIMIT {
                child.kill().unwrap();
                panic!("{command:?} does not end");
            }
            std::thread::sleep(LOOK);
        };
        Self { code: status.code().unwrap(), stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
    }

    /// Its standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

impl Site {
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub fn state_dir(&self) -> PathBuf {
        self.dir.join("state")
    }

    pub fn state_db(&self) -> PathBuf {
        self.state_dir().join("state.db")
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.join("run/admin.sock")
    }

    fn log_path(&self) -> PathBuf {
        self.dir.join("daemon.log")
    }

    /// Everything that daemons have logged here.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Starts a daemon; it may not be ready yet, or not come up at all.
    pub fn start(&self, environment: &[(&str, &str)]) -> Daemon {
        let notify = self.dir.join("notify");
        // What is left of the daemon before belongs to nobody.
        let _ = std::fs::remove_file(&notify);
        let told = UnixDatagram::bind(&notify).unwrap();
        told.set_nonblocking(true).unwrap();
        let log = OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        let child = self
            .erasured(&["run", "--log", "text"])
            .arg("--socket")
            .arg(self.socket())
            .env("NOTIFY_SOCKET", &notify)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::try_clone(&log).unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Daemon { child, told, log: self.log_path() }
    }

    /// Starts a daemon that comes up.
    pub fn daemon(&self) -> Daemon {
        let mut daemon = self.start(&[]);
        daemon.ready();
        daemon
    }

    /// A daemon that does not come up: its exit code and what it says.
    pub fn refused(&self) -> Answer {
        Answer::of(self.erasured(&["run"]).arg("--socket").arg(self.socket()))
    }

    /// That a state which is not the newest is refused; then an operator goes on with it all the same.
    pub fn take_older_state(&self) {
        let refused = self.refused();
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("is an older copy, or another: entry"), "{refused:?}");
        assert!(refused.stderr.contains("move state.db.newest away"), "{refused:?}");
        std::fs::remove_file(self.state_dir().join("state.db.newest")).unwrap();
    }

    /// `erasured` with this folder's settings and state.
    pub fn erasured(&self, words: &[&str]) -> Command {
        let mut command = program(env!("CARGO_BIN_EXE_erasured"));
        command.args(words).arg("--config").arg(&self.dir).arg("--state-dir").arg(self.state_dir());
        command
    }

    /// `erasurectl`, with whatever it answers.
    pub fn ctl<S: AsRef<str>>(&self, words: &[S]) -> Answer {
        let mut command = program(env!("CARGO_BIN_EXE_erasurectl"));
        command.arg("--socket").arg(self.socket()).args(words.iter().map(AsRef::as_ref));
        Answer::of(&mut command)
    }

    /// `erasurectl`, which must do what it is told; its answer as JSON.
    pub fn json<S: AsRef<str>>(&self, words: &[S]) -> Value {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).chain(["--json"]).collect();
        let answer = self.ctl(&words);
        assert_eq!(answer.code, 0, "{words:?}: {answer:?}");
        answer.json()
    }

    /// Every run, the first first.
    pub fn runs(&self) -> Vec<Value> {
        let mut runs = self.json(&["runs"])["items"].as_array().unwrap().clone();
        runs.reverse();
        runs
    }

    /// Waits until no run is queued or goes on; gives all of them.
    pub fn idle(&self) -> Vec<Value> {
        let mut runs = Vec::new();
        wait_until("every run is over", || {
            runs = self.runs();
            runs.iter().all(|run| run["state"] != "queued" && run["state"] != "running")
        });
        runs
    }

    /// Runs prepare and confirms everything that is proposed; gives how many records that are.
    pub fn confirm_all(&self) -> usize {
        self.json(&["run", "prepare", "--wait"]);
        let mut confirmed = 0;
        loop {
            // The daemon gives a page at a time.
            let records = self.records("proposed");
            if records.is_empty() {
                assert!(confirmed > 0, "nothing is due");
                return confirmed;
            }
            let count = records.len().to_string();
            let words = ["confirm", "--yes-confirm", &count].into_iter();
            let words: Vec<&str> = words.chain(records.iter().map(String::as_str)).collect();
            assert_eq!(self.json(&words)["done"], records.len());
            confirmed += records.len();
        }
    }

    /// The records whose proposals are in this state: the first page of them.
    pub fn records(&self, state: &str) -> Vec<String> {
        let listed = self.json(&["list", "--state", state]);
        listed["items"].as_array().unwrap().iter().map(|item| item["record"].as_str().unwrap().to_owned()).collect()
    }

    /// The trail as it is exported.
    pub fn trail(&self) -> Vec<Value> {
        let export = self.ctl(&["audit", "export"]);
        assert_eq!(export.code, 0, "{export:?}");
        export.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The details of every entry of this kind.
    pub fn entries(&self, kind: &str) -> Vec<Value> {
        self.trail().into_iter().filter(|entry| entry["kind"] == kind).map(|entry| entry["details"].clone()).collect()
    }

    /// What the trail says of every record that was erased, in the order of the records: one text for each time.
    pub fn erased(&self) -> Vec<String> {
        let entries = self.entries("erased");
        let groups = entries.iter().flat_map(|entry| entry["records"].as_array().unwrap());
        let mut records: Vec<String> = groups
            .flat_map(|group| {
                let [category, outcome] = ["category", "outcome"].map(|name| group[name].as_str().unwrap());
                let keys = group["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
                keys.map(move |key| format!("{category}/{key} {outcome} {}", group["dependents"]))
            })
            .collect();
        records.sort_unstable();
        records
    }

    /// That the daemon finds its own trail whole.
    pub fn assert_trail_holds(&self) {
        let verified = self.ctl(&["audit", "verify"]);
        assert_eq!(verified.code, 0, "{verified:?}");
    }

    /// Asks the state of a daemon that is up with SQL, on a connection that only reads.
    pub async fn now(&self, sql: &str) -> Vec<String> {
        let options = SqliteConnectOptions::new().filename(self.state_db()).read_only(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let rows = rows(&mut connection, sql).await;
        connection.close().await.unwrap();
        rows
    }

    /// The state as it lies there, to be asked with SQL, whoever has it open. A copy: asking changes nothing.
    pub fn state(&self) -> Bench {
        aside(&self.state_db())
    }
}

/// A copy of an SQLite database with its journals, as a process that was killed has left them.
pub fn aside(database: &Path) -> Bench {
    let bench = Bench::new();
    for suffix in ["", "-wal", "-journal"] {
        let with = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        if with(database).exists() {
            std::fs::copy(with(database), with(&bench.database())).unwrap();
        }
    }
    bench
}

/// A copy of all that a stopped daemon and its application have left in a folder.
pub fn copied(bench: &Bench) -> Bench {
    copied_from(bench.dir.path(), bench.today)
}

/// The same from the folder, on this day.
pub fn copied_from(folder: &Path, today: Date) -> Bench {
    let copy = Bench { dir: tempfile::tempdir().unwrap(), today };
    copy_folder(folder, copy.dir.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A daemon; it is killed when the test is done with it.
pub struct Daemon {
    child: Child,
    told: UnixDatagram,
    log: PathBuf,
}

impl Daemon {
    /// What it has told the service manager since the last look, if anything.
    pub fn news(&self) -> Option<String> {
        let mut buffer = [0; 512];
        match self.told.recv(&mut buffer) {
            Ok(length) => Some(String::from_utf8(buffer[..length].to_vec()).unwrap()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until it says that it is ready.
    pub fn ready(&mut self) {
        wait_until("the daemon is ready", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the daemon did not come up ({status}):\n{}", self.logged());
            }
            self.news().is_some_and(|news| news.contains("READY=1"))
        });
    }

    /// Waits until its log holds this.
    pub fn says(&self, what: &str) {
        wait_until(what, || self.logged().contains(what));
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.id()).unwrap()), signal).unwrap();
    }

    /// How it has ended, if it has.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until it has ended, however it does.
    pub fn ended(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until("the daemon has ended", || {
            ended = self.has_ended();
            ended.is_some()
        });
        ended.unwrap()
    }

    /// Stops it as a service manager does; it must end well.
    pub fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        let ended = self.ended();
        assert_eq!(ended.code(), Some(0), "{}", self.logged());
    }

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        assert_eq!(self.ended().signal(), Some(9));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended already needs neither.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
