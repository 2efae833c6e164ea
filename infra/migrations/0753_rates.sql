-- What each door of the installation took of the sources that have a rate, so that the rate holds for all doors together. A door writes
-- its row once a second while it takes something; after a crash there is nothing to keep.
CREATE UNLOGGED TABLE sources.taken (
    source text        NOT NULL,
    door   uuid        NOT NULL,
    events bigint      NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, door)
);
