//! Writes the manual pages of the two programs, and what completes their command lines in shells, into a folder. Packages
//! need it; it is built with the feature `pages` and installed nowhere.
//!
//! What can be typed comes from the programs' own definitions. The rest of each page is written by hand in `docs/man`, where
//! comments stand for what is put in.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Command;
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

/// A page as it is written by hand.
struct Page {
    file: &'static str,
    text: &'static str,
    /// The program that it is about; none where it is about files.
    program: Option<fn() -> Command>,
}

const PAGES: [Page; 4] = [
    Page {
        file: "erasured.8",
        text: include_str!("../../docs/man/erasured.8"),
        program: Some(erasured::daemon::command),
    },
    Page {
        file: "erasurectl.1",
        text: include_str!("../../docs/man/erasurectl.1"),
        program: Some(erasured::ctl::command),
    },
    Page { file: "erasured.toml.5", text: include_str!("../../docs/man/erasured.toml.5"), program: None },
    Page { file: "erasured-category.5", text: include_str!("../../docs/man/erasured-category.5"), program: None },
];

/// Comments of a page that stand for what comes from the program.
const SYNOPSIS: &str = ".\\\" synopsis\n";
const OPTIONS: &str = ".\\\" options\n";
const COMMANDS: &str = ".\\\" commands\n";
/// Stands for the program's version in the heads of pages.
const VERSION: &str = "VERSION";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), None) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        return failed("cannot tell where to write: give one folder, as in erasured-pages target/pages");
    };
    match write_all(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("cannot write pages into {}: {error}", folder.display())),
    }
}

fn failed(what: &str) -> ExitCode {
    // Who closes stderr does not want to be told.
    let _ = writeln!(io::stderr(), "error: {what}");
    ExitCode::FAILURE
}

/// Pages into `man`, completions into a folder for each shell, under the names by which they are looked for.
fn write_all(folder: &Path) -> io::Result<()> {
    let man = folder.join("man");
    fs::create_dir_all(&man)?;
    for page in &PAGES {
        fs::write(man.join(page.file), page.whole()?)?;
    }
    for command in PAGES.iter().filter_map(|page| page.program) {
        let name = command().get_name().to_owned();
        for (shell, file) in
            [(Shell::Bash, name.clone()), (Shell::Zsh, format!("_{name}")), (Shell::Fish, format!("{name}.fish"))]
        {
            let place = folder.join(shell.to_string());
            fs::create_dir_all(&place)?;
            generate(shell, &mut command(), name.as_str(), &mut File::create(place.join(file))?);
        }
    }
    Ok(())
}

impl Page {
    fn whole(&self) -> io::Result<String> {
        let text = self.text.replacen(VERSION, env!("CARGO_PKG_VERSION"), 1);
        let Some(program) = self.program else { return Ok(text) };
        let mut program = program().disable_help_subcommand(true);
        // Only what is built knows how it is called and what holds for every verb.
        program.build();
        let mut commands = String::new();
        for command in program.get_subcommands() {
            write_command(command, &mut commands)?;
        }
        let text = text.replacen(SYNOPSIS, &synopsis(&program)?, 1);
        let text = text.replacen(OPTIONS, &options(&program)?, 1);
        Ok(text.replacen(COMMANDS, &commands, 1))
    }
}

/// A section for the command, and for each below it; one that only has others below it has none of its own.
fn write_command(command: &Command, page: &mut String) -> io::Result<()> {
    if command.is_hide_set() {
        return Ok(());
    }
    // What holds for every verb has been told once.
    let mut command = command.clone().mut_args(|argument| {
        let is_told = argument.is_global_set() || argument.get_id() == "help";
        let is_hidden = argument.is_hide_set();
        argument.hide(is_told || is_hidden)
    });
    if !command.is_subcommand_required_set() {
        let usage = usage(&mut command);
        // Those below it have sections of their own.
        let heading = escaped(usage.lines().next().unwrap_or_default());
        let about = escaped(&command.get_about().map(ToString::to_string).unwrap_or_default());
        page.push_str(&format!(".SS \"{heading}\"\n{about}.\n{}", options(&command)?));
    }
    command.get_subcommands().try_for_each(|below| write_command(below, page))
}

/// How it is used, one way a line.
fn usage(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    usage.trim_start_matches("Usage:").lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

fn synopsis(command: &Command) -> io::Result<String> {
    let usage = usage(&mut command.clone());
    rendered(|page| Man::new(command.clone().override_usage(usage)).render_synopsis_section(page))
}

fn options(command: &Command) -> io::Result<String> {
    rendered(|page| Man::new(command.clone()).render_options_section(page))
}

/// What belongs to one section, without its heading and without what stands at the head of a whole page.
fn rendered(render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<String> {
    let mut page = Vec::new();
    render(&mut page)?;
    let text = String::from_utf8(page).map_err(io::Error::other)?;
    let section = text.split_once("\n.SH ").and_then(|(_, section)| section.split_once('\n'));
    Ok(section.map(|(_, body)| plain(body)).unwrap_or_default())
}

/// Text that means nothing to the formatter.
fn escaped(text: &str) -> String {
    let mut page = Roff::new();
    page.text([roman(text)]);
    plain(page.to_roff().trim_end())
}

/// Without what every formatter of today knows by itself, and with a line between a text and a list where two breaks were meant.
fn plain(page: &str) -> String {
    page.replace("\\*(Aq", "\\(aq").replace(".br\n\n.br\n", ".sp\n")
}
