//! What the program `erasured-pages` writes for packages: manual pages and completions, held against the programs themselves
//! and against the tools that read them; and the commands that pages and documents show. That the pages of the settings have every key is held in `config`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// All that is written.
fn written() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_erasured-pages")).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    folder
}

fn page(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join("man").join(name)).unwrap()
}

/// A program of the machine; `None` where it is not there, and what it would have looked at is left to machines that have it.
fn tool(name: &str) -> Option<Command> {
    let is_there = Command::new(name).arg("--version").output().is_ok();
    let output = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
    (is_there && output.status.success()).then(|| Command::new(name))
}

/// The examples of a page that stand between `.EX` and `.EE`, as they are read.
fn examples(page: &str) -> Vec<String> {
    let parts = page.split("\n.EX\n").skip(1).map(|rest| rest.split_once(".EE").expect("an end").0);
    let read =
        |text: &str| text.replace("\\-", "-").replace("\\(aq", "'").replace("\\[u00E4]", "ä").replace("\\e", "\\");
    parts.map(read).collect()
}

#[test]
fn pages_and_completions_are_written_where_packages_look_for_them() {
    let folder = written();
    let mut found: Vec<PathBuf> = Vec::new();
    for shell in fs::read_dir(folder.path()).unwrap() {
        found.extend(fs::read_dir(shell.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    found.sort();
    let names: Vec<&str> =
        found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
    let expected = [
        "bash/erasurectl",
        "bash/erasured",
        "fish/erasurectl.fish",
        "fish/erasured.fish",
        "man/erasurectl.1",
        "man/erasured-category.5",
        "man/erasured.8",
        "man/erasured.toml.5",
        "zsh/_erasurectl",
        "zsh/_erasured",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_folder_has_to_be_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_erasured-pages")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot tell where to write"));
}

/// Commands with all that can be typed behind each, but for what is hidden and for those that only have others below them.
fn commands(of: &clap::Command) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for command in of.get_subcommands().filter(|command| command.get_name() != "help") {
        if !command.is_subcommand_required_set() {
            let longs = command.get_arguments().filter(|argument| !argument.is_hide_set());
            let longs = longs.filter_map(|argument| argument.get_long()).map(str::to_owned).collect();
            found.push((command.get_bin_name().unwrap().to_owned(), longs));
        }
        found.extend(commands(command));
    }
    found
}

/// The section of a command, whose heading says how it is used.
fn section_of<'p>(page: &'p str, command: &str) -> Option<&'p str> {
    let mut sections = page.split("\n.SS ");
    sections.find(|section| {
        let heading = section.lines().next().unwrap_or_default().trim_matches('"');
        heading.replace("\\-", "-").strip_prefix(command).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

#[test]
fn every_command_and_every_option_is_in_its_page() {
    let folder = written();
    for (file, mut program) in [("erasured.8", erasured::daemon::command()), ("erasurectl.1", erasured::ctl::command())]
    {
        let page = page(&folder, file);
        program.build();
        let all = commands(&program);
        assert!(all.len() > 6, "{file}");
        for (command, longs) in all {
            let section = section_of(&page, &command).unwrap_or_else(|| panic!("{file} has no {command}"));
            let general = page.split_once(".SH COMMANDS").unwrap().0;
            for long in longs {
                let option = format!("\\-\\-{}", long.replace('-', "\\-"));
                assert!(section.contains(&option) || general.contains(&option), "{command} --{long}");
            }
        }
        let (head, version) = (page.lines().next().unwrap(), env!("CARGO_PKG_VERSION"));
        assert!(head.contains(&format!("erasured {version}")), "{head}");
        assert!(!page.contains("\n.\\\""), "{file}: something was not put in");
    }
}

#[test]
fn every_exit_code_is_in_the_page_of_erasurectl() {
    let folder = written();
    let page = page(&folder, "erasurectl.1");
    let program = erasured::ctl::command();
    let told = program.get_after_help().unwrap().to_string();
    let codes: Vec<&str> = told.split_whitespace().filter(|word| word.parse::<u8>().is_ok()).collect();
    assert_eq!(codes.len(), 7, "{told}");
    let (_, section) = page.split_once(".SH \"EXIT STATUS\"").unwrap();
    for code in codes {
        assert!(section.contains(&format!("\n.TP\n.B {code}\n")), "{code}");
    }
}

/// The settings of the two pages with more behind those of `erasured.toml`, as they are loaded: without a warning.
fn load_examples(behind: &str) -> erasured::config::Settings {
    let written = written();
    let (top, category) = (page(&written, "erasured.toml.5"), page(&written, "erasured-category.5"));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("categories")).unwrap();
    let [top, category] = [examples(&top).remove(0), examples(&category).remove(0)];
    fs::write(folder.path().join("erasured.toml"), format!("{top}\n{behind}")).unwrap();
    fs::write(folder.path().join("categories/prospect.toml"), category).unwrap();
    let loaded = erasured::config::load(folder.path()).expect("the examples load");
    assert!(loaded.warnings.is_empty(), "{:#?}", loaded.warnings);
    loaded.settings
}

#[test]
fn the_examples_in_the_pages_of_the_settings_load_without_a_word() {
    load_examples("");
}

#[test]
fn the_grants_that_the_operators_page_shows_load_too() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operators.md")).unwrap();
    let shown = page.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    assert_eq!(load_examples(shown).grants.len(), load_examples("").grants.len() + 2);
}

/// The words of a command line, one list for each of its commands; what is behind a redirection or in a comment is none.
fn words(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut word, mut is_quoted) = (vec![Vec::new()], None::<String>, false);
    for one in line.chars().chain([' ']) {
        match one {
            '"' => (is_quoted, word) = (!is_quoted, Some(word.unwrap_or_default())),
            ' ' if !is_quoted => {
                let ended = word.take();
                match ended.as_deref() {
                    Some("#" | ">" | "<") => break,
                    Some("|" | "&&") => commands.push(Vec::new()),
                    _ => commands.last_mut().unwrap().extend(ended),
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    commands
}

/// The lines in which a document shows something typed, but for those that it shows to be wrong usage.
fn typed(document: &str) -> Vec<String> {
    let blocks = document.split("```console\n").skip(1).map(|rest| rest.split_once("```").expect("an end").0);
    let mut found = Vec::new();
    for block in blocks {
        let mut lines = block.lines().peekable();
        while let Some(line) = lines.next() {
            let typed = line.split_once("$ ").or_else(|| line.split_once("# ")).filter(|(host, _)| host.len() < 4);
            let is_wrong = lines.peek().is_some_and(|next| next.starts_with("error: cannot postpone without"));
            found.extend(typed.filter(|_| !is_wrong).map(|(_, typed)| typed.to_owned()));
        }
    }
    found
}

#[test]
fn what_is_shown_to_be_typed_can_be_typed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut lines = typed(&fs::read_to_string(root.join("README.md")).unwrap());
    for document in fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()) {
        if document.is_file() {
            lines.extend(typed(&fs::read_to_string(document).unwrap()));
        }
    }
    let written = written();
    for file in ["erasured.8", "erasurectl.1"] {
        let examples = examples(&page(&written, file)).concat().replace("\\\n", " ");
        lines.extend(examples.lines().map(str::to_owned));
    }
    let commands = lines.iter().flat_map(|line| words(line));
    let commands: Vec<_> = commands.filter(|words| !words.iter().any(|word| word.contains('…'))).collect();
    for mut program in [erasured::daemon::command(), erasured::ctl::command()] {
        let (name, mut count) = (program.get_name().to_owned(), 0);
        for words in commands.iter().filter(|words| words.first() == Some(&name)) {
            let got = program.try_get_matches_from_mut(words);
            assert!(got.is_ok(), "{words:?}: {}", got.unwrap_err());
            count += 1;
        }
        assert!(count > 15, "{name}: {count}");
    }
    assert_eq!(words("a \"b c\" && d > e # f"), [vec!["a", "b c"], vec!["d"]]);
}

/// What a tool says about each page: nothing, if all is well.
fn said_of_each(folder: &Path, tool: impl Fn(&Path) -> Output) -> String {
    let mut said = String::new();
    for file in fs::read_dir(folder.join("man")).unwrap() {
        let output = tool(&file.unwrap().path());
        assert!(output.status.success(), "{output:?}");
        said.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    said
}

#[test]
fn man_and_mandoc_have_nothing_to_say_against_the_pages() {
    let folder = written();
    if tool("man").is_some() && tool("groff").is_some() {
        let man = |path: &Path| {
            let mut man = Command::new("man");
            man.args(["--warnings", "-l"]).arg(path).env("LC_ALL", "C.UTF-8").env("MANWIDTH", "100").output().unwrap()
        };
        assert_eq!(said_of_each(folder.path(), man), "");
    }
    if tool("mandoc").is_some() {
        let mandoc = |path: &Path| {
            let mut output =
                Command::new("mandoc").args(["-T", "lint", "-W", "warning,stop"]).arg(path).output().unwrap();
            output.stderr = output.stdout.clone();
            output
        };
        assert_eq!(said_of_each(folder.path(), mandoc), "");
    }
}

#[test]
fn shells_read_the_completions_and_bash_completes() {
    let folder = written();
    for (shell, file) in [
        ("bash", "bash/erasured"),
        ("bash", "bash/erasurectl"),
        ("zsh", "zsh/_erasured"),
        ("zsh", "zsh/_erasurectl"),
        ("fish", "fish/erasured.fish"),
        ("fish", "fish/erasurectl.fish"),
    ] {
        if let Some(mut shell) = tool(shell) {
            let output = shell.arg("-n").arg(folder.path().join(file)).output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{file}: {output:?}");
        }
    }
    let Some(mut bash) = tool("bash") else { return };
    let script = ". \"$1\"; COMP_WORDS=(erasurectl conf); COMP_CWORD=1; _erasurectl erasurectl conf erasurectl; \
                  echo \"${COMPREPLY[@]}\"";
    let output = bash.args(["-c", script, "bash"]).arg(folder.path().join("bash/erasurectl")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "confirm\n", "{output:?}");
}
