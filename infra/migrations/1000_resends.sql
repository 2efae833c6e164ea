-- How often somebody had it sent anew that was done with: each is a message of its own to gateways that know messages by numbers.
ALTER TABLE contacts.deliveries ADD COLUMN resends integer NOT NULL DEFAULT 0;
