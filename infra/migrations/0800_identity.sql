-- What people decided about who is who: each a touchpoint of Yekta's own, written here by `resolve` alone.
CREATE TABLE identity.decisions (
    event_id uuid        PRIMARY KEY,
    number   bigint      NOT NULL,               -- identity_seq when it was decided
    decision text        NOT NULL CHECK (decision IN ('merge', 'split')),
    at       timestamptz NOT NULL,
    by_key   text        NOT NULL,
    tokens   text[]      COLLATE "C" NOT NULL,   -- all that it names
    go       text[]      COLLATE "C" NOT NULL DEFAULT '{}',
    moved    int         NOT NULL,               -- identifiers that changed hands by it
    evidence jsonb                               -- of a possible duplicate: how each field agreed
);
CREATE INDEX decisions_by_token ON identity.decisions USING gin (tokens);
CREATE INDEX decisions_taught ON identity.decisions (number) WHERE evidence IS NOT NULL;

-- Identifiers that a person keeps apart: two on different sides of one wall are never one customer's.
CREATE TABLE identity.walls (
    identifier text     COLLATE "C" NOT NULL,
    wall       bigint   NOT NULL,                -- identity_seq of the decision
    side       smallint NOT NULL,
    PRIMARY KEY (identifier, wall)
);
CREATE INDEX walls_by_number ON identity.walls (wall);

-- A conflict waits for a person once, however often it is met.
ALTER TABLE identity.conflicts
    ADD COLUMN between_tokens text[]      COLLATE "C" NOT NULL DEFAULT '{}',
    ADD COLUMN times          bigint      NOT NULL DEFAULT 1,
    ADD COLUMN first_at       timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN last_at        timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN last_event     uuid,
    ADD COLUMN decided_by     uuid;               -- the event of the decision
CREATE UNIQUE INDEX conflicts_met ON identity.conflicts (reason, between_tokens) WHERE between_tokens <> '{}';
CREATE INDEX conflicts_open ON identity.conflicts (last_at DESC, event_id) WHERE decided_by IS NULL;

CREATE INDEX moves_of_identifier ON identity.moves (identifier, number);

-- Published rule sets, and which of them each partition of `touchpoints` has met.
CREATE TABLE identity.rule_sets (
    version   bigint      PRIMARY KEY,
    document  jsonb       NOT NULL,              -- as it was published; values in the clear are the company's own
    by_key    text        NOT NULL,
    at        timestamptz NOT NULL,
    broadcast boolean     NOT NULL DEFAULT false
);
CREATE TABLE identity.rules_in_force (
    partition smallint PRIMARY KEY,
    version   bigint   NOT NULL,
    rules     jsonb    NOT NULL                  -- as `resolve` reads them: values as tokens
);

-- How often each rule kept something from being linked.
CREATE TABLE identity.fired (
    partition smallint    NOT NULL,
    rule      text        COLLATE "C" NOT NULL,
    times     bigint      NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (partition, rule)
);

-- Of kinds that are forgotten with time: when each was met last, and how often it was forgotten.
CREATE TABLE identity.seen (
    identifier text        COLLATE "C" PRIMARY KEY,
    last       timestamptz NOT NULL,
    epoch      int         NOT NULL
);
