-- The display name folded like a name's key, so that the search for accounts finds it in any spelling. NULL beside a
-- display name: written by an earlier version. The program fills it at its start.
ALTER TABLE users ADD COLUMN display_key TEXT;
CREATE INDEX users_without_display_key ON users (id) WHERE display_key IS NULL AND display_name IS NOT NULL;
-- The number of accounts, a page of them by name, and the search. Each reads only the index, which therefore has every
-- column in their conditions.
DROP INDEX users_live;
CREATE INDEX users_search ON users (name_key, id, email_key, display_key, deleted_at)
    WHERE deleted_at IS NULL;

-- For deleting expired rows without reading those that stay.
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX bans_lifted ON bans (lifted_at) WHERE lifted_at IS NOT NULL;
CREATE INDEX reservations_until ON reservations (until);
CREATE INDEX turns_taken ON turns (taken_at);
CREATE INDEX sessions_over ON sessions ((COALESCE(revoked_at, CASE WHEN idle_at < ends_at THEN idle_at ELSE ends_at END)));
CREATE INDEX user_keys_ended ON user_keys (ends_at) WHERE ends_at IS NOT NULL AND sealed <> '';
DROP INDEX totp_created;
CREATE INDEX totp_waiting ON totp (created_at) WHERE confirmed_at IS NULL;

-- The keys of people that another key-encryption key encrypted.
CREATE INDEX user_keys_sealer ON user_keys (substr(sealed, 1, 9)) WHERE sealed <> '';

-- The sign-ins of a day, for the overview.
CREATE INDEX audit_sign_ins ON audit (at) WHERE (event = 'login' AND outcome IN ('ok', 'new_device', 'new_place'))
    OR (event = 'user_added' AND session_id IS NOT NULL);

-- For removing a client, a person or the oldest documents.
CREATE INDEX oauth_codes_client ON oauth_codes (client_id);
CREATE INDEX oauth_consents_client ON oauth_consents (client_id);
CREATE INDEX oauth_logouts_user ON oauth_logouts (user_id);
CREATE INDEX oauth_documents_fetched ON oauth_documents (fetched_at, id);
