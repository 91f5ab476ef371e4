-- The number of accounts, and a page of them by name.
CREATE INDEX users_live ON users (name_key) WHERE deleted_at IS NULL;
-- The administrators, of whom there are few.
CREATE INDEX users_administrators ON users (name) WHERE role = 'administrator';
