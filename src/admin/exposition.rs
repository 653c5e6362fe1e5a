//! Numbers as Prometheus reads them: its text format, version 0.0.4, which node_exporter's textfile collector takes as well.
//!
//! Written here because the format is five rules long, and because the crates for it keep what they count in the process: what
//! is told here is read from the state when somebody asks.

use std::fmt::{Display, Write as _};

/// What HTTP calls it.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What kind of number a family has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// One that goes up and down.
    Gauge,
    /// One that only grows, but for a restart.
    Counter,
}

/// Families of numbers, one after the other.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

/// One family that is being written.
pub(super) struct Family<'e> {
    text: &'e mut String,
    name: &'static str,
}

impl Exposition {
    /// Begins a family.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing into a text cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family { text: &mut self.0, name }
    }

    /// All of it.
    pub(super) fn text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// A number with these labels.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let label = |(name, value): &(&str, &str)| format!("{name}=\"{}\"", escaped(value));
        let labels: Vec<String> = labels.iter().map(label).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }

    /// 1 where it is so, 0 where not.
    pub(super) fn flag(&mut self, labels: &[(&str, &str)], is_so: bool) {
        self.sample(labels, u8::from(is_so));
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_ends_before_its_end() {
        let mut exposition = Exposition::default();
        let mut family = exposition.family("erasured_up", Kind::Gauge, "Whether \\ it\nis up");
        family.sample(&[("category", "a\"} 1\nx\\"), ("job", "erase")], 7);
        family.flag(&[], true);
        assert_eq!(
            exposition.text(),
            "# HELP erasured_up Whether \\\\ it\\nis up\n# TYPE erasured_up gauge\n\
             erasured_up{category=\"a\\\"} 1\\nx\\\\\",job=\"erase\"} 7\nerasured_up 1\n"
        );
    }
}
