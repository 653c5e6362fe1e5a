//! What is said on one sheet, once for a terminal and once for paper: headings, facts, tables.
//!
//! The words are put together in English and translated where they leave, as everywhere in this room.

/// A part of a sheet.
pub(super) struct Section {
    /// What stands over it, on paper.
    pub(super) heading: &'static str,
    /// What it says; a part that says nothing is left out.
    pub(super) body: Body,
}

/// What a part of a sheet says.
pub(super) enum Body {
    /// What is known of one thing, a line each.
    Facts(Vec<(&'static str, String)>),
    /// Rows under a head.
    Grid {
        /// The head.
        head: Vec<&'static str>,
        /// The rows, each as long as the head.
        rows: Vec<Vec<String>>,
    },
    /// Sentences.
    Lines(Vec<String>),
    /// Something that is to be kept letter for letter.
    Verbatim(String),
}

impl Section {
    /// Whether it says anything.
    pub(super) fn is_empty(&self) -> bool {
        match &self.body {
            Body::Facts(facts) => facts.is_empty(),
            Body::Grid { rows, .. } => rows.is_empty(),
            Body::Lines(lines) => lines.is_empty(),
            Body::Verbatim(text) => text.is_empty(),
        }
    }
}
