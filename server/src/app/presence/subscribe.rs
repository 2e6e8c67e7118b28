use std::sync::Arc;

use i9chat_spec::{
    Limits, Nothing, User, Username,
    action::{PresenceSubscription, Presences, SubscribePresence, SubscribePresenceRefusal, UnsubscribePresence},
};

use super::{Feed, Watching};
use crate::{
    app::{Act, Actor, App, Done, Failure},
    bus::Presence,
    store::accounts::AccountStore,
};

impl Act<SubscribePresence> for App {
    fn act(&self, caller: &Actor, data: PresenceSubscription, done: Done<SubscribePresence>) {
        if let Err(wait) = caller.feed.count_names(data.usernames.len(), &self.limits) {
            return done(Err(Failure::RateLimited(wait)));
        }
        let subscribing = Subscribing {
            feed: Arc::clone(&caller.feed),
            store: Arc::clone(self.accounts.store()),
            presence: Arc::clone(&self.presence),
            watching: Arc::clone(&self.watching),
            limits: self.limits.clone(),
        };
        let job = async move { subscribing.run(data.usernames.to_vec(), done).await };
        caller.feed.queue(&self.limits, Box::pin(job));
    }
}

impl Act<UnsubscribePresence> for App {
    fn act(&self, caller: &Actor, data: PresenceSubscription, done: Done<UnsubscribePresence>) {
        let (feed, watching) = (Arc::clone(&caller.feed), Arc::clone(&self.watching));
        let limits = self.limits.clone();
        let job = async move {
            let names: Vec<_> = data.usernames.iter().map(Username::key).collect();
            let users = feed.unsubscribed(names.iter().map(String::as_str), &limits);
            watching.unfollow(feed.connection(), users);
            done(Ok(Nothing {}));
        };
        caller.feed.queue(&self.limits, Box::pin(job));
    }
}

/// A connection that subscribes.
struct Subscribing {
    feed: Arc<Feed>,
    store: Arc<dyn AccountStore>,
    presence: Arc<dyn Presence>,
    watching: Arc<Watching>,
    limits: Limits,
}

impl Subscribing {
    async fn run(self, names: Vec<Username>, done: Done<SubscribePresence>) {
        let found = match self.store.users_by_name(names.clone()).await {
            Ok(found) => found,
            Err(error) => return done(Err(error.into())),
        };
        let mut users = Vec::new();
        let mut not_found = Vec::new();
        for (name, user) in names.into_iter().zip(found) {
            match user {
                Some(user) => users.push((name.key(), user)),
                None => not_found.push(name),
            }
        }
        let by_key = users.iter().map(|(key, user)| (key.as_str(), user.clone()));
        let Some(new) = self.feed.new_among(by_key, &self.limits) else {
            return done(Err(Failure::Refused(SubscribePresenceRefusal::TooManySubscriptions)));
        };
        // Follows first and asks then, so that no change falls between the two.
        let connection = self.feed.connection();
        self.watching.follow(connection, self.feed.sink(), &new);
        let new_ids = || new.iter().map(|user| user.user_id);
        let ids: Vec<_> = users.iter().map(|(_, User { user_id, .. })| *user_id).collect();
        let states = match self.presence.states(&ids).await {
            Ok(states) => states,
            Err(error) => {
                self.watching.unfollow(connection, new_ids());
                return done(Err(error.into()));
            }
        };
        if !self.feed.subscribed(users.into_iter().map(|(key, user)| (key, user.user_id)), &self.limits) {
            self.watching.unfollow(connection, new_ids());
        }
        let presences = self.watching.reply(connection, ids.iter().copied().zip(states));
        done(Ok(Presences { presences, not_found }));
        self.watching.release(connection, ids);
    }
}
