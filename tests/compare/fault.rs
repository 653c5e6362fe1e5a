//! What can go wrong: one sentence, told at the end. Also whether somebody wants the benchmark to end before its time.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

/// Why the benchmark cannot go on.
#[derive(Debug)]
pub struct Fault(String);

/// What most of it gives.
pub type Outcome<T> = Result<T, Fault>;

impl Fault {
    /// A fault with this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says what was to be done when an error came.
pub trait Doing<T> {
    /// `cannot <what>: <error>`.
    fn doing(self, what: impl Display) -> Outcome<T>;
}

impl<T, E: Display> Doing<T> for Result<T, E> {
    fn doing(self, what: impl Display) -> Outcome<T> {
        self.map_err(|error| Fault(format!("cannot {what}: {error}")))
    }
}

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on an interrupt ends the benchmark in order: with its processes ended and its files removed.
pub fn heed_interrupts() -> Outcome<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(flag)).doing("listen for signals")?;
    }
    Ok(())
}

/// Fails when somebody has interrupted the benchmark. Whatever waits, asks.
pub fn go_on() -> Outcome<()> {
    let is_interrupted = INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed));
    if is_interrupted { Err(Fault::new("interrupted")) } else { Ok(()) }
}
