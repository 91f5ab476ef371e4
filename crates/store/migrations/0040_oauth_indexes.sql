-- The subjects of one person, which are deleted with the account.
CREATE INDEX oauth_subjects_user ON oauth_subjects (user_id);
-- The grants of one client, which keep its document.
CREATE INDEX oauth_grants_client ON oauth_grants (client_id, ends_at);
