use i9chat_spec::{Activity, ActivityKind, User, UserId, Username};

/// Whom something is about, as the viewer would be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// The viewer.
    You,
    /// Somebody else.
    User(Username),
}

impl Name {
    /// The user as the viewer would be told of them.
    pub fn of(user: &User, viewer: UserId) -> Self {
        if user.user_id == viewer { Self::You } else { Self::User(user.username.clone()) }
    }
}

/// What happened to a group, as the viewer would be told; [`Display`](std::fmt::Display) is the English for it. (GRP-20)
///
/// ```
/// use i9chat_sdk::{render::{Name, Phrase}, spec::{Activity, Example, User}};
///
/// fn auf_deutsch(phrase: &Phrase) -> String {
///     match phrase {
///         Phrase::Left { who: Name::You } => "Du bist gegangen".to_owned(),
///         Phrase::Left { who: Name::User(name) } => format!("{name} ist gegangen"),
///         other => other.to_string(), // in English, until somebody translates it
///     }
/// }
/// let phrase = Phrase::Left { who: Name::User("bob".parse().unwrap()) };
/// assert_eq!(auf_deutsch(&phrase), "bob ist gegangen");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phrase {
    /// Somebody created the group, with first members.
    Created {
        /// Who.
        who: Name,
        /// What it was called.
        name: Option<String>,
        /// Who else was in it from the start.
        members: Vec<Name>,
    },
    /// Somebody changed its name.
    Renamed {
        /// Who.
        who: Name,
        /// The name before.
        from: Option<String>,
        /// The name now.
        to: Option<String>,
    },
    /// Somebody changed its description.
    Described {
        /// Who.
        who: Name,
        /// The description now; empty when it was taken away.
        to: String,
    },
    /// Somebody changed its picture.
    Pictured {
        /// Who.
        who: Name,
        /// Whether it has one now.
        has_picture: bool,
    },
    /// Somebody joined.
    Joined {
        /// Who.
        who: Name,
    },
    /// Somebody left.
    Left {
        /// Who.
        who: Name,
    },
    /// Somebody added others.
    Added {
        /// Who.
        who: Name,
        /// Whom.
        members: Vec<Name>,
    },
    /// Somebody removed others.
    Removed {
        /// Who.
        who: Name,
        /// Whom.
        members: Vec<Name>,
    },
    /// Somebody made others admins.
    MadeAdmin {
        /// Who.
        who: Name,
        /// Whom.
        members: Vec<Name>,
    },
    /// Somebody took others from the admins.
    MadeMember {
        /// Who.
        who: Name,
        /// Whom.
        members: Vec<Name>,
    },
    /// The last admin left, so somebody became one.
    Succeeded {
        /// The new admin.
        members: Vec<Name>,
        /// The admin who left.
        former: Name,
    },
    /// Something that this version does not know. (CNV-14)
    Unknown {
        /// Who did it.
        who: Name,
    },
}

impl Phrase {
    /// What an activity says to a viewer.
    pub fn of(activity: &Activity, viewer: UserId) -> Self {
        let who = Name::of(&activity.actor, viewer);
        let members = || activity.targets.iter().map(|user| Name::of(user, viewer)).collect();
        let (from, to) = (activity.from.clone(), activity.to.clone());
        match activity.kind {
            ActivityKind::GroupCreated => Self::Created { who, name: to, members: members() },
            ActivityKind::NameChanged => Self::Renamed { who, from, to },
            ActivityKind::DescriptionChanged => Self::Described { who, to: to.unwrap_or_default() },
            ActivityKind::PictureChanged => Self::Pictured { who, has_picture: to.is_some() },
            ActivityKind::MemberJoined => Self::Joined { who },
            ActivityKind::MemberLeft => Self::Left { who },
            ActivityKind::MembersAdded => Self::Added { who, members: members() },
            ActivityKind::MemberRemoved => Self::Removed { who, members: members() },
            ActivityKind::AdminAdded => Self::MadeAdmin { who, members: members() },
            ActivityKind::AdminRemoved => Self::MadeMember { who, members: members() },
            ActivityKind::AdminSucceeded => Self::Succeeded { members: members(), former: who },
            ActivityKind::Unknown => Self::Unknown { who },
        }
    }
}
