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

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    session_id BLOB NOT NULL UNIQUE,
    user INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    ended_at INTEGER,
    client TEXT
) STRICT;
CREATE INDEX sessions_of_user ON sessions (user) WHERE ended_at IS NULL;
