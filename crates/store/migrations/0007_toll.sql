-- Payments that were shown at the paid gate. One output to one of our subaddresses in one transaction is
-- redeemed once: that is the primary key. `challenge` names the offer that it was made for.
CREATE TABLE toll_payments (
    txid TEXT NOT NULL,
    account BIGINT NOT NULL,
    subaddress BIGINT NOT NULL,
    challenge TEXT NOT NULL,
    route TEXT NOT NULL,
    -- Thumbprint of the client's key; empty: the token is for whoever holds it.
    jkt TEXT NOT NULL,
    piconero BIGINT NOT NULL,
    -- Where the transaction is: a block, or none while it waits in the pool.
    block BIGINT,
    seen_at BIGINT NOT NULL,
    -- No node shows it any more.
    gone_at BIGINT,
    -- So deep that nobody looks any more.
    settled_at BIGINT,
    PRIMARY KEY (txid, account, subaddress)
);
CREATE INDEX toll_payments_challenge ON toll_payments (challenge);
CREATE INDEX toll_payments_settled ON toll_payments (settled_at);
CREATE INDEX toll_payments_seen ON toll_payments (seen_at);

-- One-time keys of outputs that were counted: only one output of a key can ever be spent.
CREATE TABLE toll_outputs (
    output TEXT NOT NULL PRIMARY KEY,
    txid TEXT NOT NULL,
    account BIGINT NOT NULL,
    subaddress BIGINT NOT NULL
);

-- What payments bought: one for each challenge.
CREATE TABLE toll_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    route TEXT NOT NULL,
    jkt TEXT NOT NULL,
    quota BIGINT NOT NULL,
    used BIGINT NOT NULL,
    remainder BIGINT NOT NULL,
    minted_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Its payment is in no block yet: it may be taken back.
    provisional BIGINT NOT NULL,
    -- A payment is gone.
    asleep_at BIGINT,
    -- An administrator said so.
    suspended_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX toll_tokens_minted ON toll_tokens (minted_at);
CREATE INDEX toll_tokens_expires ON toll_tokens (expires_at);

-- Challenges have no rows: they are counted.
CREATE TABLE toll_days (
    day BIGINT NOT NULL,
    route TEXT NOT NULL,
    challenges BIGINT NOT NULL,
    PRIMARY KEY (day, route)
);
