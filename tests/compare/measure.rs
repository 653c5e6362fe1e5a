//! From many measured values to few.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The value below which this share of them lies; of none there is none.
pub fn percentile(values: &mut [u64], share: f64) -> Option<u64> {
    values.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.clamp(1, values.len().max(1)) - 1).copied()
}

/// The middle one; of two in the middle, half of both.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.len() % 2) {
        (Some(upper), 0) => Some((sorted[middle - 1] + upper) / 2.0),
        (upper, _) => upper.copied(),
    }
}

/// As many digits as mean something.
pub fn rounded(value: f64) -> f64 {
    if !value.is_finite() || value == 0.0 {
        return 0.0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of ten of a measured value is small")]
    let digits = 3 - value.abs().log10().floor() as i32;
    let scale = 10_f64.powi(digits.clamp(0, 6));
    (value * scale).round() / scale
}

/// A measured value for the report, or null where there is none.
pub fn told(value: Option<f64>) -> Value {
    let value = value.filter(|value| value.is_finite());
    #[expect(clippy::cast_possible_truncation, reason = "what is large is told without fractions")]
    value.map_or(
        Value::Null,
        |value| if value.abs() < 1e3 { json!(rounded(value)) } else { json!(value.round() as i64) },
    )
}

/// Microseconds as the report has them.
pub fn told_ms(microseconds: Option<u64>) -> Value {
    told(microseconds.map(|us| us as f64 / 1_000.0))
}

/// A duration in microseconds.
pub fn microseconds(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// How long many things took, each in microseconds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Latencies(pub Vec<u64>);

impl Latencies {
    /// The value below which this share of them lies.
    pub fn at(&self, share: f64) -> Option<u64> {
        percentile(&mut self.0.clone(), share)
    }

    /// The longest.
    pub fn max(&self) -> Option<u64> {
        self.0.iter().max().copied()
    }

    /// For the report, in milliseconds.
    pub fn report(&self) -> Value {
        json!({
            "count": self.0.len(),
            "p50_ms": told_ms(self.at(0.5)),
            "p99_ms": told_ms(self.at(0.99)),
            "max_ms": told_ms(self.max()),
        })
    }
}
