use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use i9chat_spec::{Nothing, api::capabilities::GetCapabilities};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    IdleArgs, LoadError, accounts, descriptors,
    memory::Gauge,
    process::Process,
    report::Report,
    socket::{self, Buffers, Socket},
};

/// How many connections are opened at a time.
const OPENING: usize = 64;

pub(super) async fn run(args: IdleArgs) -> Result<Report, LoadError> {
    let IdleArgs { common, connections, connections_per_user, hold_seconds, pid } = args;
    descriptors::allow(connections.into())?;
    let gauge = pid.map_or(Gauge::Metrics, |pid| Gauge::Process(Process(pid)));
    let allowed =
        accounts::api(&common).await?.call::<GetCapabilities>(None, &Nothing {}, &Nothing {}, &Nothing {}).await?;
    let per_user = per_user(connections_per_user, allowed.limits.max_connections_per_user)?;
    let connections = connections as usize;
    let (api, users) = accounts::prepare(&common, connections.div_ceil(per_user)).await?;

    let before = gauge.read(&api).await;
    let mut numbers = 0..connections;
    let mut opening = FuturesUnordered::new();
    let mut open = Vec::with_capacity(connections);
    loop {
        while opening.len() < OPENING
            && let Some(number) = numbers.next()
            && let Some(user) = users.get(number / per_user)
        {
            opening.push(socket::open(api.target(), &user.token, None, Buffers::Quiet, number));
        }
        match opening.next().await {
            Some(opened) => open.push(opened?.0),
            None => break,
        }
    }
    let after = gauge.read(&api).await;

    let opened = open.len();
    let troubles = hold(open, Duration::from_secs(hold_seconds.into())).await;
    let held = gauge.read(&api).await;
    let summary = format!(
        "idle: {opened} connections of {} users, held for {hold_seconds} s; the server's memory: {} before, {} with all open, {} after holding them",
        users.len(),
        mebibytes(before),
        mebibytes(after),
        mebibytes(held),
    );
    Ok(Report {
        server_bytes_per_connection: per_connection(before, after.max(held), opened),
        troubles,
        summary,
        ..Report::default()
    })
}

/// How many connections each user has, which must not be more than the server allows. (WSK-14)
pub(super) fn per_user(asked: Option<u32>, allowed: u64) -> Result<usize, LoadError> {
    let asked = asked.map_or(allowed, u64::from);
    if asked > allowed {
        let sentence = format!("the server allows {allowed} connections per user, and {asked} were asked for");
        return Err(LoadError::DoesNotFit(sentence));
    }
    Ok(usize::try_from(asked.max(1)).unwrap_or(usize::MAX))
}

fn per_connection(before: Option<u64>, after: Option<u64>, connections: usize) -> Option<u64> {
    after?.saturating_sub(before?).checked_div(connections as u64)
}

fn mebibytes(bytes: Option<u64>) -> String {
    match bytes {
        Some(bytes) => format!("{} MiB", bytes / (1024 * 1024)),
        None => "unknown".to_owned(),
    }
}

/// Reads every connection, and so answers its pings, for that long. What ends earlier is trouble.
async fn hold(open: Vec<Socket>, time: Duration) -> BTreeMap<String, u64> {
    let enough = CancellationToken::new();
    let mut tasks = JoinSet::new();
    for mut socket in open {
        let enough = enough.clone();
        tasks.spawn_local(async move {
            let listen = async {
                loop {
                    if let Err(error) = socket::next_text(&mut socket).await {
                        return error;
                    }
                }
            };
            enough.run_until_cancelled(listen).await
        });
    }
    sleep(time).await;
    enough.cancel();
    let mut troubles = BTreeMap::new();
    while let Some(ended) = tasks.join_next().await {
        let trouble = match ended {
            Ok(None) => continue,
            Ok(Some(error)) => error.to_string(),
            Err(panic) => panic.to_string(),
        };
        *troubles.entry(trouble).or_default() += 1;
    }
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_as_many_connections_as_the_server_allows_and_no_more() {
        assert_eq!(per_user(None, 50).unwrap(), 50);
        assert_eq!(per_user(Some(7), 50).unwrap(), 7);
        assert!(matches!(per_user(Some(51), 50), Err(LoadError::DoesNotFit(_))));
    }

    #[test]
    fn memory_per_connection_is_known_only_when_both_readings_are() {
        assert_eq!(per_connection(Some(1000), Some(6000), 5), Some(1000));
        assert_eq!(per_connection(Some(6000), Some(1000), 5), Some(0));
        assert_eq!(per_connection(None, Some(1), 5), None);
        assert_eq!(per_connection(Some(1), None, 5), None);
    }
}
