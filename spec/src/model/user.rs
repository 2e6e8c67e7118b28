use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Example, UserId, Username};

/// A user as every answer shows one. (CNV-10)
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Names the user for ever.
    pub user_id: UserId,
    /// The name, spelled as chosen.
    pub username: Username,
}

impl Example for User {
    fn example() -> Self {
        Self { user_id: UserId::example(), username: Username::example() }
    }
}
