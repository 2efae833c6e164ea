-- Whose a contact was before he became one with another: when he is himself again, it is his again, and counts for his caps.
ALTER TABLE contacts.made ADD COLUMN was uuid;
ALTER TABLE contacts.decisions ADD COLUMN was uuid;
CREATE INDEX made_was ON contacts.made (was) WHERE was IS NOT NULL;
CREATE INDEX made_moved ON contacts.made (customer_id) WHERE was IS NOT NULL;
CREATE INDEX decisions_was ON contacts.decisions (was) WHERE was IS NOT NULL;
CREATE INDEX decisions_moved ON contacts.decisions (customer_id) WHERE was IS NOT NULL;
