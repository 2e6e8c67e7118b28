use std::{collections::BTreeMap, time::Duration};

const MIB: f64 = 1024.0 * 1024.0;

/// The server's memory over a run.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Seconds from the start, and mebibytes.
    samples: Vec<(f64, f64)>,
}

impl Memory {
    #[expect(clippy::cast_precision_loss, reason = "a number of bytes of memory, far below 2^52")]
    pub(super) fn sample(&mut self, at: Duration, bytes: u64) {
        self.samples.push((at.as_secs_f64(), bytes as f64 / MIB));
    }

    /// What is to be said of it; nothing where it is not known.
    pub(super) fn figures(&self) -> BTreeMap<String, f64> {
        let (Some(first), Some(last)) = (self.samples.first(), self.samples.last()) else { return BTreeMap::new() };
        let most = self.samples.iter().map(|(_, mebibytes)| *mebibytes).fold(0.0, f64::max);
        let mut figures = BTreeMap::from([
            ("server memory: MiB at the start".to_owned(), first.1),
            ("server memory: MiB in the end".to_owned(), last.1),
            ("server memory: MiB at most".to_owned(), most),
        ]);
        let growth = self.growth().map(|growth| ("server memory: MiB more each minute, once warm".to_owned(), growth));
        figures.extend(growth);
        figures
    }

    /// By how many mebibytes it grows each minute: the slope of the straight line that fits the second half best. In the
    /// first half caches fill.
    fn growth(&self) -> Option<f64> {
        let warm = self.samples.get(self.samples.len() / 2..)?;
        #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
        let count = warm.len() as f64;
        let mean = |value: fn(&(f64, f64)) -> f64| warm.iter().map(value).sum::<f64>() / count;
        let (time, memory) = (mean(|sample| sample.0), mean(|sample| sample.1));
        let spread: f64 = warm.iter().map(|sample| (sample.0 - time).powi(2)).sum();
        let common: f64 = warm.iter().map(|sample| (sample.0 - time) * (sample.1 - memory)).sum();
        (spread > 0.0).then(|| 60.0 * common / spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(mebibytes: impl Fn(u32) -> f64) -> Memory {
        Memory { samples: (0..100).map(|second| (f64::from(second), mebibytes(second))).collect() }
    }

    #[test]
    fn growth_is_that_of_the_second_half() {
        let close = |memory: &Memory, expected: f64| (memory.growth().unwrap() - expected).abs() < 1e-9;
        assert!(close(&memory(|_| 40.0), 0.0));
        assert!(close(&memory(|second| 40.0 + f64::from(second) / 10.0), 6.0));
        assert!(close(&memory(|second| 40.0 + f64::from(second.min(50))), 0.0));
        assert!(close(&memory(|second| 90.0 - f64::from(second) / 60.0), -1.0));
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        assert!(Memory::default().figures().is_empty());
        let mut memory = Memory::default();
        memory.sample(Duration::from_secs(1), 3 * 1024 * 1024);
        let figures = memory.figures();
        assert_eq!(figures["server memory: MiB at the start"].to_bits(), 3.0_f64.to_bits());
        assert_eq!(figures.len(), 3, "one sample has no slope");
    }
}
