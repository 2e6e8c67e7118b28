//! What the kernel knows of the server's process, on this machine.

/// How many of its ticks the kernel counts in a second, in every time that it tells (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// The server's process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process(pub(super) u32);

impl Process {
    /// The time that all its threads have had on a processor, in seconds.
    pub(super) fn cpu_seconds(self) -> Option<f64> {
        busy(&std::fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?)
    }

    /// The memory that it holds, in bytes.
    pub(super) fn resident_bytes(self) -> Option<u64> {
        resident(&std::fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?)
    }
}

/// The fields `utime` and `stime`, which are the twelfth and thirteenth behind the name. The name stands in
/// parentheses and may hold anything, more of them included.
#[expect(clippy::cast_precision_loss, reason = "hundredths of a second, far below 2^52")]
fn busy(stat: &str) -> Option<f64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_a_name_of_any_kind() {
        let stat = "17 (a) b (c)) S 1 17 17 0 -1 4194560 2212 0 0 0 150 25 0 0 20 0 3 0 3340 1 2";
        assert_eq!(busy(stat), Some(1.75));
        assert_eq!(busy("17 (a) S 1"), None);
        assert_eq!(busy(""), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1234 kB\nThreads:\t1\n"), Some(1234 * 1024));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_and_has_had_time() {
        let process = Process(std::process::id());
        assert!(process.resident_bytes().unwrap() > 100_000);
        assert!(process.cpu_seconds().unwrap() >= 0.0);
        assert!(Process(u32::MAX).cpu_seconds().is_none());
    }
}
