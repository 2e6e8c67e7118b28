//! Many users, for groups that are large: made once for all cases, since signing up is slow on purpose.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{World, user::User};
use crate::verdict::{Stop, Verdict};

/// How many sign up at the same time.
const AT_ONCE: usize = 8;
/// The most users that a case may ask for.
const MOST: usize = 150;
/// So few are made anew for each case.
const FEW: usize = 12;
/// Tokens that last less than this run out while a crowd is gathered, in seconds.
const LEAST_TOKEN_TTL: u64 = 300;

impl World {
    /// So many users. Many of them are known to other cases too: a case may put them into groups of its own, and nothing else.
    /// Skipped where that takes too long, or their tokens would run out meanwhile.
    pub async fn crowd(&self, count: usize) -> Verdict<Vec<User>> {
        if count > MOST {
            return Err(Stop::skipped(format!("signing up {count} users takes too long")));
        }
        if count <= FEW {
            return self.newcomers(count).await;
        }
        if self.lifetimes().token_ttl_s < LEAST_TOKEN_TTL {
            return Err(Stop::skipped("tokens run out while a crowd is gathered"));
        }
        let mut crowd = self.target().crowd().lock().await;
        let missing = count.saturating_sub(crowd.len());
        crowd.extend(self.newcomers(missing).await?);
        Ok(crowd.iter().take(count).map(|user| user.seen_by(self)).collect())
    }
    async fn newcomers(&self, count: usize) -> Verdict<Vec<User>> {
        stream::iter((0..count).map(|_| self.user())).buffered(AT_ONCE).try_collect().await
    }
}
