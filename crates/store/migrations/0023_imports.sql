-- The parameters of a hash that another program made: its form differs from ours, so that the index of migration 13
-- does not find them. Every change of the password removes it.
ALTER TABLE users ADD COLUMN imported_parameters TEXT;
CREATE INDEX users_by_imported_parameters ON users (imported_parameters) WHERE imported_parameters IS NOT NULL;
-- This column replaces it.
DROP INDEX users_by_bcrypt_cost;
