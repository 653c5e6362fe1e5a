//! Reading what was typed: help, and what is wrong with it, in the reader's language.
//!
//! In English both are as clap makes them. In German the same definition is gone over once: there is no second one.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use super::tongue::{language, told};
use crate::language::Language;

/// What clap itself writes into help and usage, each with what it means.
const HEADINGS: [&str; 5] = ["Usage:", "Commands:", "Arguments:", "Options:", "Possible values:"];
/// What clap itself writes within lines of help.
const MARKS: [&str; 6] =
    ["[OPTIONS]", "<COMMAND>", "[COMMAND]", "[possible values:", "Print help", "see a summary with '-h'"];
/// How it begins a line about one of several values.
const VALUE: &str = "- ";

/// What the reader is told instead of an answer.
pub(super) struct Said {
    /// Whether something was wrong; otherwise help was asked for.
    pub(super) is_wrong: bool,
    pub(super) text: String,
}

/// The arguments, read.
pub(super) fn read<T: CommandFactory + FromArgMatches>(arguments: &[OsString]) -> Result<T, Said> {
    let mut command = T::command();
    if language() != Language::English {
        // Only what is built has every argument in it: those of clap, and those that hold for all verbs.
        command.build();
        command = translated(command);
    }
    let read = command.try_get_matches_from_mut(arguments).and_then(|matches| T::from_arg_matches(&matches));
    read.map_err(|error| said(&error.format(&mut command)))
}

/// The command with its help in the reader's language.
fn translated(command: Command) -> Command {
    let text = |text: Option<&clap::builder::StyledStr>| text.map(|text| told(&text.to_string()));
    let (about, after) = (text(command.get_about()), text(command.get_after_help()));
    let command = command.mut_args(translated_argument).mut_subcommands(translated);
    let command = about.into_iter().fold(command, Command::about);
    after.into_iter().fold(command, Command::after_help)
}

fn translated_argument(argument: Arg) -> Arg {
    let help = argument.get_help().map(|help| told(&help.to_string()));
    let name = argument.get_value_names().and_then(|names| language().word(names.first()?));
    let argument = help.into_iter().fold(argument, Arg::help);
    name.into_iter().fold(argument, Arg::value_name)
}

fn said(error: &clap::Error) -> Said {
    let is_wrong = error.use_stderr();
    let text = match language() {
        Language::English => error.render().to_string(),
        Language::German if is_wrong => complaint(error),
        Language::German => with_headings(&error.render().to_string()),
    };
    Said { is_wrong, text }
}

/// Help as clap has laid it out, with its headings in the reader's language.
fn with_headings(text: &str) -> String {
    let mut told_text = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let heading = HEADINGS.into_iter().find(|heading| line.trim_start().starts_with(heading));
        let mut line = match (heading, line.split_once(": ")) {
            (Some(heading), _) => line.replacen(heading, &told(heading), 1),
            (None, Some((value, help))) if value.trim_start().starts_with(VALUE) => format!("{value}: {}", told(help)),
            (None, _) => line.to_owned(),
        };
        for mark in MARKS {
            line = line.replace(mark, &told(mark));
        }
        told_text.push_str(&line);
    }
    told_text
}

/// What is wrong, in the form in which the house says so: one sentence, what to do, and how it is used.
fn complaint(error: &clap::Error) -> String {
    let mut lines = vec![told(&format!("error: {}", sentence(error)))];
    lines.extend(hints(error).into_iter().map(|hint| told(&format!("hint: {hint}"))));
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        lines.push(format!("\n{}", with_headings(&usage.to_string())));
    }
    lines.push(format!("\n{}", told("--help tells more")));
    lines.join("\n") + "\n"
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn sentence(error: &clap::Error) -> String {
    let of = |kind| context(error, kind);
    let (argument, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let typed = of(ContextKind::InvalidSubcommand);
    let why = std::error::Error::source(error).map(ToString::to_string);
    match (error.kind(), why) {
        (ErrorKind::InvalidValue, _) if value.is_empty() => format!("a value is missing behind {argument}"),
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, None) => {
            format!("cannot use \"{value}\" for {argument}")
        }
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(why)) => {
            format!("cannot use \"{value}\" for {argument}: {why}")
        }
        (ErrorKind::UnknownArgument, _) => format!("there is no option or argument {argument} here"),
        (ErrorKind::InvalidSubcommand, _) => format!("there is no verb {typed}"),
        (ErrorKind::MissingRequiredArgument, _) => format!("this is missing: {argument}"),
        (ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, _) => {
            "a verb is missing".to_owned()
        }
        (ErrorKind::ArgumentConflict, _) => {
            let prior = of(ContextKind::PriorArg);
            if prior == argument || prior.is_empty() {
                format!("{argument} can be given only once")
            } else {
                format!("{argument} and {prior} do not go together")
            }
        }
        (ErrorKind::TooManyValues, _) => format!("there is one value too many for {argument}: \"{value}\""),
        (ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues, _) => {
            format!("{argument} takes another number of values")
        }
        (ErrorKind::InvalidUtf8, _) => "what was typed is not UTF-8".to_owned(),
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

fn hints(error: &clap::Error) -> Vec<String> {
    let mut hints = Vec::new();
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue] {
        let similar = context(error, kind);
        if !similar.is_empty() {
            hints.push(format!("similar is {similar}"));
        }
    }
    for kind in [ContextKind::ValidValue, ContextKind::ValidSubcommand] {
        let possible = context(error, kind);
        if !possible.is_empty() {
            hints.push(format!("possible are {possible}"));
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::args::Args;

    /// What can be typed, with everything below it.
    fn all(command: &Command) -> Vec<&Command> {
        std::iter::once(command).chain(command.get_subcommands().flat_map(all)).collect()
    }

    #[test]
    fn all_help_is_in_the_catalogue() {
        let mut command = Args::command();
        command.build();
        let mut missing = Vec::new();
        for command in all(&command).into_iter().filter(|command| command.get_name() != "help") {
            let mut texts: Vec<String> = command.get_about().into_iter().map(ToString::to_string).collect();
            texts.extend(command.get_after_help().map(ToString::to_string));
            for argument in command.get_arguments() {
                texts.extend(argument.get_help().map(ToString::to_string));
                let names = argument.get_value_names().filter(|_| argument.get_action().takes_values());
                let names = names.unwrap_or_default().iter().map(ToString::to_string);
                missing.extend(names.filter(|name| Language::German.word(name).is_none()));
                let values = argument.get_possible_values();
                texts.extend(values.iter().filter_map(|value| value.get_help()).map(ToString::to_string));
            }
            missing.extend(texts.into_iter().filter(|text| Language::German.tell(text) == *text));
        }
        missing.sort_unstable();
        missing.dedup();
        assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    }
}
