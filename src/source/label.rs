//! What a record is called, for somebody entitled to look.

use super::rows::Label;
use crate::config::{LabelPart, LabelTemplate};
use crate::record::Value;

/// The label that `template` makes of these values of its columns.
pub(super) fn render(template: &LabelTemplate, columns: &[&str], values: &[Value]) -> Label {
    let mut text = String::new();
    for part in &template.0 {
        match part {
            LabelPart::Text(fixed) => text.push_str(fixed),
            LabelPart::Column { name, characters_max } => {
                let value = columns.iter().position(|column| column == name).and_then(|at| values.get(at));
                let shown = value.map(shown).unwrap_or_default();
                text.extend(shown.chars().take(characters_max.unwrap_or(usize::MAX)));
            }
        }
    }
    Label(text)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => real.to_string(),
        // What is no text is shown as far as it is. Control characters could play tricks on a terminal.
        Value::Text(bytes) => String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).collect(),
        Value::Blob(bytes) => format!("({} bytes)", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_cut_by_characters_and_never_printed() {
        let column = |name: &str, characters_max| LabelPart::Column { name: name.into(), characters_max };
        let template = LabelTemplate(vec![
            column("last", None),
            LabelPart::Text(", ".into()),
            column("first", Some(1)),
            LabelPart::Text(".".into()),
        ]);
        let label = render(&template, &["last", "first"], &[Value::text("Öz\u{1b}[31m"), Value::text("Şule")]);
        assert_eq!(label.reveal(), "Öz[31m, Ş.");
        assert_eq!(format!("{label:?}"), "Label(hidden)");
    }
}
