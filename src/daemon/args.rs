//! The command line of `erasured`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

/// Where the settings are, where nothing else is said.
const CONFIG_DIRECTORY: &str = "/etc/erasured";
/// Where the state is, where neither systemd nor the command line says so.
const STATE_DIRECTORY: &str = "/var/lib/erasured";
/// Where the socket is, where neither systemd nor the command line says so.
const SOCKET: &str = "/run/erasured/admin.sock";

/// Erases people from an application's own database: on time, provably, and never the wrong ones.
#[derive(Debug, Parser)]
#[command(name = "erasured", version, arg_required_else_help = false)]
struct Erasured {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the daemon in the foreground (what systemd starts)
    Run(RunArgs),
    /// Draft settings from an application's database, to be decided about; changes nothing in it
    Init(InitArgs),
    /// Check the settings against the live schema; changes nothing
    Check(CheckArgs),
    /// Show what prepare and erase would do now, record by record; changes nothing, needs no daemon
    Plan(PlanArgs),
    /// Show what is left in the sources' files where nothing should be; changes nothing, needs no daemon
    Prove(ProveArgs),
    /// Open a source again that was closed because it, or the state, had been restored from elsewhere
    Reopen(ReopenArgs),
    /// Put another key in the place of one, so that what was signed or taken before still holds
    Rotate(RotateArgs),
    /// Show what the clock has shown; with --accept, take its word that it is right
    Clock(ClockArgs),
    /// Make a small CRM in a folder of its own and walk through the whole main job on it
    Demo(DemoArgs),
}

/// Where the settings are.
#[derive(Debug, Clone, Args)]
pub(super) struct ConfigArg {
    /// Folder with erasured.toml and categories/
    #[arg(long, value_name = "DIR", default_value = CONFIG_DIRECTORY)]
    pub(super) config: PathBuf,
}

/// Where the state is.
#[derive(Debug, Clone, Args)]
pub(super) struct StateArg {
    /// Folder of the daemon's own database and keys
    #[arg(long, value_name = "DIR", env = "STATE_DIRECTORY", default_value = STATE_DIRECTORY)]
    pub(super) state_dir: PathBuf,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogForm {
    /// To the journal where there is one, else as text
    Auto,
    /// As text, to standard output
    Text,
    /// As JSON, one object a line, to standard output
    Json,
    /// To the journal
    Journald,
}

/// Arguments of `run`.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) config: ConfigArg,
    #[command(flatten)]
    pub(super) state: StateArg,
    /// Unix socket to bind, where systemd passes none
    #[arg(long, value_name = "PATH", default_value = SOCKET)]
    pub(super) socket: PathBuf,
    /// Refuse to make keys at the first start: they are credentials
    #[arg(long)]
    pub(super) no_new_keys: bool,
    /// Form of the log
    #[arg(long, value_name = "FORM", value_enum, default_value = "auto")]
    pub(super) log: LogForm,
}

/// Arguments of `init`.
#[derive(Debug, Clone, Args)]
pub(super) struct InitArgs {
    /// The application's database: sqlite:PATH
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// New folder for the settings
    #[arg(long, value_name = "DIR", default_value = CONFIG_DIRECTORY)]
    pub(super) config: PathBuf,
    /// Name of the source in the settings [default: after the file]
    #[arg(long, value_name = "NAME")]
    pub(super) source: Option<String>,
}

/// Arguments of `check`.
#[derive(Debug, Clone, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) config: ConfigArg,
    #[command(flatten)]
    pub(super) state: StateArg,
    // Accepted so that the same arguments serve every command.
    #[arg(long, value_name = "PATH", hide = true)]
    socket: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `plan`.
#[derive(Debug, Clone, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) config: ConfigArg,
    #[command(flatten)]
    pub(super) state: StateArg,
    // Accepted so that the same arguments serve every command.
    #[arg(long, value_name = "PATH", hide = true)]
    socket: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `prove`.
#[derive(Debug, Clone, Args)]
pub(super) struct ProveArgs {
    #[command(flatten)]
    pub(super) config: ConfigArg,
    #[command(flatten)]
    pub(super) state: StateArg,
    // Accepted so that the same arguments serve every command.
    #[arg(long, value_name = "PATH", hide = true)]
    socket: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `reopen`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReopenArgs {
    /// The source's name in erasured.toml
    #[arg(value_name = "SOURCE")]
    pub(super) source: String,
    #[command(flatten)]
    pub(super) config: ConfigArg,
    #[command(flatten)]
    pub(super) state: StateArg,
}

/// A key of the daemon's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeyName {
    /// What checkpoints of the audit trail are signed with
    CheckpointKey,
    /// What tells whether a record is still the same person
    FingerprintKey,
}

/// Arguments of `rotate`.
#[derive(Debug, Clone, Args)]
pub(super) struct RotateArgs {
    /// Which key
    #[arg(value_name = "KEY", value_enum)]
    pub(super) key: KeyName,
    /// File to write the new key to, where the keys are credentials
    #[arg(long, value_name = "FILE")]
    pub(super) to: Option<PathBuf>,
    #[command(flatten)]
    pub(super) state: StateArg,
    // Accepted so that the same arguments serve every command.
    #[arg(long, value_name = "DIR", hide = true)]
    config: Option<PathBuf>,
}

/// Arguments of `clock`.
#[derive(Debug, Clone, Args)]
pub(super) struct ClockArgs {
    /// The clock is right, whatever it has shown before
    #[arg(long)]
    pub(super) accept: bool,
    #[command(flatten)]
    pub(super) state: StateArg,
    // Accepted so that the same arguments serve every command.
    #[arg(long, value_name = "DIR", hide = true)]
    config: Option<PathBuf>,
}

/// Arguments of `demo`.
#[derive(Debug, Clone, Args)]
pub(super) struct DemoArgs {
    /// Folder to make the demo in; it must not exist yet [default: a new one below the temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// End after the walk instead of waiting with the daemon running
    #[arg(long)]
    pub(super) once: bool,
    /// Makes other people of the same kind
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) seed: u64,
}

/// All that can be typed.
pub(super) fn command() -> clap::Command {
    Erasured::command()
}

/// Reads the command line. Without a command it is `run`.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match Erasured::try_parse_from(&arguments)?.command {
        Some(command) => Ok(command),
        None => {
            let program = arguments.into_iter().next().unwrap_or_else(|| OsString::from("erasured"));
            let command = Erasured::try_parse_from([program, OsString::from("run")])?.command;
            command.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Command, clap::Error> {
        parse(words.split(' ').map(OsString::from))
    }

    #[test]
    fn the_same_arguments_serve_every_command() {
        for command in ["run", "check", "plan", "prove"] {
            let words = format!("erasured {command} --config /c --state-dir /s --socket /x");
            assert!(parse_words(&words).is_ok(), "{command}");
        }
    }

    #[test]
    fn without_a_command_it_runs() {
        assert!(matches!(parse_words("erasured"), Ok(Command::Run(_))));
        assert!(parse_words("erasured nonsense").is_err());
    }
}
