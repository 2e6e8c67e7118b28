//! Setting a new password without the old one, in three steps. (ACC-13)

mod complete;
mod request;
mod verify;

pub use complete::{CompletePasswordReset, CompletePasswordResetRefusal, NewPassword};
pub use request::{NewPasswordReset, RequestPasswordReset};
pub use verify::{PasswordResetCode, VerifyPasswordReset, VerifyPasswordResetRefusal};
