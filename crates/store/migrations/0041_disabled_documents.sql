-- When an administrator disabled a client that is a document. It stays disabled however often the document is fetched.
ALTER TABLE oauth_documents ADD COLUMN disabled_at BIGINT;
