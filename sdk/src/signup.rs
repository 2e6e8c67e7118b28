//! Making an account, in three steps. (ACC-1)

use i9chat_spec::{
    Bio, Code, EmailAddress, Format, Nothing, Password, Ticket, Timestamp, Username,
    api::signup::{CompleteSignup, NewAccount, NewSignup, RequestSignup, SignupCode, VerifySignup},
};

use crate::{Credentials, Error, Http, Session};

/// A sign-up that waits for the code that came by mail.
///
/// ```no_run
/// use i9chat_sdk::{Client, FileStore, Signup};
///
/// # async fn run() -> Result<(), i9chat_sdk::Error> {
/// let signup = Signup::start("http://127.0.0.1:8080", "alice@example.com").await?;
/// let code = "274615"; // from the mail
/// let credentials = signup.verify(code).await?.complete("alice", "correct horse battery staple").await?;
/// let client = Client::connect("http://127.0.0.1:8080", credentials.kept_in(FileStore::new("alice.session"))).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Signup {
    http: Http,
    ticket: Ticket,
    expires_at: Timestamp,
}

impl Signup {
    /// Asks for a code, which goes to the address by mail. The answer is the same for an address that has an account. (ACC-3)
    pub async fn start(server: &str, email: &str) -> Result<Self, Error> {
        let http = Http::anonymous(server, Format::Json)?;
        let email: EmailAddress = email.parse()?;
        let issued = http.call::<RequestSignup>(&Nothing {}, &Nothing {}, &NewSignup { email }).await?;
        Ok(Self { http, ticket: issued.ticket, expires_at: issued.expires_at })
    }

    /// When the code stops being good. (ACC-4)
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Shows the six digits of the mail. A wrong code is refused with `wrong_code` and may be tried again, five times in all. (ACC-5)
    pub async fn verify(&self, code: &str) -> Result<VerifiedSignup, Error> {
        let body = SignupCode { ticket: self.ticket.clone(), code: code.parse::<Code>()? };
        let issued = self.http.call::<VerifySignup>(&Nothing {}, &Nothing {}, &body).await?;
        Ok(VerifiedSignup { http: self.http.clone(), ticket: issued.ticket, expires_at: issued.expires_at })
    }
}

/// A sign-up whose mail address is proven; what is missing is a name and a password.
#[derive(Debug, Clone)]
pub struct VerifiedSignup {
    http: Http,
    ticket: Ticket,
    expires_at: Timestamp,
}

impl VerifiedSignup {
    /// When it is too late to complete. (ACC-4)
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Makes the account and signs it in. A name that is taken is refused with `username_taken`, and another may be tried. (ACC-8)
    pub async fn complete(&self, username: &str, password: &str) -> Result<Credentials, Error> {
        self.complete_with(username, password, None).await
    }

    /// The same, with something about the user: at most 150 characters. (ACC-11)
    pub async fn complete_with(&self, username: &str, password: &str, bio: Option<&str>) -> Result<Credentials, Error> {
        let body = NewAccount {
            ticket: self.ticket.clone(),
            username: username.parse::<Username>()?,
            password: password.parse::<Password>()?,
            bio: bio.map(str::parse::<Bio>).transpose()?,
            cookie: None,
        };
        let opened = self.http.call::<CompleteSignup>(&Nothing {}, &Nothing {}, &body).await?;
        Session::opened(self.http.transport().server(), opened).map(Credentials::session)
    }
}
