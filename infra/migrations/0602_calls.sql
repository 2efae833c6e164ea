-- Calls as they go on: by which the desk of the agent whose extension rings is filled. What is personal in them stays sealed.
CREATE TABLE service.calls (
    key       text        NOT NULL,                 -- the write key's source
    call_id   text        NOT NULL,
    stage     text        COLLATE "C" NOT NULL,     -- ringing, answered, abandoned, ended, wrapped_up
    rank      smallint    NOT NULL,                 -- stages only go forward
    direction text        NOT NULL DEFAULT '',
    queue     text        NOT NULL DEFAULT '',
    extension text        NOT NULL DEFAULT '',
    agent     text        NOT NULL DEFAULT '',
    who       text[]      NOT NULL DEFAULT '{}',    -- tokens of the identifiers that the call came with
    rang_at   timestamptz,
    at        timestamptz NOT NULL,                 -- when it reached this stage
    changed   timestamptz NOT NULL,                 -- when this row was written
    record    bytea       NOT NULL,                 -- the sealed event that has the number
    PRIMARY KEY (key, call_id)
);
CREATE INDEX calls_at_extension ON service.calls (extension, changed DESC);
CREATE INDEX calls_by_id ON service.calls (call_id);

-- At which extension an agent sits.
CREATE TABLE service.extensions (
    agent     text        PRIMARY KEY,
    extension text        NOT NULL,
    since     timestamptz NOT NULL DEFAULT now()
);
