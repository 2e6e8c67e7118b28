CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    user_id BLOB NOT NULL UNIQUE,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    bio TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- A session has tokens (`generation` from 1, with the hash of the newest refresh token and of the one before) or a cookie.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    session_id BLOB NOT NULL UNIQUE,
    user INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    ended_at INTEGER,
    client TEXT,
    generation INTEGER NOT NULL,
    newest_hash BLOB,
    before_hash BLOB,
    newest_used INTEGER NOT NULL,
    cookie_hash BLOB,
    CHECK ((newest_hash IS NULL) <> (cookie_hash IS NULL))
) STRICT;
CREATE INDEX sessions_of_user ON sessions (user) WHERE ended_at IS NULL;

-- The newest ticket of a mail address and what was done with it. The times are JSON lists of milliseconds.
CREATE TABLE signups (
    id INTEGER PRIMARY KEY,
    email_key TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    version INTEGER NOT NULL,
    ticket BLOB NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL,
    step INTEGER NOT NULL,
    good INTEGER NOT NULL,
    wrong_codes INTEGER NOT NULL,
    tickets_at TEXT NOT NULL,
    wrong_codes_at TEXT NOT NULL,
    forget_at INTEGER NOT NULL
) STRICT;
CREATE INDEX signups_to_forget ON signups (forget_at);

-- Mails that wait to be sent. With a ticket it is the mail with its code.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient TEXT NOT NULL,
    ticket BLOB,
    due_at INTEGER NOT NULL,
    give_up_at INTEGER NOT NULL,
    tries INTEGER NOT NULL
) STRICT;
CREATE INDEX mails_by_due ON mails (due_at);
