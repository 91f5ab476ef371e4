-- What the queue of mail is searched for, each minute and by commands.
CREATE INDEX mails_created ON mails (created_at, id);
CREATE INDEX mails_deadline ON mails (deadline) WHERE given_up_at IS NULL;
CREATE INDEX mails_link ON mails (link_expires_at) WHERE sealed <> '';
CREATE INDEX mails_given_up ON mails (given_up_at) WHERE given_up_at IS NOT NULL;
-- When a node that sends mail last said so. Without one for a while, events write no more notices.
ALTER TABLE mail_limits ADD COLUMN renewed_at BIGINT NOT NULL DEFAULT 0;
-- The address that an invitation was mailed to. It becomes the address of the account.
ALTER TABLE invitations ADD COLUMN email TEXT;
