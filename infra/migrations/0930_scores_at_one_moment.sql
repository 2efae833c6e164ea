-- A source's own time may stand still while one champion after the other scores its customers: each of those scores was given.
ALTER TABLE churn.given ADD COLUMN number bigint NOT NULL GENERATED ALWAYS AS IDENTITY;
ALTER TABLE churn.given DROP CONSTRAINT given_pkey, ADD PRIMARY KEY (customer_id, definition, at, number);
