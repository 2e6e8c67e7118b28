-- What was uploaded. `expires_at` counts while nothing uses it. `used` says that an entry of a chat does, for ever; the picture
-- that a profile shows is found through `users.picture`.
CREATE TABLE media (
    id INTEGER PRIMARY KEY,
    media_id BLOB NOT NULL UNIQUE,
    owner INTEGER NOT NULL REFERENCES users (id),
    purpose TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    completed_at INTEGER,
    expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX media_unused_of_owner ON media (owner) WHERE used = 0;
CREATE INDEX media_to_forget ON media (expires_at) WHERE used = 0;

-- `place` is the order in which the parts were stated.
CREATE TABLE media_parts (
    media INTEGER NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    part TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (media, place)
) STRICT, WITHOUT ROWID;

-- Which entries show it: whoever sees one of them may read it.
CREATE TABLE media_uses (
    media INTEGER NOT NULL REFERENCES media (id),
    chat INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (media, chat, seq)
) STRICT, WITHOUT ROWID;
