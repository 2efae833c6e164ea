-- What was decided about each source, as it stands, and what arrives from it. The decisions themselves are in decisions.events.
CREATE SCHEMA sources;

CREATE TABLE sources.settings (
    name    text   PRIMARY KEY,
    version bigint NOT NULL,
    state   jsonb  NOT NULL
);

-- One row a source, type and partition: partitions are counted by several processes at the same time.
CREATE TABLE sources.seen (
    source    text        NOT NULL,
    type      text        NOT NULL,
    partition int         NOT NULL,
    events    bigint      NOT NULL,
    first     timestamptz NOT NULL,
    last      timestamptz NOT NULL,
    PRIMARY KEY (source, type, partition)
);

-- How many events came in each ten seconds of the last hour.
CREATE TABLE sources.pace (
    source    text        NOT NULL,
    slot      timestamptz NOT NULL,
    partition int         NOT NULL,
    events    bigint      NOT NULL,
    PRIMARY KEY (source, slot, partition)
);
CREATE INDEX pace_by_slot ON sources.pace (partition, slot);
CREATE INDEX letters_by_reason ON letters.letters (source, reason, pointer);
