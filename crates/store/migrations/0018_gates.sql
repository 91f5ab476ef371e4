-- Requests that clients of the paid gate had for nothing, by route and client, in the span of time that goes on. The
-- client is a MAC of its address, which is of no use to a reader of this table.
CREATE TABLE toll_free (
    route TEXT NOT NULL,
    client TEXT NOT NULL,
    -- When the span ends, and all are there again.
    ends_at BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (route, client)
);
CREATE INDEX toll_free_ends ON toll_free (ends_at);

-- Payments that were made after their offer had ended: they bought nothing, and somebody has to decide.
CREATE TABLE toll_late (
    txid TEXT NOT NULL,
    account BIGINT NOT NULL,
    subaddress BIGINT NOT NULL,
    challenge TEXT NOT NULL,
    route TEXT NOT NULL,
    piconero BIGINT NOT NULL,
    block BIGINT,
    seen_at BIGINT NOT NULL,
    -- When the offer ended.
    ended_at BIGINT NOT NULL,
    PRIMARY KEY (txid, account, subaddress)
);
CREATE INDEX toll_late_seen ON toll_late (seen_at);
CREATE INDEX toll_late_challenge ON toll_late (challenge);

-- Gates that run, as each says of itself every few seconds.
CREATE TABLE toll_gates (
    id TEXT NOT NULL PRIMARY KEY,
    started_at BIGINT NOT NULL,
    heard_at BIGINT NOT NULL,
    -- Its routes and prices: JSON.
    routes TEXT NOT NULL,
    -- Whether its node answers and is in step: 'seen', 'away', or 'none' where nothing costs anything.
    chain TEXT NOT NULL
);
