use std::{
    collections::{HashMap, VecDeque},
    fmt, mem,
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::{InMemoryState, NotKeyed},
};
use i9chat_spec::{ConnectionId, Limits, UserId};
use parking_lot::Mutex;

use super::{LiveSink, Watching};

/// What one connection asks of presence and typing.
pub struct Feed {
    connection: ConnectionId,
    sink: Arc<dyn LiveSink>,
    /// Made when it is first needed: most connections ask nothing.
    asked: Mutex<Option<Box<Asked>>>,
}

/// Something that a connection asked and that takes a while.
pub(super) type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Asked {
    /// Users by their names in lower case.
    subscribed: HashMap<String, UserId>,
    /// What was asked and is not begun, in the order asked.
    jobs: VecDeque<Job>,
    is_working: bool,
    has_left: bool,
    names: Limiter,
    typing: Limiter,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, DefaultClock>;

impl Feed {
    /// The feed of a connection, whose live events wait in the sink.
    pub fn new(connection: ConnectionId, sink: Arc<dyn LiveSink>) -> Self {
        Self { connection, sink, asked: Mutex::new(None) }
    }

    pub(super) fn connection(&self) -> ConnectionId {
        self.connection
    }

    pub(super) fn sink(&self) -> &Arc<dyn LiveSink> {
        &self.sink
    }

    /// The connection has closed: its subscriptions end. (PRS-8)
    pub fn leave(&self, watching: &Watching) {
        let mut asked = self.asked.lock();
        let Some(asked) = asked.as_deref_mut() else { return };
        asked.has_left = true;
        asked.jobs.clear();
        let subscribed = mem::take(&mut asked.subscribed);
        watching.unfollow(self.connection, subscribed.into_values());
    }

    /// Counts names that are asked about, or says how long to wait. (PRS-9)
    pub(super) fn count_names(&self, names: usize, limits: &Limits) -> Result<(), Duration> {
        self.with(limits, |asked| count(&asked.names, names))
    }

    /// Counts a notice that the user is typing, or says how long to wait. (PRS-12)
    pub(super) fn count_typing(&self, limits: &Limits) -> Result<(), Duration> {
        self.with(limits, |asked| count(&asked.typing, 1))
    }

    /// Does one job after the other, in the order of the calls. (MSG-12)
    pub(super) fn queue(self: &Arc<Self>, limits: &Limits, job: Job) {
        let begins = self.with(limits, |asked| {
            asked.jobs.push_back(job);
            !mem::replace(&mut asked.is_working, true)
        });
        if begins {
            let feed = Arc::clone(self);
            tokio::spawn(async move {
                while let Some(job) = feed.next_job() {
                    job.await;
                }
            });
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut asked = self.asked.lock();
        let asked = asked.as_deref_mut()?;
        let job = asked.jobs.pop_front();
        asked.is_working = job.is_some();
        job
    }

    /// Which of those users, with their names in lower case, the connection is not subscribed to yet; `None` when with them it
    /// would have more subscriptions than it may. (PRS-4)
    pub(super) fn new_among<'a, T>(
        &self,
        users: impl Iterator<Item = (&'a str, T)>,
        limits: &Limits,
    ) -> Option<Vec<T>> {
        self.with(limits, |asked| {
            let new: Vec<_> =
                users.filter(|(name, _)| !asked.subscribed.contains_key(*name)).map(|(_, user)| user).collect();
            let all = asked.subscribed.len() + new.len();
            (all as u64 <= limits.max_presence_subscriptions).then_some(new)
        })
    }

    /// Notes subscriptions; `false` when the connection has closed meanwhile.
    pub(super) fn subscribed(&self, users: impl Iterator<Item = (String, UserId)>, limits: &Limits) -> bool {
        self.with(limits, |asked| {
            if !asked.has_left {
                asked.subscribed.extend(users);
            }
            !asked.has_left
        })
    }

    /// Ends subscriptions; answers whose.
    pub(super) fn unsubscribed<'a>(&self, names: impl Iterator<Item = &'a str>, limits: &Limits) -> Vec<UserId> {
        self.with(limits, |asked| names.filter_map(|name| asked.subscribed.remove(name)).collect())
    }

    fn with<T>(&self, limits: &Limits, run: impl FnOnce(&mut Asked) -> T) -> T {
        let mut asked = self.asked.lock();
        run(asked.get_or_insert_with(|| Box::new(Asked::new(limits))))
    }
}

impl Asked {
    fn new(limits: &Limits) -> Self {
        let number =
            |number: u64| NonZeroU32::new(u32::try_from(number).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        let limiter = |rate, burst| RateLimiter::direct(Quota::per_second(number(rate)).allow_burst(number(burst)));
        Self {
            subscribed: HashMap::new(),
            jobs: VecDeque::new(),
            is_working: false,
            has_left: false,
            names: limiter(limits.presence_names_per_second, limits.presence_names_burst),
            typing: limiter(limits.typing_per_second, limits.typing_burst),
        }
    }
}

fn count(limiter: &Limiter, times: usize) -> Result<(), Duration> {
    let times = u32::try_from(times).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    match limiter.check_n(times) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(wait)) => Err(wait.wait_time_from(DefaultClock::default().now())),
        // More at once than the burst ever allows: fewer may be asked at any time.
        Err(_) => Err(Duration::from_secs(1)),
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("connection", &self.connection).finish_non_exhaustive()
    }
}
