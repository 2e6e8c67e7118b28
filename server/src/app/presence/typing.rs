use std::sync::Arc;

use i9chat_spec::{
    Nothing, UserId,
    action::{SetTyping, SetTypingRefusal, TypingIn},
    event::Typing,
};

use crate::{
    app::{Act, Actor, App, Done, Failure},
    bus::{LiveEvent, Topic},
    store::AudienceRead,
};

impl Act<SetTyping> for App {
    fn act(&self, caller: &Actor, data: TypingIn, done: Done<SetTyping>) {
        if let Err(wait) = caller.feed.count_typing(&self.limits) {
            return done(Err(Failure::RateLimited(wait)));
        }
        let (log, live) = (Arc::clone(&self.log), Arc::clone(&self.live));
        let most = self.limits.receipt_fanout_members;
        let expires_in_ms = self.lifetimes.typing_expires_ms;
        let user = caller.user.clone();
        let chat_id = data.chat_id;
        tokio::spawn(async move {
            done(match log.audience(user.user_id, chat_id).await {
                Ok(AudienceRead::NoChat) => Err(Failure::Refused(SetTypingRefusal::ChatNotFound)),
                Ok(AudienceRead::NotMember) => Err(Failure::Refused(SetTypingRefusal::NotMember)),
                Ok(AudienceRead::Members(members)) => {
                    if members.len() as u64 <= most {
                        let others: Vec<UserId> =
                            members.iter().copied().filter(|member| *member != user.user_id).collect();
                        let topic = Topic::Typing(chat_id, user.user_id);
                        live.tell(&others, LiveEvent::new(topic, Typing { chat_id, user, expires_in_ms }));
                    }
                    Ok(Nothing {})
                }
                Err(error) => Err(error.into()),
            });
        });
    }
}
