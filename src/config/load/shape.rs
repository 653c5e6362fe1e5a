//! Which keys a section of a settings file may have, and how each is written.

/// A section of a file.
#[derive(Debug)]
pub struct Shape {
    /// What findings call it.
    pub name: &'static str,
    /// How to get there, for a key that stands elsewhere.
    pub place: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// A key with an example of it.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// How it may be written.
    pub example: &'static str,
}

impl Shape {
    /// How `key` may be written; the key itself where it is none of the section's.
    pub fn example(&self, key: &str) -> &'static str {
        self.keys.iter().find(|known| known.name == key).map_or("", |known| known.example)
    }

    /// Where `key` is written, for whoever has written it into a file of the other kind.
    pub fn place_in_file(&self, key: &str) -> String {
        let file = if is_of_category(self) { "a category's file" } else { "erasured.toml" };
        match self.example(key) {
            section if section.starts_with('[') => format!("{file}, as {section}"),
            _ if [TOP.name, CATEGORY.name].contains(&self.name) => format!("{file}, above its first [section]"),
            _ => format!("{file}, {}", self.place),
        }
    }

    /// The names of its keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

const fn key(name: &'static str, example: &'static str) -> Key {
    Key { name, example }
}

/// `erasured.toml`.
pub const TOP: Shape = Shape {
    name: "erasured.toml",
    place: "at the top of erasured.toml, above the first [section]",
    keys: &[
        key("version", "version = 1"),
        key("time_zone", "time_zone = \"Europe/Vienna\""),
        key("schedule", "[schedule]"),
        key("source", "[source.crm]"),
        key("grant", "[[grant]]"),
        key("holds", "[holds]"),
        key("reasons", "[reasons]"),
        key("retention", "[retention]"),
        key("notice", "[notice]"),
    ],
};

/// `[notice]`.
pub const NOTICE: Shape = Shape {
    name: "[notice]",
    place: "in [notice]",
    keys: &[
        key("decisions_after", "decisions_after = \"14 days\""),
        key("command", "command = [\"/usr/local/lib/erasured/notice\"]"),
    ],
};

/// `[retention]`.
pub const RETENTION: Shape =
    Shape { name: "[retention]", place: "in [retention]", keys: &[key("keys", "keys = \"10 years\"")] };

/// `[holds]`.
pub const HOLDS: Shape = Shape {
    name: "[holds]",
    place: "in [holds]",
    keys: &[key("release_needs_two", "release_needs_two = true"), key("release_after", "release_after = \"3 days\"")],
};

/// `[reasons]`.
pub const REASONS: Shape = Shape {
    name: "[reasons]",
    place: "in [reasons]",
    keys: &[
        key("free_text", "free_text = true"),
        key("erase", "[reasons.erase]"),
        key("postpone", "[reasons.postpone]"),
        key("hold", "[reasons.hold]"),
    ],
};

/// `[schedule]`.
pub const SCHEDULE: Shape = Shape {
    name: "[schedule]",
    place: "in [schedule]",
    keys: &[
        key("prepare", "prepare = \"0 2 * * *\""),
        key("erase", "erase = \"0 4 * * Sun\""),
        key("catch_up", "catch_up = true"),
    ],
};

/// `[source.NAME]`.
pub const SOURCE: Shape = Shape {
    name: "[source.NAME]",
    place: "in a [source.NAME]",
    keys: &[
        key("url", "url = \"sqlite:/var/lib/crm/crm.db\""),
        key("lock_wait", "lock_wait = \"5 s\""),
        key("max_lock", "max_lock = \"100 ms\""),
        key("hours", "hours = \"22:00-05:00\""),
        key("removal", "[source.NAME.removal]"),
    ],
};

/// `[source.NAME.removal]`.
pub const REMOVAL: Shape = Shape {
    name: "[source.NAME.removal]",
    place: "in a [source.NAME.removal]",
    keys: &[
        key("full_text", "full_text = \"optimise\""),
        key("statistics", "statistics = true"),
        key("checkpoint", "checkpoint = true"),
        key("vacuum", "vacuum = \"02:00-04:00\""),
        key("within", "within = \"30 days\""),
    ],
};

/// `[[grant]]`.
pub const GRANT: Shape = Shape {
    name: "[[grant]]",
    place: "in a [[grant]]",
    keys: &[
        key("users", "users = [\"vera\"]"),
        key("groups", "groups = [\"privacy\"]"),
        key("permissions", "permissions = [\"view\", \"decide\"]"),
        key("categories", "categories = [\"prospect\"]"),
        key("units", "units = [\"graz\"]"),
    ],
};

/// A category file.
pub const CATEGORY: Shape = Shape {
    name: "a category file",
    place: "at the top of the file, above the first [section]",
    keys: &[
        key("version", "version = 1"),
        key("source", "source = \"crm\""),
        key("table", "table = \"prospects\""),
        key("key", "key = [\"id\"]"),
        key("key_is_personal", "key_is_personal = true"),
        key("label", "label = \"{last_name}, {first_name:.1}.\""),
        key("unit", "unit = \"branch_id\""),
        key("identity", "identity = [\"last_name\", \"created_on\"]"),
        key("triggers", "triggers = [\"prospects_history\"]"),
        key("decisions", "decisions = 2"),
        key("cooling_off", "cooling_off = \"7 days\""),
        key("manual", "[manual]"),
        key("brake", "[brake]"),
        key("criterion", "[[criterion]]"),
        key("erase", "[erase]"),
        key("dependent", "[[dependent]]"),
        key("linked", "[[linked]]"),
    ],
};

/// `[[criterion]]`.
pub const CRITERION: Shape = Shape {
    name: "[[criterion]]",
    place: "in a [[criterion]]",
    keys: &[
        key("name", "name = \"inactive\""),
        key("since", "since = \"last_contact_on\""),
        key("period", "period = \"3 years\""),
        key("starts", "starts = \"year-end\""),
        key("format", "format = \"iso\""),
        key("where", "where = \"status <> 'customer'\""),
        key("reason", "reason = \"retention period expired\""),
        key("enabled", "enabled = true"),
    ],
};

/// `[manual]`.
pub const MANUAL: Shape = Shape {
    name: "[manual]",
    place: "in [manual]",
    keys: &[key("where", "where = \"deleted_on IS NOT NULL\""), key("auto_confirm", "auto_confirm = true")],
};

/// `[brake]`.
pub const BRAKE: Shape = Shape {
    name: "[brake]",
    place: "in [brake]",
    keys: &[key("count", "count = 100"), key("share", "share = \"5 %\"")],
};

/// `[erase]`.
pub const ERASE: Shape = Shape {
    name: "[erase]",
    place: "in [erase]",
    keys: &[
        key("keep", "keep = [\"id\", \"status\"]"),
        key("anonymise", "[erase.anonymise]"),
        key("remove_shells", "remove_shells = true"),
    ],
};

/// `[[dependent]]`.
pub const DEPENDENT: Shape = Shape {
    name: "[[dependent]]",
    place: "in a [[dependent]]",
    keys: &[
        key("name", "name = \"orders\""),
        key("parent", "parent = \"orders\""),
        key("table", "table = \"orders\""),
        key("column", "column = \"prospect_id\""),
        key("columns", "columns = [\"prospect_id\", \"branch_id\"]"),
        key("parent_column", "parent_column = \"address_id\""),
        key("parent_columns", "parent_columns = [\"address_id\", \"branch_id\"]"),
        key("references", "references = [\"id\"]"),
        key("rule", "rule = \"keep\""),
        key("keep", "keep = [\"ordered_on\", \"total\"]"),
        key("anonymise", "anonymise = { ship_name = \"null\" }"),
        key("since", "since = \"invoice_date\""),
        key("period", "period = \"7 years\""),
        key("starts", "starts = \"year-end\""),
        key("format", "format = \"iso\""),
    ],
};

/// `[[linked]]`.
pub const LINKED: Shape = Shape {
    name: "[[linked]]",
    place: "in a [[linked]]",
    keys: &[
        key("category", "category = \"person\""),
        key("column", "column = \"person_id\""),
        key("columns", "columns = [\"person_id\", \"branch_id\"]"),
        key("their_column", "their_column = \"prospect_id\""),
        key("their_columns", "their_columns = [\"prospect_id\", \"branch_id\"]"),
        key("through", "through = \"person_roles\""),
    ],
};

/// What a column of `anonymise` may be, beside `"null"`.
pub const REPLACEMENT: Shape = Shape {
    name: "an anonymised column",
    place: "in an anonymised column",
    keys: &[
        key("value", "{ value = \"erased\" }"),
        key("template", "{ template = \"erased-{key}\" }"),
        key("truncate", "{ truncate = \"year\" }"),
        key("format", "{ truncate = \"year\", format = \"german\" }"),
    ],
};

/// The sections of a file.
pub type Shapes = &'static [&'static Shape];

/// The sections of the file in which this one stands, and of the other.
pub fn beside(shape: &Shape) -> (Shapes, Shapes) {
    let [top, category] = FILES;
    if is_of_category(shape) { (category, top) } else { (top, category) }
}

fn is_of_category(shape: &Shape) -> bool {
    FILES[1].iter().any(|other| other.name == shape.name)
}

/// The sections of the two kinds of file, for a key that stands in the wrong one.
pub const FILES: [Shapes; 2] = [
    &[&TOP, &SCHEDULE, &SOURCE, &REMOVAL, &GRANT, &HOLDS, &REASONS, &RETENTION, &NOTICE],
    &[&CATEGORY, &CRITERION, &MANUAL, &BRAKE, &ERASE, &DEPENDENT, &LINKED, &REPLACEMENT],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Permission;
    use crate::config::{DateFormat, FullText};

    fn page_of_top() -> String {
        page("erasured.toml.5")
    }

    fn page_of_category() -> String {
        page("erasured-category.5")
    }

    fn page(name: &str) -> String {
        std::fs::read_to_string(format!("{}/docs/man/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    /// What the pages call a section that has no brackets.
    fn heading(shape: &Shape) -> &'static str {
        match shape.name {
            "erasured.toml" | "a category file" => "\"At the top of the file\"",
            "an anonymised column" => "\"What replaces a value\"",
            name => name,
        }
    }

    /// An example as a page shows it: the key in bold, and nothing that the formatter would take for something else.
    fn tag(key: &Key) -> String {
        let text = key.example.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
        match text.split_once(" = ").filter(|(name, _)| *name == key.name) {
            Some((name, value)) => format!("\\fB{name}\\fR = {value}"),
            None => format!("\\fB{text}\\fR"),
        }
    }

    /// The tagged paragraphs of each section of keys in a page.
    fn tags(page: &str) -> Vec<(&str, Vec<&str>)> {
        let (_, keys) = page.split_once("\n.SH KEYS\n").unwrap();
        let keys = keys.split("\n.SH ").next().unwrap();
        let sections = keys.split("\n.SS ").map(|section| section.trim_start_matches(".SS "));
        sections
            .map(|section| {
                let lines: Vec<&str> = section.lines().collect();
                let tagged = lines.windows(2).filter(|pair| pair[0] == ".TP").map(|pair| pair[1]);
                (lines[0], tagged.collect())
            })
            .collect()
    }

    #[test]
    fn the_manual_pages_have_every_key_and_no_other() {
        for (shapes, page) in FILES.into_iter().zip([page_of_top(), page_of_category()]) {
            let expected: Vec<(&str, Vec<String>)> =
                shapes.iter().map(|shape| (heading(shape), shape.keys.iter().map(tag).collect())).collect();
            let mut found = tags(&page);
            for (heading, expected) in expected {
                let at = found.iter().position(|(found, _)| *found == heading);
                let (_, tags) = found.remove(at.unwrap_or_else(|| panic!("no section {heading}")));
                assert_eq!(tags, expected, "{heading}");
            }
            assert!(found.is_empty(), "sections that no file has: {found:?}");
        }
    }

    #[test]
    fn the_manual_pages_have_every_word_of_a_choice() {
        let of_top = Permission::ALL.into_iter().map(Permission::as_str);
        let of_top = of_top.chain(FullText::WORDS.into_iter().map(|(word, _)| word));
        let of_category = DateFormat::WORDS.into_iter().map(|(word, _)| word).chain(["keep", "delete", "unlink"]);
        let (page_of_top, page_of_category) = (page_of_top(), page_of_category());
        let is_told = |page: &str, word: &str| page.contains(&format!("\n.IP \\fB{}\\fR ", word.replace('-', "\\-")));
        of_top.for_each(|word| assert!(is_told(&page_of_top, word), "{word}"));
        of_category.for_each(|word| assert!(is_told(&page_of_category, word), "{word}"));
    }
}
