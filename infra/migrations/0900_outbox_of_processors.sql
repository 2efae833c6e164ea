-- An outbox row belongs to the processor whose effect it is: partitions and offsets of one topic say nothing of those of another.
ALTER TABLE streams.outbox ADD COLUMN processor text NOT NULL DEFAULT 'customer';
ALTER TABLE streams.outbox ALTER COLUMN processor DROP DEFAULT;
ALTER TABLE streams.outbox DROP CONSTRAINT outbox_pkey, ADD PRIMARY KEY (processor, partition, "offset", n);
