-- A claim to a mail address is for a purpose; until now there was one, signing up (1).
CREATE TABLE claims (
    id INTEGER PRIMARY KEY,
    purpose INTEGER NOT NULL,
    email_key TEXT NOT NULL,
    email TEXT NOT NULL,
    version INTEGER NOT NULL,
    ticket BLOB NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL,
    step INTEGER NOT NULL,
    good INTEGER NOT NULL,
    wrong_codes INTEGER NOT NULL,
    tickets_at TEXT NOT NULL,
    wrong_codes_at TEXT NOT NULL,
    forget_at INTEGER NOT NULL,
    UNIQUE (purpose, email_key)
) STRICT;
INSERT INTO claims (purpose, email_key, email, version, ticket, expires_at, step, good, wrong_codes, tickets_at,
                    wrong_codes_at, forget_at)
SELECT 1, email_key, email, version, ticket, expires_at, step, good, wrong_codes, tickets_at, wrong_codes_at, forget_at
FROM signups;
DROP TABLE signups;
CREATE INDEX claims_to_forget ON claims (forget_at);

-- What a mail is about: 1 the code for a sign-up, 2 the address has an account, 3 the code for a reset, 4 it has none.
ALTER TABLE mails ADD COLUMN matter INTEGER NOT NULL DEFAULT 1;
UPDATE mails SET matter = 2 WHERE ticket IS NULL;

-- Another whenever a new password was set.
ALTER TABLE users ADD COLUMN password_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN picture_id BLOB;
ALTER TABLE users ADD COLUMN lat REAL;
ALTER TABLE users ADD COLUMN lon REAL;
-- The point of the published grid that the location is snapped to.
ALTER TABLE users ADD COLUMN cell INTEGER;
CREATE INDEX users_of_cell ON users (cell, username_key) WHERE cell IS NOT NULL;

-- The points of the grid that somebody is at, in space: x, y, z from the centre of the earth in centimetres. In space
-- there is neither antimeridian nor pole.
CREATE VIRTUAL TABLE cells USING rtree_i32(cell, x_from, x_to, y_from, y_to, z_from, z_to);
