//! The machine that it was measured on: figures without it say little.

use std::fs;
use std::path::Path;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::process::status;

/// What is worth saying of it.
pub fn report(today: Date) -> Value {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = text("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, model)| model);
    let memory_kib = status(Path::new("/proc/meminfo"), "MemTotal").unwrap_or(0);
    json!({
        "processor": model,
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_mib": memory_kib >> 10,
        "kernel": text("/proc/sys/kernel/osrelease").trim(),
        "day": today.to_string(),
        "is_optimised": !cfg!(debug_assertions),
    })
}
