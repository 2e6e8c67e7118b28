use super::{api::Api, process::Process};

/// Where the server's memory is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gauge {
    /// From the kernel, on this machine.
    Process(Process),
    /// From the server's own metrics.
    Metrics,
}

impl Gauge {
    /// The resident memory of the server in bytes, if it can be known.
    pub(super) async fn read(self, api: &Api) -> Option<u64> {
        match self {
            Self::Process(process) => process.resident_bytes(),
            Self::Metrics => metric(&api.page("/metrics").await?),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bytes, checked to be one")]
fn metric(page: &str) -> Option<u64> {
    let value = page.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes"))?;
    let bytes: f64 = value.rsplit(' ').next()?.parse().ok()?;
    (bytes.is_finite() && bytes >= 0.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_metrics() {
        assert_eq!(metric("# TYPE a gauge\nprocess_resident_memory_bytes 1.5e+07\n"), Some(15_000_000));
        assert_eq!(metric("process_resident_memory_bytes{node=\"1\"} 4096\n"), Some(4096));
        assert_eq!(metric("process_resident_memory_bytes NaN\n"), None);
        assert_eq!(metric(""), None);
    }
}
