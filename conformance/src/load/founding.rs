//! Groups for a run.

use i9chat_spec::{
    ChatId, ClientId, List, Nothing, Username,
    api::{
        chats::OneChat,
        groups::{AddMembers, AddedMember, CreateGroup, FirstMembers, MembersToAdd, NewGroup},
    },
};

use super::{LoadError, accounts::User, api::Api};

/// Makes a group of these users, the first of whom is its admin.
pub(super) async fn found(api: &Api, users: &[User], client_id: ClientId) -> Result<ChatId, LoadError> {
    let Some((founder, others)) = users.split_first() else {
        return Err(LoadError::DoesNotFit("a group needs a member".to_owned()));
    };
    let first = others.get(..FirstMembers::MAX.min(others.len())).unwrap_or_default();
    let group = NewGroup {
        client_id,
        name: "Load".parse().map_err(|error| LoadError::Unexpected(format!("a name: {error}")))?,
        description: None,
        picture_id: None,
        members: Some(names(first)?),
    };
    let token = Some(&founder.token);
    let created = api.call::<CreateGroup>(token, &Nothing {}, &Nothing {}, &group).await?;
    all_added(&created.results)?;
    let path = OneChat { chat_id: created.chat_id };
    for some in others.get(first.len()..).unwrap_or_default().chunks(FirstMembers::MAX) {
        let added =
            api.call::<AddMembers>(token, &path, &Nothing {}, &MembersToAdd { usernames: names(some)? }).await?;
        all_added(&added.results)?;
    }
    Ok(created.chat_id)
}

fn names<const MIN: usize, const MAX: usize>(users: &[User]) -> Result<List<Username, MIN, MAX>, LoadError> {
    let names: Vec<_> = users.iter().map(|user| user.username.clone()).collect();
    names.try_into().map_err(|error| LoadError::Unexpected(format!("members: {error}")))
}

fn all_added(results: &[AddedMember]) -> Result<(), LoadError> {
    match results.iter().find(|result| !result.added) {
        None => Ok(()),
        Some(left_out) => {
            let why = left_out.code.as_deref().unwrap_or("without a reason");
            Err(LoadError::DoesNotFit(format!("{} was not added to the group: {why}", left_out.username)))
        }
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::{ErrorCode, Example};

    use super::*;

    #[test]
    fn a_group_without_one_of_its_members_is_no_group_to_measure() {
        let name = Username::example();
        assert!(all_added(&[AddedMember::added(name.clone())]).is_ok());
        let full = AddedMember::refused(name.clone(), ErrorCode::GroupFull);
        let error = all_added(&[AddedMember::added(name), full]).unwrap_err();
        assert!(error.to_string().contains("group_full"), "{error}");
    }
}
