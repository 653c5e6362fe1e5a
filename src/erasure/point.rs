//! Places at which a test can stop the engine, by error or by killing the process.
//!
//! Without the feature `failpoints` nothing of this is in the program.

/// Every place: those of a batch in the order in which it passes them, those of runs, those of a start.
pub const POINTS: [&str; 17] = [
    "batch-locked",
    "batch-planned",
    "category-changed",
    "intent-written",
    "batch-changed",
    "batch-marked",
    "batch-committed",
    "outcome-written",
    "brake-looked",
    "removal-begun",
    "removal-step-done",
    "removal-vacuumed",
    "prepare-proposed",
    "trail-cut",
    "run-finishing",
    "start-noted",
    "source-settled",
];

/// Reads from the environment which places are to stop the process (`FAILPOINTS=batch-marked=return`).
pub fn arm() {
    #[cfg(feature = "failpoints")]
    std::mem::forget(fail::FailScenario::setup());
}

/// Passes the place of this name: where a test has armed it, the process is killed as `kill -9` kills it.
pub fn pass(name: &'static str) {
    #[cfg(not(feature = "failpoints"))]
    let _ = name;
    #[cfg(feature = "failpoints")]
    fail::fail_point!(name, |_| {
        tracing::error!(name, "killed at a failpoint");
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
        // The signal may take a moment; nothing more may happen until it does.
        loop {
            std::thread::park();
        }
    });
}
