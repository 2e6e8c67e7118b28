use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const COMMANDS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Makes this process count; once per process. Needs a runtime, for the upkeep of the numbers.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    use metrics_exporter_prometheus::Matcher;

    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_commands".to_owned()), COMMANDS)?
        .install_recorder()?;
    describe();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(5));
        loop {
            tick.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

fn describe() {
    metrics::describe_counter!("i9chat_requests_total", "Requests answered, by endpoint and status.");
    metrics::describe_histogram!("i9chat_request_seconds", "Time from a request's head to its answer, by endpoint.");
    metrics::describe_gauge!("i9chat_connections", "Open WebSockets.");
    metrics::describe_counter!("i9chat_connections_closed_total", "WebSockets that the server closed, by reason.");
    metrics::describe_histogram!("i9chat_commit_seconds", "Time of one commit of the log.");
    metrics::describe_histogram!("i9chat_commit_batch_commands", "Commands in one commit.");
    metrics::describe_gauge!("i9chat_redis_connected", "Whether Redis is connected: 1 or 0.");
    metrics::describe_counter!("i9chat_redis_outages_total", "Connections to Redis that were lost.");
    metrics::describe_histogram!("i9chat_redis_call_seconds", "Time of one call to Redis.");
    metrics::describe_counter!(
        "i9chat_bus_dropped_total",
        "Batches of changes and live events that other nodes were not told of; changes they find in the log."
    );
    metrics::describe_counter!(
        "i9chat_bus_unreadable_total",
        "Batches of changes from other nodes that could not be read."
    );
    metrics::describe_counter!(
        "i9chat_rates_counted_alone_total",
        "Rates that were counted on this node alone, because Redis did not answer."
    );
    metrics::describe_counter!("i9chat_log_gaps_total", "Gaps in what other nodes told that were read from the log.");
    metrics::describe_counter!(
        "i9chat_connections_refused_total",
        "Connections that were refused because too many are open."
    );
    metrics::describe_counter!("i9chat_downloads_total", "Downloads of media that this server began to answer.");
    metrics::describe_counter!("i9chat_media_received_bytes_total", "Bytes of media that this server has received.");
    metrics::describe_gauge!("process_resident_memory_bytes", "Resident memory of the process.");
}

/// Everything counted so far, as Prometheus reads it.
pub(super) fn render(handle: &PrometheusHandle) -> String {
    if let Some(bytes) = resident_bytes() {
        metrics::gauge!("process_resident_memory_bytes").set(bytes);
    }
    handle.render()
}

/// What Linux says of this process; nothing elsewhere.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes: f64 =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok())?;
    Some(kibibytes * 1024.0)
}
