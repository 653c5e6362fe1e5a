//! The values of a payload, as far as the walk needs them: where each lies.

use std::ops::Range;

use super::bytes::{size, varint};

/// A value of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its bytes.
    pub place: Range<usize>,
    /// Whether it is text.
    pub is_text: bool,
    /// Whether it is a blob.
    pub is_blob: bool,
}

/// Where the values of a payload lie; those that reach beyond it are left out.
#[must_use]
pub fn columns(payload: &[u8]) -> Vec<Column> {
    let mut found = Vec::new();
    let Some((head, first)) = varint(payload, 0).and_then(|(head, length)| Some((size(head)?, length))) else {
        return found;
    };
    let (mut at, mut start) = (first, head);
    while at < head {
        let Some((kind, length)) = varint(payload, at) else { break };
        at += length;
        let bytes = match kind {
            0 | 8 | 9 => Some(0),
            1..=4 => size(kind),
            5 => Some(6),
            6 | 7 => Some(8),
            10 | 11 => None,
            _ => size((kind - 12) / 2),
        };
        let Some(end) = bytes.and_then(|bytes| start.checked_add(bytes)).filter(|end| *end <= payload.len()) else {
            break;
        };
        found.push(Column {
            place: start..end,
            is_text: kind >= 13 && kind % 2 == 1,
            is_blob: kind >= 12 && kind % 2 == 0,
        });
        start = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_types() {
        let payload = [4, 1, 17, 14, 9, b'a', b'b', 0xff];
        let found = columns(&payload);
        assert_eq!(found.iter().map(|column| column.place.clone()).collect::<Vec<_>>(), [4..5, 5..7, 7..8]);
        assert!(found[1].is_text && found[2].is_blob);
        assert_eq!(columns(&payload[..6]).len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_payload_has_columns(payload in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            proptest::prop_assert!(columns(&payload).iter().all(|column| column.place.end <= payload.len()));
        }
    }
}
