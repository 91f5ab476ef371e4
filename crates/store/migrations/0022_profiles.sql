-- What apps and people read about an account. An absent value is NULL; the e-mail columns are set together.
ALTER TABLE users ADD COLUMN display_name TEXT;
ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN email_key TEXT;
ALTER TABLE users ADD COLUMN email_state TEXT;
-- Rises with each change of the columns above and of the memberships, so that nodes refresh what they hold.
ALTER TABLE users ADD COLUMN profile_version BIGINT NOT NULL DEFAULT 0;
-- An address that apps may rely on belongs to one account.
CREATE UNIQUE INDEX users_email ON users (email_key) WHERE email_state IN ('vouched_for', 'proved');

CREATE TABLE user_groups (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE group_members (
    group_id TEXT NOT NULL REFERENCES user_groups (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_user ON group_members (user_id);

-- Which costs imported bcrypt hashes have is asked at every sign-in, like the parameters of migration 13.
CREATE INDEX users_by_bcrypt_cost ON users (substr(password_hash, 1, 7)) WHERE length(password_hash) = 60;
