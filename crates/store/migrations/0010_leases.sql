-- Addresses of account 1 that browsers are told, each lent to one offer at a time. As many rows as there are
-- addresses, however often somebody asks.
CREATE TABLE leases (
    subaddress BIGINT NOT NULL PRIMARY KEY,
    -- The offer's own name; what it says is under its seal, with the browser.
    challenge TEXT NOT NULL,
    route TEXT NOT NULL,
    -- Blocks of the chain when it was lent: what is in one of those was there before.
    height BIGINT NOT NULL,
    -- Blocks before this one were searched for payments to it.
    searched BIGINT NOT NULL,
    leased_at BIGINT NOT NULL,
    -- When the offer runs out, and from when on somebody else may have the address.
    expires_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX leases_ends ON leases (ends_at);
