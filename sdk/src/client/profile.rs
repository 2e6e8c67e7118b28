use std::future::IntoFuture;

use futures_util::future::BoxFuture;
use i9chat_spec::{
    Bio, Location, MediaId, Near, NearbyLimit, Nothing, Patch, RadiusM, Username,
    api::users::{
        self, Around, FindNearby, GetMe, GetUser, NearbyUser, OneUser, OwnProfile, ProfilePatch, UserProfile,
    },
};

use crate::{Client, Error};

/// Users: oneself and others.
impl Client {
    /// The user's own profile. (USR-1)
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let me = client.me().await?;
    /// println!("{} <{}>", me.username, me.email.as_str());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn me(&self) -> Result<OwnProfile, Error> {
        self.inner.http.call::<GetMe>(&Nothing {}, &Nothing {}, &Nothing {}).await
    }

    /// Changes the user's own profile when it is awaited, and answers it. (USR-4)
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let me = client.update_me().bio("On the road").location(41.3275, 19.8187).await?;
    /// println!("{}: {}", me.username, me.bio.as_str());
    /// client.update_me().no_location().no_picture().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_me(&self) -> UpdateMe {
        UpdateMe::new(self.clone())
    }

    /// Users around a place, in degrees north and east, the nearest first, found when it is awaited. (USR-7 to USR-13)
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// for user in client.nearby(41.3275, 19.8187).radius_m(5000).limit(20).await? {
    ///     println!("{} is {} m away", user.username, user.distance_m);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn nearby(&self, lat: f64, lon: f64) -> Nearby {
        Nearby::new(self.clone(), lat, lon)
    }

    /// A user by exact name, in any case; refused with `user_not_found`. (USR-2)
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let bob = client.user("BOB").await?;
    /// println!("{}: {}", bob.username, bob.bio.as_str()); // spelled as bob chose it
    /// # Ok(())
    /// # }
    /// ```
    pub async fn user(&self, username: &str) -> Result<UserProfile, Error> {
        let path = OneUser { username: username.parse::<Username>()? };
        self.inner.http.call::<GetUser>(&path, &Nothing {}, &Nothing {}).await
    }
}

/// Changes of the user's own profile; awaited, they are made, all or none. Made by [`Client::update_me`]. (USR-4)
#[derive(Debug, Clone)]
#[must_use = "the profile is changed when this is awaited"]
pub struct UpdateMe {
    client: Client,
    bio: Patch<String>,
    picture: Patch<MediaId>,
    location: Patch<(f64, f64)>,
}

impl UpdateMe {
    pub(super) fn new(client: Client) -> Self {
        Self { client, bio: Patch::Keep, picture: Patch::Keep, location: Patch::Keep }
    }

    /// What the user says about themselves, in up to 150 characters. (ACC-11)
    pub fn bio(self, bio: impl Into<String>) -> Self {
        Self { bio: Patch::Set(bio.into()), ..self }
    }

    /// The picture: a finished upload for `profile_picture`. (USR-5)
    pub fn picture(self, picture: MediaId) -> Self {
        Self { picture: Patch::Set(picture), ..self }
    }

    /// No picture any more. (CNV-5)
    pub fn no_picture(self) -> Self {
        Self { picture: Patch::Clear, ..self }
    }

    /// Where the user is, in degrees north and east: others find them nearby, and are shown a rounded distance only. (USR-6, USR-9)
    pub fn location(self, lat: f64, lon: f64) -> Self {
        Self { location: Patch::Set((lat, lon)), ..self }
    }

    /// Nobody finds the user nearby any more. (CNV-5)
    pub fn no_location(self) -> Self {
        Self { location: Patch::Clear, ..self }
    }

    async fn update(self) -> Result<OwnProfile, Error> {
        let bio = match self.bio {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(text) => Patch::Set(text.parse::<Bio>()?),
        };
        let location = match self.location {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set((lat, lon)) => Patch::Set(place(lat, lon)?),
        };
        let body = ProfilePatch { bio, picture_id: self.picture, location };
        self.client.http().call::<users::UpdateMe>(&Nothing {}, &Nothing {}, &body).await
    }
}

impl IntoFuture for UpdateMe {
    type Output = Result<OwnProfile, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.update())
    }
}

/// A search for users around a place; awaited, it is made. Made by [`Client::nearby`]. (USR-7)
#[derive(Debug, Clone)]
#[must_use = "the search is made when this is awaited"]
pub struct Nearby {
    client: Client,
    at: (f64, f64),
    radius_m: Option<u64>,
    limit: Option<u64>,
}

impl Nearby {
    pub(super) fn new(client: Client, lat: f64, lon: f64) -> Self {
        Self { client, at: (lat, lon), radius_m: None, limit: None }
    }

    /// How far around, in metres: from 1,000 to 200,000, and 10,000 unless chosen otherwise. (USR-10)
    pub fn radius_m(self, metres: u64) -> Self {
        Self { radius_m: Some(metres), ..self }
    }

    /// How many users at most: from 1 to 100, and 50 unless chosen otherwise. (USR-8)
    pub fn limit(self, users: u64) -> Self {
        Self { limit: Some(users), ..self }
    }

    async fn find(self) -> Result<Vec<NearbyUser>, Error> {
        let query = Around {
            near: Near(place(self.at.0, self.at.1)?),
            radius_m: self.radius_m.map(RadiusM::try_from).transpose()?,
            limit: self.limit.map(NearbyLimit::try_from).transpose()?,
        };
        Ok(self.client.http().call::<FindNearby>(&Nothing {}, &query, &Nothing {}).await?.items)
    }
}

impl IntoFuture for Nearby {
    type Output = Result<Vec<NearbyUser>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.find())
    }
}

fn place(lat: f64, lon: f64) -> Result<Location, Error> {
    Ok(Location { lat: lat.try_into()?, lon: lon.try_into()? })
}
