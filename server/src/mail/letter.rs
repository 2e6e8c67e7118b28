//! What the mails say. (ACC-2, ACC-3, ACC-13, ACC-14)
//!
//! Plain ASCII in short lines, so that no encoding breaks a line or a code in two. No mail names the receiver, the user
//! or the server: any of those may hold six digits in a row.

use i9chat_spec::{Code, EmailAddress};

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    /// The code for a sign-up.
    SignupCode {
        /// The code.
        code: Code,
        /// How many minutes it is good for, counted when it was made.
        minutes: u64,
    },
    /// Somebody tried to sign up with the address of an account.
    AlreadyRegistered,
    /// The code to set a new password.
    PasswordResetCode {
        /// The code.
        code: Code,
        /// How many minutes it is good for, counted when it was made.
        minutes: u64,
    },
    /// Somebody tried to reset the password of an address without an account.
    NoAccount,
}

/// A mail and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressedLetter {
    /// Where it goes.
    pub to: EmailAddress,
    /// What it says.
    pub letter: Letter,
}

impl Letter {
    /// The subject line.
    pub fn subject(&self) -> &'static str {
        match self {
            Self::SignupCode { .. } => "Your i9chat code",
            Self::AlreadyRegistered => "You already have an i9chat account",
            Self::PasswordResetCode { .. } => "Your i9chat code for a new password",
            Self::NoAccount => "You have no i9chat account",
        }
    }

    /// The text.
    pub fn text(&self) -> String {
        match self {
            Self::SignupCode { code, minutes } => format!(
                "Welcome to i9chat!\n\
                 \n\
                 Your code to finish signing up:\n\
                 \n    {code}\n\
                 \n\
                 It is good for {minutes} minutes, and for you alone: nobody from i9chat\n\
                 will ever ask you for it.\n\
                 \n\
                 If it was not you who asked, ignore this mail. Nothing happens then.\n",
                code = code.as_str(),
            ),
            Self::AlreadyRegistered => "Hello!\n\
                 \n\
                 Somebody, perhaps you, tried to sign up for i9chat with this mail\n\
                 address. You have an account already: just sign in with this address\n\
                 and your password.\n\
                 \n\
                 If it was not you, there is nothing to do. Your account is as safe as\n\
                 before, and whoever it was has not been told that it exists.\n"
                .to_owned(),
            Self::PasswordResetCode { code, minutes } => format!(
                "Hello!\n\
                 \n\
                 Your code to set a new password:\n\
                 \n    {code}\n\
                 \n\
                 It is good for {minutes} minutes, and for you alone: nobody from i9chat\n\
                 will ever ask you for it. With the new password you are signed out\n\
                 everywhere, and sign in again.\n\
                 \n\
                 If it was not you who asked, ignore this mail. Your password stays.\n",
                code = code.as_str(),
            ),
            Self::NoAccount => "Hello!\n\
                 \n\
                 Somebody, perhaps you, asked i9chat for a new password with this mail\n\
                 address. There is no account with it: perhaps you signed up with\n\
                 another address of yours.\n\
                 \n\
                 If it was not you, there is nothing to do. Whoever it was has not been\n\
                 told that there is no account.\n"
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs_of_six_digits(text: &str) -> Vec<&str> {
        text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 6).collect()
    }

    #[test]
    fn the_code_is_the_only_run_of_six_digits() {
        for code in ["000000", "274615", "999999"] {
            let parsed: Code = code.parse().unwrap();
            for letter in [
                Letter::SignupCode { code: parsed.clone(), minutes: 15 },
                Letter::PasswordResetCode { code: parsed, minutes: 15 },
            ] {
                assert_eq!(runs_of_six_digits(&letter.text()), [code]);
                assert!(!letter.subject().contains(|c: char| c.is_ascii_digit() && c != '9'), "{}", letter.subject());
            }
        }
    }

    #[test]
    fn a_mail_without_a_code_holds_no_run_of_six_digits() {
        for letter in [Letter::AlreadyRegistered, Letter::NoAccount] {
            assert!(runs_of_six_digits(&letter.text()).is_empty());
        }
    }

    #[test]
    fn texts_are_ascii_in_short_lines() {
        let code: Code = "274615".parse().unwrap();
        let sign_up = Letter::SignupCode { code: code.clone(), minutes: 15 };
        let reset = Letter::PasswordResetCode { code, minutes: 15 };
        for letter in [sign_up, Letter::AlreadyRegistered, reset, Letter::NoAccount] {
            assert!(letter.text().is_ascii());
            assert!(letter.text().lines().all(|line| line.len() <= 76), "{}", letter.text());
        }
    }

    #[test]
    fn neither_code_nor_address_is_shown_by_debug() {
        let letter = Letter::SignupCode { code: "274615".parse().unwrap(), minutes: 15 };
        let shown = format!("{:?}", AddressedLetter { to: "alice@example.com".parse().unwrap(), letter });
        assert!(!shown.contains("274615") && !shown.contains("alice"), "{shown}");
    }
}
