//! The settings from outside: what is told of each mistake, that the settings in the repository load, and that no file
//! makes the loader fall over.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use erasured::actor::Permission;
use erasured::config::{
    Anonymise, Finding, LabelPart, Link, Literal, Loaded, Rule, Settings, Starts, TemplatePart, load, words,
};
use proptest::prelude::*;
use tempfile::TempDir;

const TOP: &str = r#"version = 1
time_zone = "Europe/Vienna"
[schedule]
prepare = "0 2 * * *"
erase = "0 4 * * Sun"
[source.crm]
url = "sqlite:crm.db"
"#;

const CATEGORY: &str = r#"version = 1
source = "crm"
table = "prospects"
[[criterion]]
name = "inactive"
since = "last_contact_on"
period = "3 years"
"#;

/// A settings directory with these files.
fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn load_texts(top: &str, category: &str) -> Result<Loaded, Vec<Finding>> {
    let dir = directory(&[("erasured.toml", top.as_bytes()), ("categories/prospect.toml", category.as_bytes())]);
    load(dir.path())
}

fn loaded(top: &str, category: &str) -> Settings {
    load_texts(top, category).unwrap_or_else(|findings| panic!("{}", rendered(&findings, ""))).settings
}

/// The findings as the operator reads them, with `dir` instead of the place of a test's directory.
fn rendered(findings: &[Finding], dir: &str) -> String {
    let text: Vec<String> = findings.iter().map(|one| format!("{one} [{}]", one.code)).collect();
    let text = text.join("\n");
    if dir.is_empty() { text } else { text.replace(dir, "DIR") }
}

/// What is told of each mistake, which stands in a file that is otherwise right.
fn told(mistakes: &[(&str, &str, &str)]) -> String {
    let mut report = String::new();
    for (mistake, top, category) in mistakes {
        let findings = match load_texts(top, category) {
            Ok(loaded) if loaded.warnings.is_empty() => panic!("not noticed: {mistake}"),
            Ok(loaded) => loaded.warnings,
            Err(findings) => findings,
        };
        for finding in &findings {
            assert!(finding.hint.is_some(), "no hint: {mistake}: {finding}");
            assert!(!finding.message.ends_with('.'), "{finding}");
        }
        let _ = writeln!(report, "# {mistake}\n{}\n", rendered(&findings, ""));
    }
    report
}

fn in_top(mistake: &'static str, added: &str) -> (&'static str, String, String) {
    (mistake, format!("{TOP}{added}"), CATEGORY.to_owned())
}

fn instead_in_top(mistake: &'static str, of: &str, put: &str) -> (&'static str, String, String) {
    assert!(TOP.contains(of), "{of}");
    (mistake, TOP.replace(of, put), CATEGORY.to_owned())
}

fn in_category(mistake: &'static str, added: &str) -> (&'static str, String, String) {
    (mistake, TOP.to_owned(), format!("{CATEGORY}{added}"))
}

fn instead(mistake: &'static str, of: &str, put: &str) -> (&'static str, String, String) {
    assert!(CATEGORY.contains(of), "{of}");
    (mistake, TOP.to_owned(), CATEGORY.replace(of, put))
}

fn told_of(mistakes: &[(&str, String, String)]) -> String {
    let borrowed: Vec<_> = mistakes.iter().map(|(name, top, category)| (*name, &**top, &**category)).collect();
    told(&borrowed)
}

#[test]
fn mistakes_in_erasured_toml() {
    let report = told_of(&[
        instead_in_top("no version", "version = 1\n", ""),
        instead_in_top("a version of the future", "version = 1\n", "version = 2\nbrand_new = 1\n"),
        instead_in_top("a version as text", "version = 1", "version = \"1\""),
        instead_in_top("unknown key", "time_zone =", "timezone ="),
        in_top("a section of a category", "[brake]\ncount = 50\n"),
        in_top("a list of a category", "[[criterion]]\nname = \"old\"\n"),
        in_top("a key of a category's section", "[holds]\nshare = \"5 %\"\n"),
        instead_in_top("a key of a category", "time_zone =", "decisions = 2\ntime_zone ="),
        in_top("a command by its name alone", "[notice]\ncommand = [\"notice\", \"--all\"]\n"),
        in_top("a command of nothing", "[notice]\ncommand = []\n"),
        in_top("a command as text", "[notice]\ncommand = \"/bin/notice --all\"\n"),
        instead_in_top("unknown city", "Europe/Vienna", "Europe/Wien"),
        instead_in_top("city alone", "Europe/Vienna", "vienna"),
        instead_in_top("offset as time zone", "Europe/Vienna", "+01:00"),
        instead_in_top("six fields", "0 2 * * *", "0 0 2 * * *"),
        instead_in_top("strange sign", "0 2 * * *", "0 2 * * $"),
        instead_in_top("nickname", "0 2 * * *", "@daily"),
        instead_in_top("catch_up as text", "[source.crm]", "catch_up = \"yes\"\n[source.crm]"),
        instead_in_top("other database", "sqlite:crm.db", "postgres://localhost/crm"),
        instead_in_top("path alone", "sqlite:crm.db", "/var/lib/crm/crm.db"),
        instead_in_top("two slashes", "sqlite:crm.db", "sqlite://crm.db"),
        instead_in_top("no file", "sqlite:crm.db", "sqlite:"),
        instead_in_top("options", "sqlite:crm.db", "sqlite:crm.db?mode=ro"),
        instead_in_top("shell path", "sqlite:crm.db", "sqlite:~/crm.db"),
        in_top("span without unit", "lock_wait = 5\n"),
        in_top("span in hours", "lock_wait = \"1 h\"\n"),
        in_top("span too long", "max_lock = \"5 min\"\n"),
        in_top("hours in words", "hours = \"at night\"\n"),
        in_top("hours in short", "hours = \"22-5\"\n"),
        in_top("hours without end", "hours = \"22:00-22:00\"\n"),
        in_top("an hour that no day has", "hours = \"22:00-25:00\"\n"),
        in_top("hours as a list", "hours = [22, 5]\n"),
        in_top("removal as a word", "removal = \"full\"\n"),
        in_top("unknown way with words", "[source.crm.removal]\nfull_text = \"optimize\"\n"),
        in_top("unknown key of removal", "[source.crm.removal]\nvacum = \"02:00-04:00\"\n"),
        in_top("vacuum at once", "[source.crm.removal]\nvacuum = true\nstatistics = \"yes\"\n"),
        in_top("vacuum in short", "[source.crm.removal]\nvacuum = \"2-4\"\n"),
        in_top(
            "vacuum never within the hours",
            "hours = \"22:00-02:00\"\n[source.crm.removal]\nvacuum = \"02:00-04:00\"\n",
        ),
        in_top("no longest time", "[source.crm.removal]\nwithin = \"0 days\"\n"),
        in_top("a longest time in hours", "[source.crm.removal]\nwithin = \"48 hours\"\n"),
        instead_in_top("no source", "[source.crm]\nurl = \"sqlite:crm.db\"\n", ""),
        instead_in_top("source without a name", "[source.crm]", "[source]"),
        in_top("source in capitals", "[source.HR]\nurl = \"sqlite:hr.db\"\n"),
        in_top("source that no category is in", "[source.hr]\nurl = \"sqlite:hr.db\"\n"),
        in_top("the brake of a category", "[brake]\ncount = 100\n"),
        instead_in_top("same key twice", "[schedule]", "version = 1\n[schedule]"),
        instead_in_top("text without quotes", "\"Europe/Vienna\"", "Europe/Vienna"),
        instead_in_top("quote that does not end", "\"Europe/Vienna\"", "\"Europe/Vienna"),
        instead_in_top("bracket that does not end", "[schedule]", "[schedule"),
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn mistakes_in_holds_and_reasons() {
    let report = told_of(&[
        in_top("holds that are no section", "[[holds]]\n"),
        in_top("an unknown key", "[holds]\nneeds_two = true\n"),
        in_top("a number for yes", "[holds]\nrelease_needs_two = 2\n"),
        in_top("a waiting time in hours", "[holds]\nrelease_needs_two = true\nrelease_after = \"72 hours\"\n"),
        in_top("a waiting time for nobody", "[holds]\nrelease_after = \"3 days\"\n"),
        in_top("a key of holds elsewhere", "[reasons]\nrelease_after = \"3 days\"\n"),
        in_top("reasons of an unknown kind", "[reasons.delete]\nlawsuit = \"a lawsuit\"\n"),
        in_top("reasons without a kind", "[reasons]\nlawsuit = \"a lawsuit\"\n"),
        in_top("reasons that are a list", "[reasons]\nhold = [\"a lawsuit\"]\n"),
        in_top("a name that is none", "[reasons.hold]\n\"Law suit\" = \"a lawsuit\"\n17 = \"another\"\n"),
        in_top("an empty text", "[reasons.hold]\nlawsuit = \" \"\n"),
        in_top("two lines", "[reasons.hold]\nlawsuit = \"a law\\nsuit\"\n"),
        in_top("no text", "[reasons.hold]\nlawsuit = 3\n"),
        in_top("a language too many", "[reasons.hold]\nlawsuit = { en = \"a lawsuit\", fr = \"un procès\" }\n"),
        in_top("no language", "[reasons.hold]\nlawsuit = {}\n"),
        in_top("a language without text", "[reasons.hold]\nlawsuit = { en = 3 }\n"),
        in_top("two that read the same", "[reasons.hold]\na = \"A lawsuit\"\nb = \"a lawsuit\"\n"),
        in_top(
            "one that reads like another in one language",
            "[reasons.hold]\na = \"a lawsuit\"\nb = { en = \"b\", de = \"A lawsuit\" }\n",
        ),
        in_top("free text as text", "[reasons.hold]\nfree_text = \"no\"\n"),
        in_top("nothing to say of one kind", "[reasons.hold]\nfree_text = false\n"),
        in_top("nothing to say at all", "[reasons]\nfree_text = false\n[reasons.hold]\na = \"a\"\n"),
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn holds_and_reasons_are_read_as_they_are_meant() {
    let plain = loaded(TOP, CATEGORY);
    assert!(!plain.holds.release_needs_two && plain.reasons.hold.free_text);
    let settings = loaded(
        &format!(
            "{TOP}[holds]\nrelease_needs_two = true\nrelease_after = \"3 days\"\n[reasons]\nfree_text = false\n\
             [reasons.erase]\nfree_text = true\n[reasons.postpone]\nz = \"last\"\na = \"first\"\n\
             [reasons.hold]\nlawsuit = {{ de = \"ein Verfahren\", en = \"a lawsuit\" }}\n"
        ),
        CATEGORY,
    );
    assert_eq!(settings.holds.release_after.unwrap().value.to_string(), "3 days");
    let reasons = &settings.reasons;
    assert_eq!([reasons.erase.free_text, reasons.postpone.free_text, reasons.hold.free_text], [true, false, false]);
    let names: Vec<_> = reasons.postpone.standard.iter().map(|reason| reason.name.as_str()).collect();
    assert_eq!(names, ["z", "a"], "in the order of the file");
    let wording = &reasons.hold.named("lawsuit").unwrap().wording;
    assert_eq!(
        [wording.in_language("de"), wording.in_language("en"), wording.in_language("fr")],
        ["ein Verfahren", "a lawsuit", "a lawsuit"]
    );
}

#[test]
fn no_category_is_called_as_reasons_are_where_rules_are_changed() {
    let dir = directory(&[("erasured.toml", TOP.as_bytes()), ("categories/reasons.toml", CATEGORY.as_bytes())]);
    let told = rendered(&load(dir.path()).unwrap_err(), "");
    assert_eq!(
        told,
        "error: categories/reasons.toml:1:1: no category can be called \"reasons\"\n  \
         hint: rename the file: in the names of rules this word stands for standard reasons [name]"
    );
}

#[test]
fn mistakes_in_grants() {
    let report = told_of(&[
        in_top("one bracket", "[grant]\nusers = [\"vera\"]\npermissions = [\"view\"]\n"),
        in_top("nobody", "[[grant]]\npermissions = [\"view\"]\n"),
        in_top("empty list", "[[grant]]\nusers = []\npermissions = [\"view\"]\n"),
        in_top("text instead of a list", "[[grant]]\nusers = \"vera\"\npermissions = [\"view\"]\n"),
        in_top("everybody", "[[grant]]\nusers = [\"*\"]\npermissions = [\"view\"]\n"),
        in_top("no permission", "[[grant]]\nusers = [\"vera\"]\n"),
        in_top(
            "unknown permission",
            "[[grant]]\nusers = [\"vera\"]\npermissions = [\"view\", \"confirm\", \"veiw\"]\n",
        ),
        in_top("permission twice", "[[grant]]\nusers = [\"vera\"]\npermissions = [\"view\", \"view\"]\n"),
        in_top(
            "unknown category",
            "[[grant]]\nusers = [\"vera\"]\npermissions = [\"view\"]\ncategories = [\"prospects\", \"order\"]\n",
        ),
        in_top(
            "what cannot be limited",
            "[[grant]]\nusers = [\"vera\"]\npermissions = [\"view\", \"audit\", \"run\"]\ncategories = [\"prospect\"]\n",
        ),
        in_top("no category", "[[grant]]\nusers = [\"vera\"]\npermissions = [\"view\"]\ncategories = []\n"),
        in_top("no unit", "[[grant]]\nusers = [\"vera\"]\npermissions = [\"view\", \"brake\"]\nunits = []\n"),
        in_top(
            "no name of a unit",
            "[[grant]]\nusers = [\"vera\"]\npermissions = [\"view\"]\nunits = [\" \", \"graz \"]\n",
        ),
        in_top(
            "what cannot be limited at all",
            "[[grant]]\nusers = [\"vera\"]\npermissions = [\"configure\"]\ncategories = [\"prospect\"]\nunits = [\"graz\"]\n",
        ),
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn mistakes_in_a_category() {
    let report = told_of(&[
        instead("unknown key", "since =", "sicne ="),
        instead("key that is like none", "[[criterion]]", "colour = 1\n[[criterion]]"),
        in_category("key in the wrong section", "triggers = [\"t\"]\n"),
        in_category("retention in a category", "[retention]\nkeys = \"10 years\"\n"),
        instead("time zone in a category", "table =", "time_zone = \"Europe/Vienna\"\ntable ="),
        in_category("removal in a category", "[removal]\nvacuum = true\n"),
        instead("three decisions", "table =", "decisions = 3\ntable ="),
        instead("decisions in words", "table =", "decisions = \"two\"\ntable ="),
        instead("cooling-off without a unit", "table =", "cooling_off = \"7\"\ntable ="),
        instead("cooling-off as a slip", "table =", "cooling_off = \"7 dyas\"\ntable ="),
        in_category("a mark that is none", "[manual]\nwhere = \"\"\nauto_confirm = \"yes\"\n"),
        instead("unknown source", "\"crm\"", "\"cmr\""),
        instead("no table", "table = \"prospects\"\n", ""),
        instead("empty table", "\"prospects\"", "\"\""),
        instead("table as a number", "\"prospects\"", "5"),
        instead("key as text", "table =", "key = \"id\"\ntable ="),
        instead("empty key", "table =", "key = []\ntable ="),
        instead("column twice", "table =", "identity = [\"Name\", \"name\"]\ntable ="),
        instead("label with an open brace", "table =", "label = \"{last_name\"\ntable ="),
        instead("label without a column", "table =", "label = \"a prospect\"\ntable ="),
        instead("label with a colon", "table =", "label = \"{last_name:1}\"\ntable ="),
        instead("wrong period", "3 years", "3 yaers"),
        instead("German period", "3 years", "3 Jahre"),
        instead("period as a number", "\"3 years\"", "3"),
        instead("period without sense", "3 years", "a while"),
        instead("half a year", "3 years", "0.5 years"),
        instead("no time at all", "3 years", "0 days"),
        instead("three thousand years", "3 years", "3000 years"),
        instead("since without period", "period = \"3 years\"\n", ""),
        instead("period without since", "since = \"last_contact_on\"\n", ""),
        instead("neither since nor where", "since = \"last_contact_on\"\nperiod = \"3 years\"\n", ""),
        in_category("unknown start", "starts = \"year end\"\n"),
        in_category("unknown format", "format = \"unixms\"\n"),
        in_category("empty condition", "where = \"\"\n"),
        instead("one bracket", "[[criterion]]", "[criterion]"),
        instead("criterion without a name", "name = \"inactive\"\n", ""),
        instead("criterion with a sentence for a name", "\"inactive\"", "\"No contact any more\""),
        in_category("criterion twice", "[[criterion]]\nname = \"inactive\"\nwhere = \"a IS NULL\"\n"),
        ("no criterion", TOP.to_owned(), "version = 1\nsource = \"crm\"\ntable = \"prospects\"\n".to_owned()),
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn mistakes_in_what_is_erased() {
    let report = told_of(&[
        in_category("kept and anonymised", "[erase]\nkeep = [\"id\", \"Email\"]\nanonymise = { email = \"null\" }\n"),
        in_category("value alone", "[erase.anonymise]\nname = \"erased\"\n\"end date\" = \"\"\n"),
        in_category("NULL in capitals", "[erase.anonymise]\nname = \"NULL\"\n"),
        in_category("number alone", "[erase.anonymise]\nname = 0\n"),
        in_category("nothing said", "[erase.anonymise]\nname = {}\n"),
        in_category("only a format", "[erase.anonymise]\nname = { format = \"german\" }\n"),
        in_category("two things said", "[erase.anonymise]\nname = { value = \"x\", template = \"{key}\" }\n"),
        in_category("unknown way", "[erase.anonymise]\nname = { hash = \"sha1\" }\n"),
        in_category("misspelt way", "[erase.anonymise]\nname = { valeu = \"x\" }\n"),
        in_category("template with a column", "[erase.anonymise]\nname = { template = \"{last_name}\" }\n"),
        in_category("template without the key", "[erase.anonymise]\nname = { template = \"erased\" }\n"),
        in_category("unknown truncation", "[erase.anonymise]\nborn = { truncate = \"yaer\" }\n"),
        in_category("format of a value", "[erase.anonymise]\nborn = { value = \"x\", format = \"iso\" }\n"),
        in_category("date without quotes", "[erase.anonymise]\nborn = { value = 1900-01-01 }\n"),
        in_category("not a number", "[erase.anonymise]\nborn = { value = nan }\n"),
        in_category("number too large", "[erase.anonymise]\nborn = { value = 99999999999999999999 }\n"),
        in_category("anonymise as a list", "[erase]\nanonymise = [\"name\"]\n"),
        in_category("two brackets", "[[erase]]\nkeep = [\"id\"]\n"),
        instead(
            "key anonymised",
            "table = \"prospects\"\n",
            "table = \"prospects\"\nkey = [\"ID\"]\nerase.anonymise = { id = \"null\" }\n",
        ),
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn mistakes_in_links() {
    let linked = |mistake, text: &str| in_category(mistake, &format!("[[linked]]\n{text}"));
    let report = told_of(&[
        linked("nothing said", ""),
        linked("no such category", "category = \"prospcet\"\ncolumn = \"person_id\"\n"),
        linked("no name of a category", "category = \"Person\"\ncolumn = \"person_id\"\n"),
        linked("no column", "category = \"prospect\"\n"),
        linked("both sides without a table", "category = \"prospect\"\ncolumn = \"a\"\ntheir_column = \"b\"\n"),
        linked("a table with one side", "category = \"prospect\"\nthrough = \"roles\"\ncolumn = \"a\"\n"),
        linked("a list of columns", "category = \"prospect\"\ncolumn = [\"a\", \"b\"]\n"),
        linked("no columns", "category = \"prospect\"\ncolumns = []\n"),
        linked("one and many", "category = \"prospect\"\ncolumn = \"a\"\ncolumns = [\"b\"]\n"),
        linked("a rule", "category = \"prospect\"\ncolumn = \"a\"\nrule = \"keep\"\n"),
        in_category("one bracket", "[linked]\ncategory = \"prospect\"\ncolumn = \"a\"\n"),
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn mistakes_in_dependents() {
    let dependent = |mistake, text: &str| in_category(mistake, &format!("[[dependent]]\n{text}"));
    let report = told_of(&[
        dependent("nothing said", ""),
        dependent("no rule", "table = \"orders\"\ncolumn = \"p\"\n"),
        dependent("unknown rule", "table = \"orders\"\ncolumn = \"p\"\nrule = \"delte\"\n"),
        dependent("both sides", "table = \"orders\"\ncolumn = \"p\"\nparent_column = \"o\"\nrule = \"keep\"\n"),
        dependent("a list of columns", "table = \"orders\"\ncolumn = [\"p\", \"q\"]\nrule = \"keep\"\n"),
        dependent("no column", "table = \"orders\"\ncolumns = []\nrule = \"keep\"\n"),
        dependent(
            "one side wider",
            "table = \"orders\"\ncolumns = [\"p\", \"q\"]\nreferences = [\"id\"]\nrule = \"keep\"\n",
        ),
        dependent(
            "kept columns of deleted rows",
            "table = \"orders\"\ncolumn = \"p\"\nrule = \"delete\"\nkeep = [\"total\"]\nanonymise = { a = \"null\" }\n",
        ),
        dependent(
            "reference replaced",
            "table = \"orders\"\ncolumn = \"p\"\nrule = \"keep\"\nanonymise = { P = \"null\" }\n",
        ),
        dependent("period alone", "table = \"orders\"\ncolumn = \"p\"\nrule = \"keep\"\nperiod = \"7 years\"\n"),
        dependent("start alone", "table = \"orders\"\ncolumn = \"p\"\nrule = \"keep\"\nstarts = \"year-end\"\n"),
        dependent("a condition", "table = \"orders\"\ncolumn = \"p\"\nrule = \"keep\"\nwhere = \"a = 1\"\n"),
        dependent(
            "unknown parent",
            "table = \"orders\"\ncolumn = \"p\"\nrule = \"keep\"\nparent = \"oders\"\n[[dependent]]\ntable = \"lines\"\ncolumn = \"o\"\nrule = \"keep\"\nparent = \"order\"\n",
        ),
        dependent("own parent", "table = \"orders\"\ncolumn = \"p\"\nrule = \"keep\"\nparent = \"orders\"\n"),
        dependent(
            "circle",
            "table = \"a\"\ncolumn = \"p\"\nrule = \"keep\"\nparent = \"c\"\n[[dependent]]\ntable = \"b\"\ncolumn = \"p\"\nrule = \"keep\"\nparent = \"a\"\n[[dependent]]\ntable = \"c\"\ncolumn = \"p\"\nrule = \"keep\"\nparent = \"b\"\n[[dependent]]\ntable = \"d\"\ncolumn = \"p\"\nrule = \"keep\"\nparent = \"b\"\n",
        ),
        dependent(
            "same table twice",
            "table = \"orders\"\ncolumn = \"p\"\nrule = \"keep\"\n[[dependent]]\ntable = \"orders\"\ncolumn = \"q\"\nrule = \"unlink\"\n",
        ),
        dependent(
            "kept below deleted",
            "table = \"orders\"\ncolumn = \"p\"\nrule = \"delete\"\n[[dependent]]\ntable = \"lines\"\ncolumn = \"o\"\nrule = \"keep\"\nparent = \"orders\"\n",
        ),
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn every_fault_of_every_file_is_told_at_once() {
    let top = TOP.replace("Europe/Vienna", "Europe/Wien").replace("[source.crm]", "[source.crm]\nmax_lok = \"1 s\"");
    let dir = directory(&[
        ("erasured.toml", top.as_bytes()),
        ("categories/Member.toml", b"version = 1\n"),
        ("categories/broken.toml", b"version = 1\nsource = \n"),
        ("categories/latin.toml", b"version = 1\n# \xc3\xa4hm\nlabel = \"{Stra\xdfe}\"\n"),
        ("categories/prospect.toml", CATEGORY.replace("3 years", "3 yaers").replace("crm", "erp").as_bytes()),
        ("categories/prospect.tml", b""),
        ("categories/person.toml.txt", b""),
        ("categories/old/person.toml", b""),
        ("categories/README.md", b""),
        ("categories/.prospect.toml.swp", b""),
        ("categories/prospect.toml~", b""),
    ]);
    let findings = load(dir.path()).unwrap_err();
    let report = rendered(&findings, "");
    insta::assert_snapshot!(report);
}

#[test]
fn what_is_not_there() {
    let empty = directory(&[]);
    let without_categories = directory(&[("erasured.toml", TOP.as_bytes())]);
    let without_top = directory(&[("categories/prospect.toml", CATEGORY.as_bytes())]);
    let no_category = directory(&[("erasured.toml", TOP.as_bytes()), ("categories/.keep", b"")]);
    let mut report = String::new();
    for dir in [&empty, &without_categories, &without_top, &no_category] {
        let findings = load(dir.path()).unwrap_err();
        let _ = writeln!(report, "{}\n", rendered(&findings, dir.path().to_str().unwrap()));
    }
    let nowhere = empty.path().join("nowhere");
    report += &rendered(&load(&nowhere).unwrap_err(), empty.path().to_str().unwrap());
    insta::assert_snapshot!(report);
}

#[test]
fn limits_are_told() {
    let long = format!("{TOP}# {}\n", "x".repeat(1 << 20));
    let many: String = (0..101).map(|n| format!("[[criterion]]\nname = \"c{n}\"\nwhere = \"a\"\n")).collect();
    let deep: String = (0..40)
        .map(|n| {
            let parent = if n == 0 { String::new() } else { format!("parent = \"t{}\"\n", n - 1) };
            format!("[[dependent]]\ntable = \"t{n}\"\ncolumn = \"c\"\nrule = \"keep\"\n{parent}")
        })
        .collect();
    for (top, category) in
        [(long.as_str(), CATEGORY.to_owned()), (TOP, format!("{CATEGORY}{many}")), (TOP, format!("{CATEGORY}{deep}"))]
    {
        let findings = load_texts(top, &category).unwrap_err();
        assert!(findings.iter().all(|finding| finding.code == "limit"), "{}", rendered(&findings, ""));
    }
}

#[test]
fn erasured_toml_is_read_as_it_is_meant() {
    let top = format!(
        "{TOP}lock_wait = \"250 ms\"\nhours = \"22:00-05:00\"\n[[grant]]\ngroups = [\"privacy\"]\npermissions = [\"view\", \"decide\"]\ncategories = [\"prospect\"]\n"
    );
    let settings = loaded(&top, include_str!("config/prospect.toml"));
    assert_eq!(settings.time_zone_name, "Europe/Vienna");
    let source = settings.sources.values().next().unwrap();
    assert!(source.path.value.is_absolute() && source.path.value.ends_with("crm.db"));
    assert_eq!((source.lock_wait.as_millis(), source.max_lock.as_millis()), (250, 100));
    assert_eq!(source.hours.map(|hours| hours.to_string()).as_deref(), Some("22:00-05:00"));
    assert_eq!(loaded(TOP, CATEGORY).sources.values().next().unwrap().hours, None, "any time");
    let grant = &settings.grants[0];
    assert!(
        grant.permissions.contains(&Permission::Decide)
            && grant.reach.categories.as_ref().is_some_and(|some| some.len() == 1)
    );
}

#[test]
fn a_whole_category_is_read_as_it_is_meant() {
    let settings = loaded(TOP, include_str!("config/prospect.toml"));
    let category = settings.categories.values().next().unwrap();
    assert_eq!(category.label.as_ref().unwrap().value.columns(), ["last_name", "first_name"]);
    assert!(matches!(category.label.as_ref().unwrap().value.0[2], LabelPart::Column { characters_max: Some(1), .. }));
    let since = category.criteria[0].since.as_ref().unwrap();
    assert_eq!((since.period.value.to_string().as_str(), since.starts), ("3 years", Starts::YearEnd));
    assert_eq!(since.sql.place.to_string(), "categories/prospect.toml:11:10");
    let becomes: Vec<_> = category.rows.anonymise.iter().map(|(name, to)| (name.value.as_str(), &to.value)).collect();
    assert_eq!(becomes[0], ("first_name", &Anonymise::Null));
    assert_eq!(becomes[1], ("last_name", &Anonymise::Value(Literal::Text("erased".into()))));
    assert!(matches!(becomes[2].1, Anonymise::Template(template) if template.0[1] == TemplatePart::Key));
}

#[test]
fn dependents_are_read_as_they_are_meant() {
    let settings = loaded(TOP, include_str!("config/prospect.toml"));
    let category = settings.categories.values().next().unwrap();
    let names: Vec<_> = category.dependents.iter().map(|one| (one.name.as_str(), one.rule)).collect();
    let expected = [
        ("orders", Rule::Keep),
        ("addresses", Rule::Delete),
        ("invoices", Rule::Keep),
        ("visits", Rule::Unlink),
        ("shipping_addresses", Rule::Keep),
    ];
    assert_eq!(names, expected);
    assert!(matches!(&category.dependents[4].link, Link::Owned(columns) if columns[0].value == "shipping_address_id"));
    assert_eq!(category.dependents[4].parent.as_ref().unwrap().value, "orders");
}

#[test]
fn policy_in_words() {
    let settings = loaded(TOP, include_str!("config/prospect.toml"));
    let category = settings.categories.values().next().unwrap();
    let short = words::policy(category, &|column| column == "status");
    let long = words::policy(category, &|_| false);
    assert_eq!(
        short[0],
        "prospects whose last_contact_on is more than 3 years before today, counted from the end of that year, \
         unless status = 'customer'"
    );
    let report = long.join("\n");
    insta::assert_snapshot!(report);
}

#[test]
fn another_wording_is_another_version() {
    let version =
        |category: &str| loaded(TOP, category).categories.values().next().unwrap().criteria[0].version.0.clone();
    let plain = version(CATEGORY);
    assert_eq!(plain.len(), 16);
    assert_eq!(plain, version(&CATEGORY.replace("3 years", "P3Y")), "the same period in other words");
    assert_eq!(plain, version(&CATEGORY.replace("\"inactive\"", "\"other\"\nreason = \"x\"")), "not about when");
    let others = [
        CATEGORY.replace("3 years", "4 years"),
        CATEGORY.replace("last_contact_on", "changed_on"),
        format!("{CATEGORY}starts = \"year-end\"\n"),
        format!("{CATEGORY}format = \"unix\"\n"),
        format!("{CATEGORY}where = \"a = 1\"\n"),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(plain, version(other));
        assert!(others[..index].iter().all(|earlier| version(earlier) != version(other)));
    }
}

#[test]
fn everything_in_config_loads_without_a_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut dirs = vec![root.clone()];
    dirs.extend(fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()));
    dirs.retain(|dir| dir.join("erasured.toml").exists());
    assert!(!dirs.is_empty());
    for dir in dirs {
        let loaded = load(&dir).unwrap_or_else(|findings| panic!("{}: {}", dir.display(), rendered(&findings, "")));
        assert!(loaded.warnings.is_empty(), "{}", rendered(&loaded.warnings, ""));
    }
}

#[test]
fn chinook_in_words() {
    let loaded = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/chinook")).unwrap();
    let sentences: Vec<String> =
        loaded.settings.categories.values().flat_map(|category| words::policy(category, &|_| false)).collect();
    let report = sentences.join("\n");
    insta::assert_snapshot!(report);
}

const KEYS: &str = "version source table key label unit identity triggers name since period starts format where reason \
    keep anonymise parent column columns parent_column references rule value template truncate time_zone url lock_wait hours \
    users permissions categories manual criterion dependent erase grant schedule prepare \"\" a.b source.crm";

const HEADERS: &str = "[schedule] [source.crm] [[grant]] [[criterion]] [erase] [erase.anonymise] [[dependent]] \
    [dependent.anonymise] [criterion] [x.y.z]";

const VALUES: &str = r#"1|-1|0x1f|1.5|inf|true|2020-01-01|"crm"|""|"a"|"b"|"keep"|"delete"|"3 years"|"22:00-05:00"|"{a}"|"{"|"ä{b:.1}}"|[]
|["a", "b"]|[1, {}]|{}|{ a = "null", b = { value = 1 } }|[{ name = "a", where = "b" }]|[[[]]]"#;

/// Lines of settings, right, wrong and out of place.
fn line() -> impl Strategy<Value = String> {
    let words = |all: &'static str| prop::sample::select(all.split_whitespace().collect::<Vec<_>>());
    let value =
        prop_oneof![prop::sample::select(VALUES.split('|').collect::<Vec<_>>()).prop_map(str::to_owned), "\\PC{0,12}",];
    prop_oneof![
        4 => (words(KEYS), value).prop_map(|(key, value)| format!("{key} = {value}")),
        2 => words(HEADERS).prop_map(str::to_owned),
        1 => "\\PC{0,20}",
    ]
}

/// Whatever the files hold: an answer, and never a refusal without a reason and a hint.
fn answers(top: &str, category: &[u8]) {
    let dir = directory(&[("erasured.toml", top.as_bytes()), ("categories/prospect.toml", category)]);
    match load(dir.path()) {
        Ok(loaded) => assert!(loaded.warnings.iter().all(|finding| !finding.is_error())),
        Err(findings) => {
            assert!(findings.iter().any(Finding::is_error));
            for finding in findings {
                assert!(finding.hint.is_some() && finding.code != "refused", "{finding}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn lines_in_any_order_get_an_answer(
        top in prop::collection::vec(line(), 0..12), category in prop::collection::vec(line(), 0..16), whole in any::<bool>()
    ) {
        let (top, category) = (top.join("\n"), category.join("\n"));
        if whole {
            answers(&format!("{TOP}{top}"), format!("{CATEGORY}{category}").as_bytes());
        } else {
            answers(&top, category.as_bytes());
        }
    }

    #[test]
    fn single_slips_get_an_answer(at in any::<prop::sample::Index>(), put in "\\PC{0,3}", cut in 0_usize..4) {
        let whole: Vec<char> = include_str!("config/prospect.toml").chars().collect();
        let at = at.index(whole.len());
        let slip: String = whole[..at].iter().copied().chain(put.chars()).chain(whole[at..].iter().copied().skip(cut)).collect();
        answers(TOP, slip.as_bytes());
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        answers(TOP, &bytes);
    }
}
