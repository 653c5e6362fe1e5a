//! Processes that belong to the benchmark, none of which outlives it; and what the kernel says of them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::{Doing as _, Fault, Outcome, go_on};

/// Between two looks at whether a process has ended.
const LOOK: Duration = Duration::from_millis(5);
/// What tells the benchmark's own program that it is a child.
pub const CHILD: &str = "child";

/// A process that is killed when nobody holds it any more.
pub struct Held(Child);

impl Held {
    /// Starts it.
    pub fn start(command: &mut Command) -> Outcome<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.spawn().doing(format_args!("start {name}")).map(Self)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it has ended, if it has.
    pub fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        self.0.try_wait().doing("wait for a process")
    }

    /// Waits until it has ended, or for so long.
    pub fn wait(&mut self, limit: Option<Duration>) -> Outcome<Option<ExitStatus>> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            go_on()?;
            if limit.is_some_and(|limit| since.elapsed() > limit) {
                return Ok(None);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn take_stdout(&mut self) -> Outcome<ChildStdout> {
        self.0.stdout.take().ok_or_else(|| Fault::new("cannot read from a process: it has no standard output"))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // One that has ended already needs neither.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program that is to answer has said.
pub struct Answer {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// What it says of itself.
    pub stderr: String,
}

/// Runs a program until it ends; `while_waiting` is asked now and then, and may give up.
pub fn answer(command: &mut Command, mut while_waiting: impl FnMut() -> Outcome<()>) -> Outcome<Answer> {
    let mut held = Held::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let stdout = drain(held.take_stdout()?);
    let stderr = held.0.stderr.take().map(drain);
    let status = loop {
        if let Some(status) = held.wait(Some(Duration::from_millis(50)))? {
            break status;
        }
        while_waiting()?;
    };
    let stderr = stderr.map(|reading| reading.join().unwrap_or_default()).unwrap_or_default();
    Ok(Answer { code: status.code(), stdout: stdout.join().unwrap_or_default(), stderr })
}

fn drain(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        // What cannot be read is missed by whoever parses it.
        let _ = pipe.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// A part of the benchmark in a process of its own.
pub struct Part {
    name: &'static str,
    held: Held,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Part {
    /// Starts the part of this name with what it needs to know.
    pub fn start(name: &'static str, spec: &impl Serialize) -> Outcome<Self> {
        let program = std::env::current_exe().doing("find the benchmark's own program")?;
        let spec = serde_json::to_string(spec).doing("write what a part is to do")?;
        let mut command = Command::new(program);
        command.args([CHILD, name, &spec]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut held = Held::start(&mut command)?;
        let stdin = held.0.stdin.take();
        let stdout = BufReader::new(held.take_stdout()?);
        Ok(Self { name, held, stdin, stdout })
    }

    /// Waits for a line from it.
    pub fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line).doing(format_args!("read from {}", self.name))?;
        if read > 0 { Ok(line) } else { Err(self.failed()) }
    }

    /// Tells it to come to an end, where it is one that goes on until then; gives what it has found.
    pub fn finish<T: DeserializeOwned>(mut self) -> Outcome<T> {
        self.stdin.take();
        let line = self.line()?;
        match self.held.wait(None)? {
            Some(status) if status.success() => {}
            _ => return Err(self.failed()),
        }
        serde_json::from_str(&line).doing(format_args!("understand {}", self.name))
    }

    fn failed(&self) -> Fault {
        Fault::new(format!("{} has failed; what it says stands above", self.name))
    }
}

/// What the part of this name finds.
pub fn ask<T: DeserializeOwned>(name: &'static str, spec: &impl Serialize) -> Outcome<T> {
    Part::start(name, spec)?.finish()
}

/// The number that stands behind this word in a process's status, or in a thread's.
pub fn status(path: &Path, word: &str) -> Outcome<u64> {
    let text = fs::read_to_string(path).doing(format_args!("read {}", path.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok());
    number.ok_or_else(|| Fault::new(format!("cannot find {word} in {}", path.display())))
}

/// The most memory that the calling process has had, in KiB.
pub fn own_peak_kib() -> Outcome<u64> {
    status(Path::new("/proc/self/status"), "VmHWM")
}
