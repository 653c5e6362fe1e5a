//! The daemon and its client, as they are installed: real processes on a folder of their own.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::fault::{Doing as _, Fault, Outcome, go_on};
use crate::process::{Answer, Held, answer, status};
use crate::settings;

/// The longest that a start or a stop may take.
const LIMIT: Duration = Duration::from_secs(300);
/// What a service manager would say: to be told at least once a minute.
const WATCHDOG_MICROSECONDS: &str = "60000000";
/// What a service manager, or whoever runs the benchmark, might have set.
const FOREIGN: [&str; 9] = [
    "CREDENTIALS_DIRECTORY",
    "ERASURED_LOG",
    "ERASURED_SOCKET",
    "FAILPOINTS",
    "JOURNAL_STREAM",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "STATE_DIRECTORY",
];

/// A folder with settings, a source and a state. Its sockets lie elsewhere: their paths must be short.
pub struct Site {
    /// The folder.
    pub dir: PathBuf,
    sockets: tempfile::TempDir,
}

impl Site {
    /// A folder with settings and neither source nor state.
    pub fn new(dir: PathBuf) -> Outcome<Self> {
        settings::write(&dir)?;
        let sockets = tempfile::tempdir().doing("make a folder for sockets")?;
        fs::create_dir(sockets.path().join("run")).doing("make a folder for the socket")?;
        Ok(Self { dir, sockets })
    }

    /// The application's database.
    pub fn database(&self) -> PathBuf {
        self.dir.join("app.db")
    }

    /// The daemon's folder.
    pub fn state_dir(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// The daemon's database.
    pub fn state(&self) -> PathBuf {
        self.state_dir().join("state.db")
    }

    /// The daemon's log.
    pub fn log(&self) -> PathBuf {
        self.dir.join("daemon.log")
    }

    fn socket(&self) -> PathBuf {
        self.sockets.path().join("run/admin.sock")
    }

    /// Removes the state.
    pub fn forget(&self) -> Outcome<()> {
        let dir = self.state_dir();
        if dir.exists() { fs::remove_dir_all(dir).doing("remove a state") } else { Ok(()) }
    }

    /// Replaces the state by a copy of this one.
    pub fn take_state(&self, from: &Path) -> Outcome<()> {
        self.forget()?;
        fs::create_dir(self.state_dir()).doing("make a folder for the state")?;
        copy_folder(from, &self.state_dir())
    }

    /// Holds the settings against the database.
    pub fn check(&self) -> Outcome<()> {
        let mut command = program(env!("CARGO_BIN_EXE_erasured"));
        let said = answer(command.arg("check").arg("--config").arg(&self.dir), go_on)?;
        if said.code == Some(0) { Ok(()) } else { Err(refused("erasured check", &said)) }
    }

    /// Starts a daemon and waits until it is ready.
    pub fn start(&self) -> Outcome<Daemon<'_>> {
        self.start_logging("warn,erasured=info")
    }

    /// The same, with a daemon that tells of each batch in its log.
    pub fn start_talkative(&self) -> Outcome<Daemon<'_>> {
        self.start_logging("warn,erasured=debug")
    }

    fn start_logging(&self, filter: &str) -> Outcome<Daemon<'_>> {
        let notify = self.sockets.path().join("notify");
        // What is left of the daemon before belongs to nobody.
        let _ = fs::remove_file(&notify);
        let told = UnixDatagram::bind(&notify).doing("listen for READY")?;
        told.set_read_timeout(Some(Duration::from_secs(1))).doing("listen for READY")?;
        let log = OpenOptions::new().create(true).append(true).open(self.log()).doing("open the daemon's log")?;
        let mut command = program(env!("CARGO_BIN_EXE_erasured"));
        command.args(["run", "--log", "json", "--config"]).arg(&self.dir);
        command.arg("--state-dir").arg(self.state_dir()).arg("--socket").arg(self.socket());
        command.env("NOTIFY_SOCKET", &notify).env("WATCHDOG_USEC", WATCHDOG_MICROSECONDS).env_remove("WATCHDOG_PID");
        command.env("ERASURED_LOG", filter);
        command.stdin(Stdio::null()).stdout(log.try_clone().doing("open the daemon's log")?).stderr(log);
        let began = Instant::now();
        let held = Held::start(&mut command)?;
        let mut daemon = Daemon { site: self, held, told, ready_after: Duration::ZERO };
        daemon.wait_for_ready(began)?;
        Ok(daemon)
    }

    /// What the client says to this, with `--json`.
    pub fn ctl(&self, words: &[&str], while_waiting: impl FnMut() -> Outcome<()>) -> Outcome<Answer> {
        let mut command = program(env!("CARGO_BIN_EXE_erasurectl"));
        answer(command.arg("--socket").arg(self.socket()).arg("--json").args(words), while_waiting)
    }

    /// What the client answers to this, as JSON.
    pub fn json(&self, words: &[&str]) -> Outcome<Value> {
        let said = self.ctl(words, go_on)?;
        if said.code != Some(0) {
            return Err(refused(&format!("erasurectl {}", words.join(" ")), &said));
        }
        serde_json::from_str(&said.stdout).doing("read what the client says")
    }

    /// Puts what the client writes to this, as it is, into a file.
    pub fn save(&self, words: &[&str], path: &Path) -> Outcome<()> {
        let mut command = program(env!("CARGO_BIN_EXE_erasurectl"));
        let file = File::create(path).doing(format_args!("make {}", path.display()))?;
        command.arg("--socket").arg(self.socket()).args(words).stdin(Stdio::null()).stdout(file);
        match Held::start(&mut command)?.wait(None)? {
            Some(status) if status.success() => Ok(()),
            _ => Err(Fault::new(format!("erasurectl {} fails; what it says stands above", words.join(" ")))),
        }
    }

    /// Sends JSON to a path of the daemon's socket, as any program can.
    pub fn post(&self, path: &str, body: &str) -> Outcome<()> {
        let mut stream = UnixStream::connect(self.socket()).doing("reach the daemon")?;
        let head = format!("POST {path} HTTP/1.1\r\nhost: erasured\r\ncontent-type: application/json\r\n");
        let head = format!("{head}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).doing("ask the daemon")?;
        stream.write_all(body.as_bytes()).doing("ask the daemon")?;
        let mut said = Vec::new();
        stream.read_to_end(&mut said).doing("hear the daemon")?;
        let said = String::from_utf8_lossy(&said);
        if said.starts_with("HTTP/1.1 200") {
            return Ok(());
        }
        let said: String = said.chars().take(600).collect();
        Err(Fault::new(format!("the daemon refuses {path}: {said}")))
    }
}

fn refused(what: &str, said: &Answer) -> Fault {
    Fault::new(format!("{what} fails: {}{}", said.stdout, said.stderr))
}

/// A program in an environment that says nothing to it. Its user's own is not asked.
pub fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    FOREIGN.iter().for_each(|name| {
        command.env_remove(name);
    });
    command
}

/// A daemon that is up.
pub struct Daemon<'s> {
    site: &'s Site,
    held: Held,
    told: UnixDatagram,
    /// How long it took from its beginning until it was ready.
    pub ready_after: Duration,
}

impl Daemon<'_> {
    fn wait_for_ready(&mut self, began: Instant) -> Outcome<()> {
        let mut buffer = [0; 512];
        while began.elapsed() < LIMIT {
            if let Ok(length) = self.told.recv(&mut buffer)
                && String::from_utf8_lossy(&buffer[..length]).contains("READY=1")
            {
                self.ready_after = began.elapsed();
                return self.told.set_nonblocking(true).doing("listen to the daemon");
            }
            if self.held.ended()?.is_some() {
                let log = fs::read_to_string(self.site.log()).unwrap_or_default();
                return Err(Fault::new(format!("the daemon does not come up:\n{log}")));
            }
            go_on()?;
        }
        Err(Fault::new("the daemon does not come up in time"))
    }

    /// Takes what it has told its service manager, so that it need not wait for us.
    pub fn listen(&self) {
        let mut buffer = [0; 512];
        while self.told.recv(&mut buffer).is_ok() {}
    }

    /// Where the kernel tells of it.
    pub fn proc(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.held.id()))
    }

    /// The most memory that it has had, in KiB.
    pub fn peak_kib(&self) -> Outcome<u64> {
        status(&self.proc().join("status"), "VmHWM")
    }

    /// Asks it to stop, as a service manager does; it goes on to the end of its batch.
    pub fn ask_to_stop(&self) -> Outcome<()> {
        let id = i32::try_from(self.held.id()).doing("name a process")?;
        kill(Pid::from_raw(id), Signal::SIGTERM).doing("stop the daemon")
    }

    /// Stops it; it must end well.
    pub fn stop(mut self) -> Outcome<()> {
        self.ask_to_stop()?;
        match self.held.wait(Some(LIMIT))? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(Fault::new(format!("the daemon ends with {status}"))),
            None => Err(Fault::new("the daemon does not stop")),
        }
    }
}

/// Copies a file, and waits until it is on the disk.
pub fn copy(from: &Path, to: &Path) -> Outcome<()> {
    go_on()?;
    let doing = format!("copy {}", from.display());
    fs::copy(from, to).doing(&doing)?;
    File::open(to).and_then(|file| file.sync_all()).doing(doing)
}

/// Copies a folder with all that is in it but sockets.
pub fn copy_folder(from: &Path, to: &Path) -> Outcome<()> {
    for entry in fs::read_dir(from).doing("read a folder")? {
        let entry = entry.doing("read a folder")?;
        let (kind, target) = (entry.file_type().doing("read a folder")?, to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&target).doing("make a folder")?;
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Removes a database with its journals.
pub fn remove(database: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        // What is not there need not go.
        let _ = fs::remove_file(format!("{}{suffix}", database.display()));
    }
}
