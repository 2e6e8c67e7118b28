use i9chat_spec::{
    Emoji, MediaRule, PROTOCOL_VERSION, Profile,
    api::capabilities::{Capabilities, GetCapabilities, ServerInfo},
    error::NoRefusal,
};

use super::{Answer, App, Call, Failure, Handle};

impl Handle<GetCapabilities> for App {
    async fn handle(&self, _: Call<GetCapabilities>) -> Result<Answer<Capabilities>, Failure<NoRefusal>> {
        Ok(Capabilities {
            protocol: PROTOCOL_VERSION,
            server: ServerInfo {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            profiles: Profile::ALL.to_vec(),
            limits: self.limits.clone(),
            media: MediaRule::all(),
            lifetimes: self.lifetimes.clone(),
            unicode_version: Emoji::unicode_version(),
        }
        .into())
    }
}
