use i9chat_spec::UserId;

use super::accounts::hashes::PasswordHash;

/// What a command changes beside the log, in the same transaction.
#[derive(Debug, Clone)]
pub enum Effect {
    /// A user has another password. (ACC-17)
    PasswordSet {
        /// Whose.
        user_id: UserId,
        /// The hash of the password.
        hash: PasswordHash,
    },
}
