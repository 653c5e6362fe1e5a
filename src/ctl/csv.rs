//! Comma-separated values after RFC 4180, safe to open in a spreadsheet.

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// What makes a spreadsheet take the rest of a cell for text.
const AS_TEXT: char = '\'';

/// A line with its end.
pub(super) fn line<const N: usize>(cells: &[String; N]) -> String {
    let mut line = cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// A cell. Labels and reasons are what somebody once typed: none of them is to be reckoned with.
fn cell(text: &str) -> String {
    let text = if text.starts_with(FORMULA) { format!("{AS_TEXT}{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_end_a_cell_is_quoted() {
        let cells = ["a", "b,c", "say \"no\"", "two\nlines", ""].map(str::to_owned);
        assert_eq!(line(&cells), "a,\"b,c\",\"say \"\"no\"\"\",\"two\nlines\",\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"x\",\"y\")"] {
            let written = cell(text);
            assert!(written.trim_start_matches('"').starts_with(AS_TEXT), "{written:?}");
        }
        assert_eq!(cell("1-2"), "1-2");
    }
}
