-- The oldest rows are looked for by time alone, to be deleted.
CREATE INDEX audit_at ON audit (at);
