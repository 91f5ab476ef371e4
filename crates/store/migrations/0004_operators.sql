-- Why a ban was lifted, in the words of whoever lifted it.
ALTER TABLE bans ADD COLUMN lift_reason TEXT;
CREATE INDEX bans_incident ON bans (incident);

-- Networks that are never closed. `network` is CIDR text.
CREATE TABLE allowlist (
    id TEXT NOT NULL PRIMARY KEY,
    network TEXT NOT NULL UNIQUE,
    comment TEXT NOT NULL,
    expires_at BIGINT,
    made_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- How many requests were refused, by hour (its first millisecond) and trigger.
CREATE TABLE refusals (
    hour BIGINT NOT NULL,
    cause TEXT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (hour, cause)
);

-- What it was done to, where that is nobody: an address, a network.
ALTER TABLE audit ADD COLUMN about TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_actor ON audit (actor) WHERE actor IS NOT NULL;
