-- Whoever changes while he is compared is due again: the number tells one change from the next, so that nobody who marks him waits for
-- those who compare.
CREATE SEQUENCE identity.due_number;
ALTER TABLE identity.due ADD COLUMN number bigint NOT NULL DEFAULT nextval('identity.due_number');
