//! A sheet as one HTML file that prints well: no script, nothing from elsewhere, every text escaped.

use std::fmt::Write as _;

use super::sheet::{Body, Section};
use super::table::shown_under;
use super::tongue::{language, told};

/// The frame, with the look in it.
const FRAME: &str = include_str!("sheet.html");

/// The sheet, in the reader's language.
pub(super) fn page(title: &str, sections: &[Section]) -> String {
    let title = escaped(&sentence(title));
    let mut body = String::new();
    for section in sections {
        // Writing into a text cannot fail.
        let _ =
            write!(body, "<section>\n<h2>{}</h2>\n{}</section>\n", escaped(&told(section.heading)), inside(section));
    }
    FRAME.replace("{{lang}}", language().as_str()).replace("{{title}}", &title).replace("{{body}}", &body)
}

fn inside(section: &Section) -> String {
    match &section.body {
        Body::Facts(facts) => {
            let line = |(name, value): &(&str, String)| {
                format!("<tr><th scope=\"row\">{}</th>{}</tr>\n", escaped(&told(name)), cell(name, value))
            };
            format!("<table class=\"facts\">\n{}</table>\n", facts.iter().map(line).collect::<String>())
        }
        Body::Grid { head, rows } => {
            let names: String =
                head.iter().map(|name| format!("<th scope=\"col\">{}</th>", escaped(&told(name)))).collect();
            let row = |row: &Vec<String>| {
                let cells = head.iter().zip(row).map(|(name, value)| cell(name, value));
                format!("<tr>{}</tr>\n", cells.collect::<String>())
            };
            let rows: String = rows.iter().map(row).collect();
            format!("<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
        }
        Body::Lines(lines) => {
            let items: String =
                lines.iter().map(|line| format!("<li>{}</li>\n", escaped(&shown_under("", line)))).collect();
            format!("<ul>\n{items}</ul>\n")
        }
        Body::Verbatim(kept) => format!("<pre>{}</pre>\n", escaped(kept)),
    }
}

/// A cell; numbers stand below one another.
fn cell(name: &str, value: &str) -> String {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let class = if is_number { " class=\"n\"" } else { "" };
    format!("<td{class}>{}</td>", escaped(&shown_under(name, value)))
}

/// A sentence as it begins on paper.
fn sentence(text: &str) -> String {
    let said = told(text);
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A text that cannot be taken for markup, nor end an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_becomes_markup() {
        let evil = "</title><script>alert('x')</script>\u{1b}[2J\"&amp;";
        let grid = Body::Grid { head: vec!["RECORD"], rows: vec![vec![evil.to_owned()]] };
        let bodies = [
            Body::Facts(vec![("record", evil.to_owned())]),
            grid,
            Body::Lines(vec![evil.to_owned()]),
            Body::Verbatim(evil.to_owned()),
        ];
        let sections: Vec<Section> = bodies.into_iter().map(|body| Section { heading: "", body }).collect();
        let page = page(evil, &sections);
        assert_eq!(page.matches("<script").count(), 0, "{page}");
        assert_eq!(page.matches("</title>").count(), 1, "{page}");
        assert_eq!(page.matches("&lt;script&gt;alert(&#39;x&#39;)").count(), 6, "{page}");
        assert_eq!(page.matches("&quot;&amp;amp;").count(), 6, "{page}");
        for elsewhere in ["://", "src=", "href=", "url(", "@import"] {
            assert!(!page.contains(elsewhere), "{elsewhere}:\n{page}");
        }
    }
}
