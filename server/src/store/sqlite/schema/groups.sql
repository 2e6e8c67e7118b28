-- From chats of two to groups, receipts and reactions.

-- How far back the log is whole: up to this position only entries are left.
ALTER TABLE log ADD COLUMN kept_from INTEGER NOT NULL DEFAULT 0;
-- Up to here what is not kept has been removed.
ALTER TABLE log ADD COLUMN swept_to INTEGER NOT NULL DEFAULT 0;
-- When the log had come to a position: what is older than events are kept is found by this.
CREATE TABLE log_times (
    position INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;

ALTER TABLE members RENAME TO members_before;
ALTER TABLE chats RENAME TO chats_before;

-- A direct chat has two users, `low` and `high`, the one with the smaller row id first. A group has a name, and `creation`: what
-- was asked for and answered when it was created, as JSON. `members_count` is that of a group.
CREATE TABLE chats (
    id INTEGER PRIMARY KEY,
    chat_id BLOB NOT NULL UNIQUE,
    low INTEGER REFERENCES users (id),
    high INTEGER REFERENCES users (id),
    name TEXT,
    description TEXT,
    picture_id BLOB,
    created_at INTEGER,
    creation TEXT,
    members_count INTEGER NOT NULL DEFAULT 0,
    UNIQUE (low, high),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) <> (name IS NULL))
) STRICT;
INSERT INTO chats (id, chat_id, low, high) SELECT id, chat_id, low, high FROM chats_before;

-- What a user is to a chat. `membership` is 0 in it, 1 left, 2 removed; `role` 1 is an admin; `since_seq` and `since_order` say how long
-- a member has been one. `left_behind` is the group as it was when the user went, as JSON.
CREATE TABLE members (
    user INTEGER NOT NULL REFERENCES users (id),
    chat INTEGER NOT NULL REFERENCES chats (id),
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    since_seq INTEGER NOT NULL,
    since_order INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    read INTEGER NOT NULL,
    left_behind TEXT,
    PRIMARY KEY (user, chat)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_of_chat ON members (chat, membership);
INSERT INTO members (user, chat, membership, role, opened_at, since_seq, since_order, delivered, read)
SELECT user, chat, 0, 0, opened_at, 1, 0, 0, 0 FROM members_before;

-- What a user may see of a chat: the entries from one `seq` to another, and the changes after one position up to another. Open
-- ends while it goes on.
CREATE TABLE stretches (
    user INTEGER NOT NULL,
    chat INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER,
    from_position INTEGER NOT NULL,
    to_position INTEGER,
    PRIMARY KEY (user, chat, from_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX stretches_of_chat ON stretches (chat);
INSERT INTO stretches (user, chat, from_seq, from_position) SELECT user, chat, 1, from_position FROM members_before;

DROP TABLE members_before;
DROP TABLE chats_before;

-- A change is addressed to `user` where there is one, and then `chat` is what it is about; else to `chat`.
-- With the sender in the index messages of others are counted by it alone.
DROP INDEX changes_by_seq;
CREATE UNIQUE INDEX changes_by_seq ON changes (chat, seq, sender) WHERE seq IS NOT NULL;
CREATE INDEX changes_of_chat ON changes (chat) WHERE seq IS NULL AND user IS NULL;
-- The chats in events show watermarks now.
UPDATE changes
SET chat = (SELECT id FROM chats WHERE chat_id = unhex(replace(data ->> '$.chat.chat_id', '-', ''))),
    data = json_set(data, '$.chat.delivered', 0, '$.chat.read', 0, '$.chat.partner',
                    json_object('user', json(data -> '$.chat.partner'), 'delivered', 0, 'read', 0))
WHERE kind = 1;

-- One emoji of each user and message, and how often each was given.
CREATE TABLE reactions (
    chat INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    user INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    PRIMARY KEY (chat, seq, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE reaction_counts (
    chat INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (chat, seq, emoji)
) STRICT, WITHOUT ROWID;
