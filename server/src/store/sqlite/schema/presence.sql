-- When users came or were last seen.
CREATE TABLE presence (
    user INTEGER PRIMARY KEY REFERENCES users (id),
    is_here INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX presence_of_those_here ON presence (user) WHERE is_here;

-- Until when it is known that those who are here were: one row.
CREATE TABLE presence_lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    renewed_at INTEGER NOT NULL
) STRICT;
