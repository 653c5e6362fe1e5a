//! Compares `erasured` with what somebody would write by hand instead, and looks at the application beside it.
//!
//! `cargo bench --bench compare -- --help` tells what can be asked for and what each figure means. Data, scripts and daemon
//! work on copies of one file, through one SQLite library, in one run; so that it is the ratios that mean something on another
//! machine. Everything happens in a folder of its own that is removed at the end, and in processes that end with this one.

mod application;
mod arguments;
mod daemon;
mod data;
mod erase;
mod fault;
mod idle;
mod job;
mod machine;
mod measure;
mod neighbour;
mod prepare;
mod process;
mod report;
mod same;
mod scale;
mod script;
mod settings;
mod sql;
mod stage;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use erasured::clock::{Clock as _, SystemClock};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::de::DeserializeOwned;

use arguments::{Arguments, Asked, Part};
use fault::{Doing as _, Fault, Outcome};
use report::{Figures, talk};
use stage::Stage;

/// Exit code of a command line that cannot be understood.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let asked = match arguments::parse(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(fault) => {
            talk(format_args!("error: {fault}"));
            return ExitCode::from(USAGE);
        }
    };
    let done = match asked {
        Asked::Help => say(&report::help()),
        Asked::Child { name, spec } => child(&name, &spec),
        Asked::Measure(arguments) => measure(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            talk(format_args!("error: {fault}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) -> Outcome<()> {
    writeln!(io::stdout().lock(), "{text}").doing("write to standard output")
}

/// A part of the benchmark in this process.
fn child(name: &str, spec: &str) -> Outcome<()> {
    let found = match name {
        "script-prepare" => part(spec, script::propose),
        "application" => part(spec, application::work),
        "script-erase" => part(spec, script::erase),
        _ => Err(Fault::new(format!("there is no part {name}"))),
    };
    say(&found?)
}

fn part<S: DeserializeOwned, F: Serialize>(spec: &str, work: fn(&S) -> Outcome<F>) -> Outcome<String> {
    let spec = serde_json::from_str(spec).doing("understand what to do")?;
    serde_json::to_string(&work(&spec)?).doing("tell what was found")
}

fn measure(arguments: Arguments) -> Outcome<()> {
    fault::heed_interrupts()?;
    let began = Instant::now();
    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    let (json, only) = (arguments.json, arguments.only.clone());
    let mut figures = Figures::default();
    figures.set("customers", arguments.customers);
    figures.set("runs", arguments.runs);
    figures.set("machine", machine::report(today));
    let stage = Stage::new(arguments, today)?;
    figures.set("due", stage.due());
    if only.contains(&Part::Prepare) {
        prepare::measure(&stage, &mut figures)?;
    }
    if only.contains(&Part::Erase) {
        prepare::confirm(&stage, &mut figures)?;
        erase::measure(&stage, &mut figures)?;
    }
    if only.contains(&Part::Unindexed) {
        erase::unindexed(&stage, &mut figures)?;
    }
    if only.contains(&Part::Neighbour) {
        neighbour::measure(&stage, &mut figures)?;
    }
    if only.contains(&Part::Idle) {
        idle::measure(&stage, &mut figures)?;
    }
    if only.contains(&Part::Scale) {
        scale::measure(&stage, &mut figures)?;
    }
    talk(format_args!("all of it: {:.1?}", began.elapsed()));
    if json { say(&figures.line()?) } else { say(&figures.table()) }
}
