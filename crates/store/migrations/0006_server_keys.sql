-- Keys follow each other: each is used from a time on, and a revoked one by nobody. `sealed` is empty once
-- a key is over.
ALTER TABLE keys ADD COLUMN alg TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN used_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN revoked_at BIGINT;
UPDATE keys SET used_from = created_at, revoked_at = retired_at;
UPDATE keys SET alg = 'RSA-OAEP-256' WHERE kind = 'envelope';
UPDATE keys SET alg = 'ES256' WHERE kind = 'signing';
ALTER TABLE keys DROP COLUMN retired_at;

-- Key-encryption keys, by their short names, under which nothing may be written any more.
CREATE TABLE retired_sealers (
    kid TEXT NOT NULL PRIMARY KEY,
    retired_at BIGINT NOT NULL
);
