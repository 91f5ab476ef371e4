-- The order in which changes of a kind were committed: no clock is needed to ask for what is new.
CREATE TABLE sequences (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

ALTER TABLE bans ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
CREATE INDEX bans_seq ON bans (seq, id);

-- Account names that succeeded from an address lately: they weigh against those that fail.
CREATE TABLE sign_ins (
    identity TEXT NOT NULL,
    account TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (identity, account)
);
CREATE INDEX sign_ins_at ON sign_ins (at);
