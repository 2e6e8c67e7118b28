/// How far an upload or a download is.
///
/// ```
/// let progress = i9chat_sdk::uploads::Progress { bytes: 50, total: Some(200), is_done: false };
/// assert_eq!(progress.fraction(), Some(0.25));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that have arrived, of all parts.
    pub bytes: u64,
    /// Bytes in all, once that is known.
    pub total: Option<u64>,
    /// Whether nothing is left to do: for an upload, the server has checked it too.
    pub is_done: bool,
}

impl Progress {
    /// From 0 to 1; `None` while the total is not known.
    #[expect(clippy::cast_precision_loss, reason = "a fraction for a progress bar")]
    pub fn fraction(&self) -> Option<f64> {
        let total = self.total?;
        Some(if total == 0 { 1.0 } else { self.bytes as f64 / total as f64 })
    }
}
