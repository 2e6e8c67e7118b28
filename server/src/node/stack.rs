use std::{path::Path, sync::Arc, time::Duration};

use i9chat_spec::{Lifetimes, Limits};
use tokio::time::{Instant, sleep};

use super::{SERVER_KEY, StartError, database, open_store};
use crate::{
    app::{AccountStores, Accounts, App, Committer, CommitterParts, Media, Watching},
    auth::{keys::ServerKey, passwords::PasswordCost},
    bus::{
        Bus, CLEAN_UP_IS_LEFT, CleanUps, LiveBus, LocalAttempts, LocalBus, LocalCleanUps, LocalPresence, LocalRates,
        Presence, Rates, RedisBuses, RedisParts, SignInAttempts, SignInRates,
    },
    clock::Clock,
    config::{MediaConfig, ScaleOutConfig},
    ids::Ids,
    media::{MediaStore, disk::DiskMedia, gcs::GcsMedia},
    realtime::Router,
    store::{
        LogHead, LogStore, StoreError, accounts::AccountStore, claims::ClaimStore, mails::MailStore,
        media::MediaRecords, neo4j::Neo4jStore,
    },
};

/// How long a node that starts waits for Neo4j.
const START_PATIENCE: Duration = Duration::from_mins(1);
/// The pause before it is tried again.
const START_PAUSE: Duration = Duration::from_secs(1);

/// What is the same whatever a server keeps its data in.
#[derive(Clone)]
pub struct Ground {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and secrets.
    pub ids: Arc<dyn Ids>,
    /// What the server publishes and keeps to.
    pub limits: Limits,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// What a password hash costs.
    pub password_cost: PasswordCost,
}

/// A backend for each trait that the application stands on.
pub struct Stack {
    /// The end of the log when the server started.
    pub head: LogHead,
    /// The server's key, the same on every node.
    pub key: ServerKey,
    /// The log and its views.
    pub log: Arc<dyn LogStore>,
    /// Accounts and sessions.
    pub accounts: Arc<dyn AccountStore>,
    /// Claims to mail addresses.
    pub claims: Arc<dyn ClaimStore>,
    /// The mails that wait.
    pub mails: Arc<dyn MailStore>,
    /// Records of media.
    pub records: Arc<dyn MediaRecords>,
    /// The bytes of media.
    pub media: Arc<dyn MediaStore>,
    /// The same, when this server answers for them.
    pub disk: Option<Arc<DiskMedia>>,
    /// What of media is to be removed.
    pub clean_ups: Arc<dyn CleanUps>,
    /// Tells what was committed.
    pub bus: Arc<dyn Bus>,
    /// Tells what is not durable.
    pub live: Arc<dyn LiveBus>,
    /// Who is there.
    pub presence: Arc<dyn Presence>,
    /// Who is told of whom.
    pub watching: Arc<Watching>,
    /// Who is connected here.
    pub router: Arc<Router>,
    /// Counts how often something is done.
    pub rates: Arc<dyn Rates>,
    /// Counts failed sign-ins.
    pub attempts: Arc<dyn SignInAttempts>,
    /// What this node has in common with others, when it is one of several.
    pub shared: Option<RedisBuses>,
}

impl Stack {
    /// Everything in this process and in one folder, which is made when it is not there.
    pub async fn embedded(data: &Path, media: &MediaConfig, ground: &Ground) -> Result<Self, StartError> {
        let Ground { clock, ids, limits, lifetimes, .. } = ground;
        let store = Arc::new(open_store(data)?);
        let key = ServerKey::load_or_create(data, &**ids)?;
        let unreadable = |error| StartError::Store { file: database(data), error };
        let head = store.head().await.map_err(unreadable)?;
        let router = Arc::new(Router::new(head));
        let watching = Arc::new(Watching::default());
        let lease = Duration::from_secs(lifetimes.presence_lease_s);
        let presence =
            LocalPresence::start(Arc::clone(&store) as _, Arc::clone(clock), Arc::clone(&watching) as _, lease);
        let presence = presence.await.map_err(unreadable)?;
        let (media, disk) = open_media(media, data, &key, clock).await?;
        Ok(Self {
            head,
            key,
            log: Arc::clone(&store) as _,
            accounts: Arc::clone(&store) as _,
            claims: Arc::clone(&store) as _,
            mails: Arc::clone(&store) as _,
            records: store,
            media,
            disk,
            bus: Arc::new(LocalBus::new(Arc::clone(&router) as _)),
            live: Arc::clone(&router) as _,
            presence: Arc::new(presence),
            watching,
            router,
            rates: LocalRates::start(),
            attempts: Arc::new(LocalAttempts::new(SignInRates::of(limits))),
            shared: None,
            clean_ups: Arc::new(LocalCleanUps::new(CLEAN_UP_IS_LEFT)),
        })
    }

    /// What this node has in common with others is in Neo4j and Redis.
    pub async fn scale_out(
        shared: &ScaleOutConfig,
        data: &Path,
        media: &MediaConfig,
        ground: &Ground,
    ) -> Result<Self, StartError> {
        let Ground { clock, ids, limits, lifetimes, .. } = ground;
        let store = Arc::new(reach_graph(shared).await.map_err(StartError::Graph)?);
        let key = shared_key(&store, &**ids).await?;
        let head = store.head().await.map_err(StartError::Graph)?;
        let router = Arc::new(Router::new(head));
        let watching = Arc::new(Watching::default());
        let redis = RedisBuses::start(RedisParts {
            url: &shared.bus,
            prefix: &shared.bus_prefix,
            node: ids.uuid(clock.now()),
            log: Arc::clone(&store) as _,
            head,
            subscriber: Arc::clone(&router) as _,
            here: Arc::clone(&router) as _,
            watcher: Arc::clone(&watching) as _,
            last_seen: Arc::clone(&store) as _,
            limits,
            lifetimes,
            clock: Arc::clone(clock),
            ids: Arc::clone(ids),
        });
        let redis = redis.await.map_err(StartError::Bus)?;
        let (media, disk) = open_media(media, data, &key, clock).await?;
        Ok(Self {
            head,
            key,
            log: Arc::clone(&store) as _,
            accounts: Arc::clone(&store) as _,
            claims: Arc::clone(&redis.claims) as _,
            mails: Arc::clone(&redis.claims) as _,
            records: store,
            media,
            disk,
            clean_ups: Arc::clone(&redis.clean_ups) as _,
            bus: Arc::clone(&redis.bus) as _,
            live: Arc::clone(&redis.live) as _,
            presence: Arc::clone(&redis.presence) as _,
            watching,
            router,
            rates: Arc::clone(&redis.rates) as _,
            attempts: Arc::clone(&redis.attempts) as _,
            shared: Some(redis),
        })
    }

    /// The application on this stack.
    pub fn app(&self, ground: Ground) -> Result<Arc<App>, StartError> {
        let Ground { clock, ids, limits, lifetimes, password_cost } = ground;
        let committer = Committer::start(CommitterParts {
            store: Arc::clone(&self.log),
            bus: Arc::clone(&self.bus),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
            ends_elsewhere: self.shared.is_some(),
        });
        let stores = AccountStores {
            accounts: Arc::clone(&self.accounts),
            claims: Arc::clone(&self.claims),
            mails: Arc::clone(&self.mails),
            attempts: Arc::clone(&self.attempts),
        };
        Ok(Arc::new(App {
            accounts: Accounts::new(stores, &self.key, password_cost, Arc::clone(&ids))?,
            clock,
            ids,
            limits,
            lifetimes,
            log: Arc::clone(&self.log),
            epoch: self.head.epoch,
            committer,
            presence: Arc::clone(&self.presence),
            watching: Arc::clone(&self.watching),
            live: Arc::clone(&self.live),
            rates: Arc::clone(&self.rates),
            media: Media {
                records: Arc::clone(&self.records),
                store: Arc::clone(&self.media),
                clean_ups: Arc::clone(&self.clean_ups),
            },
        }))
    }
}

/// Neo4j may be starting too, or be busy with what it has to do first.
async fn reach_graph(shared: &ScaleOutConfig) -> Result<Neo4jStore, StoreError> {
    let started = Instant::now();
    loop {
        match Neo4jStore::connect(shared.store.as_str()).await {
            Err(StoreError::Unavailable(why)) if started.elapsed() < START_PATIENCE => {
                tracing::warn!(%why, "Neo4j cannot be used yet: tried again");
                sleep(START_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// The one key of all nodes: made by whichever starts first.
async fn shared_key(store: &Neo4jStore, ids: &dyn Ids) -> Result<ServerKey, StartError> {
    let own = ServerKey::generate(ids).reveal();
    let key = store.shared_secret(SERVER_KEY, &own).await.map_err(StartError::Graph)?;
    let malformed = || StartError::Graph(StoreError::Corrupt("the nodes' key is none".to_owned()));
    ServerKey::from_text(&key).ok_or_else(malformed)
}

/// Where the bytes of media are, and the same once more when this server answers for them.
async fn open_media(
    config: &MediaConfig,
    data: &Path,
    key: &ServerKey,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<dyn MediaStore>, Option<Arc<DiskMedia>>), StartError> {
    match config {
        MediaConfig::Disk => {
            let disk =
                DiskMedia::open(data, key).map_err(|error| StartError::Data { folder: data.to_owned(), error })?;
            let disk = Arc::new(disk);
            Ok((Arc::clone(&disk) as _, Some(disk)))
        }
        MediaConfig::Gcs(options) => {
            let unusable = |error| StartError::Media { place: options.place.to_string(), error };
            let bucket = GcsMedia::open(options, Arc::clone(clock)).map_err(unusable)?;
            bucket.check().await.map_err(unusable)?;
            Ok((Arc::new(bucket), None))
        }
    }
}
