//! Did you mean: the nearest of the words that would have been right.

/// The word that `typed` is most like, when it is like one at all: at most every third letter wrong.
pub fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = typed.to_lowercase();
    words
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.chars().count().max(3) / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// `a, b or c`.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_meant() {
        let words = ["period", "since", "where", "starts"];
        assert_eq!(nearest("peroid", words), Some("period"));
        assert_eq!(nearest("Since", words), Some("since"));
        assert_eq!(nearest("start", words), Some("starts"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!(nearest("", words), None);
    }

    #[test]
    fn lists_read_as_a_sentence_does() {
        assert_eq!(listed(["a", "b", "c"]), "a, b or c");
        assert_eq!(listed(["a"]), "a");
        assert_eq!(listed([]), "nothing");
    }
}
