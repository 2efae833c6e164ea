-- How many records of a topic that is not kept for ever were let go before they were read, and when that was last found out.
ALTER TABLE streams.positions ADD COLUMN let_go bigint NOT NULL DEFAULT 0, ADD COLUMN let_go_at timestamptz;
