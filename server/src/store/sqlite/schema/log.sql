-- What the log is called in cursors. One row.
CREATE TABLE log (
    epoch BLOB NOT NULL
) STRICT;
INSERT INTO log (epoch) VALUES (randomblob(8));

-- `low` and `high` are the two users, the one with the smaller row id first.
CREATE TABLE chats (
    id INTEGER PRIMARY KEY,
    chat_id BLOB NOT NULL UNIQUE,
    low INTEGER NOT NULL REFERENCES users (id),
    high INTEGER NOT NULL REFERENCES users (id),
    UNIQUE (low, high)
) STRICT;

-- A stretch of a chat that a user may see: from a position in the log on.
CREATE TABLE members (
    user INTEGER NOT NULL REFERENCES users (id),
    chat INTEGER NOT NULL REFERENCES chats (id),
    from_position INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    PRIMARY KEY (user, chat)
) STRICT, WITHOUT ROWID;

-- The log. A row is appended and never touched again. `chat` or `user` is the address; an entry of a chat has a `seq`.
-- There is no index by chat and position: the rows of (chat, seq) come in the order of their positions too.
CREATE TABLE changes (
    position INTEGER PRIMARY KEY,
    tag INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    chat INTEGER,
    user INTEGER,
    seq INTEGER,
    sender INTEGER,
    client_id BLOB,
    data TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX changes_by_seq ON changes (chat, seq) WHERE seq IS NOT NULL;
CREATE UNIQUE INDEX changes_by_client_id ON changes (sender, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX changes_of_user ON changes (user) WHERE user IS NOT NULL;
