-- How often a worker ended because its Kafka client hung, and on what; a partition of -1: it did not even get into its group.
CREATE TABLE streams.stalls (
    processor text        NOT NULL,
    partition smallint    NOT NULL,
    times     integer     NOT NULL DEFAULT 1,
    last_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (processor, partition)
);
