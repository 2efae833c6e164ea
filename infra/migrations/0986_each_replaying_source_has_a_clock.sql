-- Each source that replays its own time has a clock, so that an earlier time that is replayed second is not over before it begins.
CREATE TABLE streams.source_clocks (
    partition smallint    NOT NULL,
    source    text        COLLATE "C" NOT NULL,
    now       timestamptz NOT NULL,
    PRIMARY KEY (partition, source)
);
INSERT INTO streams.source_clocks (partition, source, now) SELECT partition, '', now FROM streams.clocks;

ALTER TABLE streams.timers
    ADD COLUMN source text   COLLATE "C" NOT NULL DEFAULT '', -- whose own time it goes by; empty: that of any of them
    ADD COLUMN beyond text[] NOT NULL DEFAULT '{}';           -- other sources whose time was past it already when it was set
