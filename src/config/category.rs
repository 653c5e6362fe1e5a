//! `categories/*.toml` as meant.

use std::fmt;
use std::sync::Arc;

use super::{Brake, DateFormat, Located, Period, Place, Starts};
use crate::record::{CategoryName, SourceName};

/// The name of a column, with the place where the operator wrote it.
pub type Column = Located<String>;

/// One kind of record about a person, and what erasing it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Its name: the file's name without `.toml`.
    pub name: CategoryName,
    /// The beginning of its file, for findings about what is not written anywhere.
    pub place: Place,
    /// The database it is in.
    pub source: Located<SourceName>,
    /// Its table.
    pub table: Located<String>,
    /// Columns of its key; empty: the primary key.
    pub key: Vec<Column>,
    /// Whether the key itself tells whom a record is about: a number of the person, an e-mail address.
    pub key_is_personal: bool,
    /// What a record is called when somebody looks; `None`: the source chooses columns, or the key stands alone.
    pub label: Option<Located<LabelTemplate>>,
    /// SQL expression for the department or branch of a record.
    pub unit: Option<Located<String>>,
    /// Columns that make it the same person; empty: the label's columns.
    pub identity: Vec<Column>,
    /// The rules by which a record becomes due, their names unique; none only where records are marked.
    pub criteria: Vec<Criterion>,
    /// Records that are asked for whatever the criteria say.
    pub manual: Manual,
    /// How many different people have to confirm: 1 or 2.
    pub decisions: u8,
    /// The least time between the last confirmation and erasure.
    pub cooling_off: Option<Located<Period>>,
    /// How much a run may propose or erase of it before somebody has to look.
    pub brake: Brake,
    /// Whether an anonymised record is deleted when the last row that kept it has gone.
    pub remove_shells: bool,
    /// `[erase]`: what happens to the columns of a record that is anonymised.
    pub rows: Classification,
    /// Rows of other tables that depend on a record; names unique.
    pub dependents: Vec<Dependent>,
    /// Triggers that somebody has looked at.
    pub triggers: Vec<Located<String>>,
    /// The same person in other categories, as far as it is written here.
    pub linked: Vec<Linked>,
}

/// What a category says of itself that cannot be, and what to do.
pub(super) const CONTRADICTION: (&str, &str) = (
    "`decisions = 2` and `manual.auto_confirm = true` contradict each other",
    "leave one of the two out: a mark is confirmed at once, or by two different people",
);

impl Category {
    /// What it says of itself that cannot be, in a sentence, and what to do. The files never do; rules that are changed over
    /// them could.
    #[must_use]
    pub fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        (self.decisions > 1 && self.manual.auto_confirm).then_some(CONTRADICTION)
    }

    /// Whether a mark is confirmed without asking anybody. Where two people have to confirm it is not, whatever else is said.
    #[must_use]
    pub fn confirms_marks(&self) -> bool {
        self.manual.auto_confirm && self.decisions < 2
    }
}

/// `[manual]`: records that are asked for whatever the criteria say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manual {
    /// SQL condition: the application's own delete mark.
    pub mark: Option<Mark>,
    /// Whether a mark is confirmed at once.
    pub auto_confirm: bool,
}

/// The application's own delete mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// `where`: SQL condition.
    pub condition: Located<String>,
    /// Stands for its wording.
    pub version: RuleVersion,
}

/// A rule by which a record becomes due. It has `since` with a period, or a condition, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// Its name within the category.
    pub name: String,
    /// Where it begins.
    pub place: Place,
    /// The start date and the period that runs from it.
    pub since: Option<Since>,
    /// `where`: SQL condition.
    pub condition: Option<Located<String>>,
    /// Why such records are erased, in words for clerks.
    pub reason: Option<String>,
    /// Stands for the rule's wording: another wording has another version.
    pub version: RuleVersion,
    /// Whether it makes any record due. One that does not stays in the settings, and is told of.
    pub enabled: bool,
}

/// A date from which a period runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Since {
    /// A column, or an SQL expression over the table.
    pub sql: Located<String>,
    /// How the date is held.
    pub format: DateFormat,
    /// How long it runs.
    pub period: Located<Period>,
    /// What it runs from.
    pub starts: Starts,
}

/// The period of a dependent: while one row is within it, the record is not due.
pub type Retention = Since;

/// Eight bytes, in hexadecimal, of a digest over a rule's wording.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RuleVersion(pub Arc<str>);

impl fmt::Display for RuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happens to the columns of a row that stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// Where it is written.
    pub place: Place,
    /// Not personal: stays.
    pub keep: Vec<Column>,
    /// Personal: what it is replaced by. No column twice, none that is in `keep` too.
    pub anonymise: Vec<(Column, Located<Anonymise>)>,
}

/// What a personal value is replaced by.
#[derive(Debug, Clone, PartialEq)]
pub enum Anonymise {
    /// NULL.
    Null,
    /// Always the same value.
    Value(Literal),
    /// Text with the row's own key in it.
    Template(Template),
    /// The date, less exact.
    Truncate {
        /// What stays of it.
        to: Truncation,
        /// How the date is held.
        format: DateFormat,
    },
}

/// A value written in the settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A TOML string.
    Text(String),
    /// A TOML integer; `true` is 1 and `false` is 0, as SQLite holds them.
    Integer(i64),
    /// A TOML float.
    Real(f64),
}

/// Text with places for the row's key: `erased-{key}@invalid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub Vec<TemplatePart>);

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Text as it stands.
    Text(String),
    /// `{key}`: the row's own key.
    Key,
}

/// What stays of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncation {
    /// The year: 1 January.
    Year,
    /// Year and month: the first of the month.
    Month,
}

/// What a record is called: `{last_name}, {first_name:.1}.`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelTemplate(pub Vec<LabelPart>);

/// A piece of a [`LabelTemplate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelPart {
    /// Text as it stands.
    Text(String),
    /// `{column}` or `{column:.N}`.
    Column {
        /// The column.
        name: String,
        /// How many characters of it are shown.
        characters_max: Option<usize>,
    },
}

impl LabelTemplate {
    /// The columns it names, each once, in order.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut columns = Vec::new();
        for part in &self.0 {
            if let LabelPart::Column { name, .. } = part
                && !columns.contains(&name.as_str())
            {
                columns.push(name.as_str());
            }
        }
        columns
    }
}

/// As the settings write it.
impl fmt::Display for LabelTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                LabelPart::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                LabelPart::Column { name, characters_max: None } => write!(f, "{{{name}}}")?,
                LabelPart::Column { name, characters_max: Some(most) } => write!(f, "{{{name}:.{most}}}")?,
            }
        }
        Ok(())
    }
}

/// Rows of another table that depend on a record, and what becomes of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependent {
    /// What other dependents call it as their `parent`, and what verdicts call it: `name`, by default the table. Unique
    /// within the category.
    pub name: String,
    /// Where it begins.
    pub place: Place,
    /// The dependent that it hangs on; `None`: the category's table. It exists and there is no circle.
    pub parent: Option<Located<String>>,
    /// Its table.
    pub table: Located<String>,
    /// Which side refers to which.
    pub link: Link,
    /// The columns that are referred to, on the side that is; empty: as the schema's foreign key says, else the primary
    /// key (or, where the side is the category's table, the category's key).
    pub references: Vec<Column>,
    /// What becomes of its rows.
    pub rule: Rule,
    /// What happens to the columns of rows that stay (`keep`, `unlink`).
    pub rows: Classification,
    /// While a row is within it, the record is not due.
    pub retention: Option<Retention>,
}

/// Which side of a dependent refers to which. Never empty.
#[derive(Debug, Clone, PartialEq)]
pub enum Link {
    /// `column`, `columns`: the dependent's rows refer to the parent.
    Child(Vec<Column>),
    /// `parent_column`, `parent_columns`: the parent's rows refer to the dependent, which they own.
    Owned(Vec<Column>),
}

/// What becomes of a dependent's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// They stay, and so does what they refer to: it is anonymised.
    Keep,
    /// They go with the record.
    Delete,
    /// They stay; their reference becomes NULL.
    Unlink,
}

impl Rule {
    /// The word in settings and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Delete => "delete",
            Self::Unlink => "unlink",
        }
    }
}

/// `[[linked]]`: the same person in another category. It holds in both directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Linked {
    /// Where it begins.
    pub place: Place,
    /// The other category. It exists.
    pub category: Located<CategoryName>,
    /// What ties the two.
    pub by: LinkedBy,
}

/// What ties two categories. The columns of a key stand in the key's order; no list is empty.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkedBy {
    /// `column`, `columns`: columns of this category's table hold the other's key.
    Column(Vec<Column>),
    /// `their_column`, `their_columns`: columns of the other category's table hold this one's key.
    Theirs(Vec<Column>),
    /// `through`: a table of this category's source holds both.
    Through {
        /// The table.
        table: Located<String>,
        /// Its columns with this category's key.
        columns: Vec<Column>,
        /// Its columns with the other's.
        theirs: Vec<Column>,
    },
}
