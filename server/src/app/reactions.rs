//! Reactions. (REA-1 to REA-7)

use i9chat_spec::{
    Emoji, User, action,
    action::SetReactionData,
    api::{
        messages::OneMessage,
        reactions::{
            ListReactions, ListReactionsRefusal, ReactionPage, ReactionsOf, RemoveReaction, RemoveReactionRefusal,
            SetReaction, SetReactionRefusal,
        },
    },
};

use super::{
    Act, Actor, Answer, App, Call, Done, Failure, Handle,
    groups::{Page, names},
    messages::wanted,
};
use crate::domain::ChangeReaction;

impl App {
    fn change_reaction(&self, user: User, message: &OneMessage, emoji: Option<Emoji>) -> ChangeReaction {
        let OneMessage { chat_id, message_id } = *message;
        ChangeReaction { user, chat_id, message_id, emoji, max_different: self.limits.max_different_reactions }
    }
}

impl Act<action::SetReaction> for App {
    fn act(&self, caller: &Actor, data: SetReactionData, done: Done<action::SetReaction>) {
        let SetReactionData { chat_id, message_id, emoji } = data;
        let message = OneMessage { chat_id, message_id };
        self.committer.submit_by(caller, self.change_reaction(caller.user.clone(), &message, Some(emoji)), done);
    }
}

impl Act<action::RemoveReaction> for App {
    fn act(&self, caller: &Actor, message: OneMessage, done: Done<action::RemoveReaction>) {
        let command = self.change_reaction(caller.user.clone(), &message, None);
        self.committer.submit_by(caller, command, move |outcome| done(outcome.map_err(Failure::narrow)));
    }
}

impl Handle<SetReaction> for App {
    async fn handle(&self, call: Call<SetReaction>) -> Result<Answer<ReactionsOf>, Failure<SetReactionRefusal>> {
        let command = self.change_reaction(call.caller.user, &call.path, Some(call.body.emoji));
        Ok(self.committer.commit(command).await?.into())
    }
}

impl Handle<RemoveReaction> for App {
    async fn handle(&self, call: Call<RemoveReaction>) -> Result<Answer<ReactionsOf>, Failure<RemoveReactionRefusal>> {
        let command = self.change_reaction(call.caller.user, &call.path, None);
        Ok(self.committer.commit(command).await.map_err(Failure::narrow)?.into())
    }
}

impl Handle<ListReactions> for App {
    async fn handle(&self, call: Call<ListReactions>) -> Result<Answer<ReactionPage>, Failure<ListReactionsRefusal>> {
        let names = names(&call.query);
        let read = self.log.reactions(wanted(&call.caller, &call.path), names.one_more()).await?;
        let Page { items, next } = names.page(read.found()?, |reaction| &reaction.user);
        Ok(ReactionPage { items, next }.into())
    }
}
