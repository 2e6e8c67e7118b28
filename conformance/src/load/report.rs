use std::{collections::BTreeMap, fmt, path::Path};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::LoadError;

/// The figures of a run. As JSON it has exactly the fields that are not skipped here.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Messages sent.
    pub sent: u64,
    /// Messages acknowledged.
    pub acknowledged: u64,
    /// Messages that reached whom they were for.
    pub delivered: u64,
    /// Acknowledged messages that did not reach everybody who should have them.
    pub lost: u64,
    /// Deliveries beyond the first.
    pub duplicated: u64,
    /// Deliveries after one that should have come later.
    pub out_of_order: u64,
    /// Messages both acknowledged and delivered within the measured time, for each of its seconds.
    pub per_second: f64,
    /// How long acknowledgements took; for a resume, how long each connection took until it had everything.
    pub latency_ms: LatencyMs,
    /// The growth of the server's memory for each connection, where it is known.
    pub server_bytes_per_connection: Option<u64>,
    /// What else was measured, each with its unit in its name; the kinds of load differ in it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
    /// How long deliveries took.
    #[serde(skip)]
    pub delivery_ms: LatencyMs,
    /// Refusals by code, closed connections and other oddities, each with how often it came.
    #[serde(skip)]
    pub troubles: BTreeMap<String, u64>,
    /// What the run did, in one line.
    #[serde(skip)]
    pub summary: String,
}

/// Percentiles of a latency, in milliseconds; none where nothing was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct LatencyMs {
    /// Half were quicker.
    pub p50: Option<f64>,
    /// 95 of a hundred were quicker.
    pub p95: Option<f64>,
    /// 99 of a hundred were quicker.
    pub p99: Option<f64>,
    /// The slowest.
    pub max: Option<f64>,
}

impl LatencyMs {
    pub(super) fn of(micros: &Histogram<u64>) -> Self {
        let at = |quantile: f64| Some(millis(micros.value_at_quantile(quantile)));
        if micros.is_empty() {
            Self::default()
        } else {
            Self { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: Some(millis(micros.max())) }
        }
    }

    fn is_known(self) -> bool {
        self.max.is_some()
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of ten minutes at most, far below 2^52")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

impl Report {
    /// Whether the server did what it must: nothing lost, nothing doubled, nothing out of order, no trouble.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.out_of_order == 0 && self.troubles.is_empty()
    }

    pub(super) fn write_json(&self, path: &Path) -> Result<(), LoadError> {
        let failed = |source| LoadError::File { path: path.to_owned(), source };
        let mut text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        text.push('\n');
        std::fs::write(path, text).map_err(failed)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary)?;
        let counts = [
            ("sent", self.sent),
            ("acknowledged", self.acknowledged),
            ("delivered", self.delivered),
            ("lost", self.lost),
            ("duplicated", self.duplicated),
            ("out of order", self.out_of_order),
        ];
        if self.sent > 0 || self.delivered > 0 {
            for (name, count) in counts {
                writeln!(f, "  {name:<24}{count:>12}")?;
            }
            writeln!(f, "  {:<24}{:>12.0}", "per second", self.per_second)?;
        }
        if self.latency_ms.is_known() || self.delivery_ms.is_known() {
            writeln!(f, "  {:<24}{:>12}{:>12}{:>12}{:>12}", "ms", "p50", "p95", "p99", "max")?;
            write_latency(f, "acknowledged or complete", self.latency_ms)?;
            write_latency(f, "delivered", self.delivery_ms)?;
        }
        if let Some(bytes) = self.server_bytes_per_connection {
            writeln!(f, "  {:<24}{bytes:>12}", "bytes per connection")?;
        }
        for (name, value) in &self.figures {
            writeln!(f, "  {name:<60}{value:>12.3}")?;
        }
        for (trouble, count) in &self.troubles {
            writeln!(f, "  {trouble:<24}{count:>12}  !")?;
        }
        Ok(())
    }
}

fn write_latency(f: &mut fmt::Formatter<'_>, name: &str, latency: LatencyMs) -> fmt::Result {
    let LatencyMs { p50: Some(p50), p95: Some(p95), p99: Some(p99), max: Some(max) } = latency else { return Ok(()) };
    writeln!(f, "  {name:<24}{p50:>12.3}{p95:>12.3}{p99:>12.3}{max:>12.3}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn report() -> Report {
        let mut histogram = super::super::ledger::histogram();
        for micros in 1..=1000 {
            histogram.record(micros * 10).unwrap();
        }
        Report {
            sent: 10,
            acknowledged: 9,
            delivered: 8,
            per_second: 4.0,
            latency_ms: LatencyMs::of(&histogram),
            summary: "direct".to_owned(),
            ..Report::default()
        }
    }

    #[test]
    fn the_json_holds_exactly_the_agreed_fields() {
        let value = serde_json::to_value(report()).unwrap();
        let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        let expected = [
            "acknowledged",
            "delivered",
            "duplicated",
            "latency_ms",
            "lost",
            "out_of_order",
            "per_second",
            "sent",
            "server_bytes_per_connection",
        ];
        assert_eq!(names, expected);
        let figures = BTreeMap::from([("connect, ms".to_owned(), 1.5)]);
        let with_figures = Report { figures, ..report() };
        assert_eq!(serde_json::to_value(&with_figures).unwrap()["figures"], json!({ "connect, ms": 1.5 }));
        assert!(with_figures.to_string().contains("connect, ms"));
        assert_eq!(value["server_bytes_per_connection"], Value::Null);
        assert_eq!(value["sent"], json!(10));
        for (name, expected) in [("p50", 5.0), ("p95", 9.5), ("p99", 9.9), ("max", 10.0)] {
            let got = value["latency_ms"][name].as_f64().unwrap();
            assert!((got - expected).abs() / expected < 0.002, "{name} is {got}");
        }
    }

    #[test]
    fn any_fault_makes_a_report_unclean() {
        assert!(report().is_clean());
        assert!(!Report { lost: 1, ..report() }.is_clean());
        assert!(!Report { duplicated: 1, ..report() }.is_clean());
        assert!(!Report { out_of_order: 1, ..report() }.is_clean());
        let troubled = Report { troubles: BTreeMap::from([("rate_limited".to_owned(), 3)]), ..report() };
        assert!(!troubled.is_clean());
        assert!(troubled.to_string().contains("rate_limited"));
    }
}
