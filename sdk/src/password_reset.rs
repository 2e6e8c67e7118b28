//! Setting a new password without the old one, in three steps. (ACC-13)

use i9chat_spec::{
    Code, EmailAddress, Format, Nothing, Password, Ticket, Timestamp,
    api::password_reset::{
        CompletePasswordReset, NewPassword, NewPasswordReset, PasswordResetCode, RequestPasswordReset,
        VerifyPasswordReset,
    },
};

use crate::{Error, Http};

/// A new password that waits for the code that came by mail.
///
/// ```no_run
/// use i9chat_sdk::{Client, Credentials, PasswordReset};
///
/// # async fn run() -> Result<(), i9chat_sdk::Error> {
/// let reset = PasswordReset::start("http://127.0.0.1:8080", "alice@example.com").await?;
/// let code = "274615"; // from the mail
/// reset.verify(code).await?.complete("a better battery staple").await?;
/// // Every session of the user has ended: sign in.
/// let credentials = Credentials::password("alice@example.com", "a better battery staple");
/// let client = Client::connect("http://127.0.0.1:8080", credentials).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PasswordReset {
    http: Http,
    ticket: Ticket,
    expires_at: Timestamp,
}

impl PasswordReset {
    /// Asks for a code, which goes to the address by mail. The answer is the same for an address that has no account. (ACC-14)
    pub async fn start(server: &str, email: &str) -> Result<Self, Error> {
        let http = Http::anonymous(server, Format::Json)?;
        let email: EmailAddress = email.parse()?;
        let issued = http.call::<RequestPasswordReset>(&Nothing {}, &Nothing {}, &NewPasswordReset { email }).await?;
        Ok(Self { http, ticket: issued.ticket, expires_at: issued.expires_at })
    }

    /// When the code stops being good. (ACC-4)
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Shows the six digits of the mail. A wrong code is refused with `wrong_code` and may be tried again, five times in all. (ACC-5)
    pub async fn verify(&self, code: &str) -> Result<VerifiedPasswordReset, Error> {
        let body = PasswordResetCode { ticket: self.ticket.clone(), code: code.parse::<Code>()? };
        let issued = self.http.call::<VerifyPasswordReset>(&Nothing {}, &Nothing {}, &body).await?;
        Ok(VerifiedPasswordReset { http: self.http.clone(), ticket: issued.ticket, expires_at: issued.expires_at })
    }
}

/// A reset whose mail address is proven; what is missing is the new password.
#[derive(Debug, Clone)]
pub struct VerifiedPasswordReset {
    http: Http,
    ticket: Ticket,
    expires_at: Timestamp,
}

impl VerifiedPasswordReset {
    /// When it is too late to complete. (ACC-4)
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Sets the new password, of 8 to 128 characters, and ends every session of the user. It does not sign in. (ACC-17, ACC-18)
    pub async fn complete(&self, password: &str) -> Result<(), Error> {
        let body = NewPassword { ticket: self.ticket.clone(), password: password.parse::<Password>()? };
        self.http.call::<CompletePasswordReset>(&Nothing {}, &Nothing {}, &body).await.map(|_| ())
    }
}
