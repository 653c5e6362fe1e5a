//! The small template language of labels and replacements: `{…}` is a place, `{{` and `}}` are braces.

use crate::config::{LabelPart, LabelTemplate, Template, TemplatePart};

/// A piece of a text with places.
enum Piece {
    Text(String),
    Place(String),
}

/// What is wrong with a template, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub struct TemplateFault {
    pub message: String,
    pub hint: String,
}

fn fault<T>(message: impl Into<String>, hint: impl Into<String>) -> Result<T, TemplateFault> {
    Err(TemplateFault { message: message.into(), hint: hint.into() })
}

fn pieces(text: &str) -> Result<Vec<Piece>, TemplateFault> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(&rest[..at]);
        let from_brace = &rest[at..];
        if let Some(after) = from_brace.strip_prefix("{{") {
            plain.push('{');
            rest = after;
        } else if let Some(after) = from_brace.strip_prefix("}}") {
            plain.push('}');
            rest = after;
        } else if let Some(inside) = from_brace.strip_prefix('{') {
            let Some(end) = inside.find('}') else {
                return fault(format!("a {{ is not closed in {text:?}"), "close it with }, or write {{ for a brace");
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Place(inside[..end].to_owned()));
            rest = &inside[end + 1..];
        } else {
            return fault(format!("a }} without a {{ in {text:?}"), "write }} for a brace");
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

/// Reads `{last_name}, {first_name:.1}.`
pub fn label(text: &str) -> Result<LabelTemplate, TemplateFault> {
    let parts: Vec<LabelPart> = pieces(text)?
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => Ok(LabelPart::Text(text)),
            Piece::Place(inside) => label_column(&inside),
        })
        .collect::<Result<_, _>>()?;
    let template = LabelTemplate(parts);
    if template.columns().is_empty() {
        return fault(
            "the label names no column, and every record would be called the same",
            "name columns in braces: {last_name}, {first_name:.1}.",
        );
    }
    Ok(template)
}

fn label_column(inside: &str) -> Result<LabelPart, TemplateFault> {
    let (name, limit) = match inside.rsplit_once(':') {
        None => (inside, None),
        Some((name, limit)) => (name, Some(limit)),
    };
    if name.trim().is_empty() {
        return fault(
            "a place of the label names no column",
            "write the column's name between the braces: {last_name}",
        );
    }
    let characters_max = match limit {
        None => None,
        Some(limit) => match limit.strip_prefix('.').and_then(|digits| digits.parse::<usize>().ok()) {
            Some(number) if number > 0 => Some(number),
            _ => {
                return fault(
                    format!("{{{inside}}} does not say how many characters are shown"),
                    format!("write {{{name}:.1}} for the first character, or {{{name}}} for all"),
                );
            }
        },
    };
    Ok(LabelPart::Column { name: name.to_owned(), characters_max })
}

/// Reads `erased-{key}@invalid`.
pub fn replacement(text: &str) -> Result<Template, TemplateFault> {
    let parts: Vec<TemplatePart> = pieces(text)?
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => Ok(TemplatePart::Text(text)),
            Piece::Place(inside) if inside == "key" => Ok(TemplatePart::Key),
            Piece::Place(inside) => {
                fault(format!("a template cannot name {{{inside}}}"), "{key}, the row's own key, is all it can name")
            }
        })
        .collect::<Result<_, _>>()?;
    if !parts.contains(&TemplatePart::Key) {
        return fault(
            "the template is the same for every row",
            format!("write {{ value = {text:?} }}, or put {{key}} into it"),
        );
    }
    Ok(Template(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, characters_max: Option<usize>) -> LabelPart {
        LabelPart::Column { name: name.into(), characters_max }
    }

    #[test]
    fn a_label_is_text_and_columns() {
        let parts = label("{last_name}, {first name:.1}. {{x}}").unwrap().0;
        let expected = [
            column("last_name", None),
            LabelPart::Text(", ".into()),
            column("first name", Some(1)),
            LabelPart::Text(". {x}".into()),
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn faulty_labels_are_refused() {
        for text in ["{", "}", "{a", "a}", "{}", "{ }", "{a:1}", "{a:.0}", "{a:.}", "{a:.x}", "nobody", "{{a}}", ""] {
            assert!(label(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_replacement_names_the_key_and_nothing_else() {
        let parts = replacement("erased-{key}@invalid").unwrap().0;
        let text = |text: &str| TemplatePart::Text(text.into());
        assert_eq!(parts, [text("erased-"), TemplatePart::Key, text("@invalid")]);
        for text in ["{last_name}", "{key:.2}", "erased", "{key"] {
            assert!(replacement(text).is_err(), "{text:?}");
        }
    }
}
