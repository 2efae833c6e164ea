-- Rules and segments: what is declared (for those who look), what is in force in each partition, what is kept of customers, what was said.
-- None of it is a read model: a rebuild leaves it alone.
CREATE SCHEMA signals;

-- How each rule and segment stands, written in the transaction of its decision. One row a version.
CREATE TABLE signals.declared (
    kind    text        NOT NULL CHECK (kind IN ('rule', 'segment')),
    name    text        COLLATE "C" NOT NULL,
    version int         NOT NULL,
    state   text        NOT NULL CHECK (state IN ('draft', 'published', 'paused', 'retired')),
    text    text        NOT NULL,
    by      text        NOT NULL,
    at      timestamptz NOT NULL,
    number  int         NOT NULL,               -- of the decision
    PRIMARY KEY (kind, name, version)
);

-- Decisions that every partition of customer-events is to hear, in this order.
CREATE TABLE streams.broadcasts (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id     uuid        NOT NULL,
    type   text        NOT NULL,
    data   jsonb       NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    told   timestamptz
);
CREATE INDEX broadcasts_untold ON streams.broadcasts (number) WHERE told IS NULL;

-- What a partition was told: which rules and segments are in force there, and the quantiles published so far.
CREATE TABLE streams.in_force (
    partition smallint    NOT NULL,
    kind      text        NOT NULL,
    name      text        COLLATE "C" NOT NULL,
    version   int         NOT NULL,
    number    int         NOT NULL,             -- of the decision: one that is not newer changes nothing
    state     text        NOT NULL,
    text      text        NOT NULL,
    zone      text        NOT NULL,
    since     timestamptz NOT NULL,
    until     timestamptz,                      -- another version took its place: it only ends what it has begun
    PRIMARY KEY (partition, kind, name, version)
);
CREATE TABLE streams.quantiles (
    partition smallint    NOT NULL,
    of        text        NOT NULL,
    at        timestamptz NOT NULL,
    id        text        NOT NULL,
    cuts      jsonb       NOT NULL,
    PRIMARY KEY (partition, of, at, id)
);

CREATE TABLE streams.rule_states (
    customer_id uuid     NOT NULL,
    rule        text     COLLATE "C" NOT NULL,
    version     int      NOT NULL,
    partition   smallint NOT NULL,
    state       bytea    NOT NULL,
    PRIMARY KEY (customer_id, rule, version)
) PARTITION BY HASH (customer_id);
CREATE TABLE streams.rule_states_0 PARTITION OF streams.rule_states FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE streams.rule_states_1 PARTITION OF streams.rule_states FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE streams.rule_states_2 PARTITION OF streams.rule_states FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE streams.rule_states_3 PARTITION OF streams.rule_states FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- The next time that something is due, one row a rule and customer.
CREATE TABLE streams.timers (
    customer_id uuid        NOT NULL,
    rule        text        COLLATE "C" NOT NULL,  -- a rule; or another purpose, beginning with a space
    version     int         NOT NULL,
    partition   smallint    NOT NULL,
    at          timestamptz NOT NULL,
    clock       text        NOT NULL DEFAULT '',   -- "event": due by the time of sources that replay their own
    quiet       text        NOT NULL DEFAULT '',   -- nobody is told of what it brings: a test, for one
    told        boolean     NOT NULL DEFAULT false, -- it is in the log, or in the outbox
    PRIMARY KEY (customer_id, rule, version)
);
CREATE INDEX timers_due ON streams.timers (partition, clock, at) WHERE NOT told;

-- Up to when everything that arrived is through the first hop, and where in customer-events that ends.
CREATE TABLE streams.released (one boolean PRIMARY KEY DEFAULT true CHECK (one), at timestamptz NOT NULL, ends jsonb NOT NULL);
INSERT INTO streams.released VALUES (true, '-infinity', '{}');

CREATE TABLE signals.given (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          uuid        PRIMARY KEY,
    rule        text        COLLATE "C" NOT NULL,
    version     int         NOT NULL,
    customer_id uuid        NOT NULL,
    source      text        NOT NULL,           -- of the cause
    cause       text        NOT NULL,
    event       uuid        NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    late        boolean     NOT NULL,
    withdrawn   boolean     NOT NULL DEFAULT false,
    quiet       text        NOT NULL DEFAULT '',
    partition   smallint    NOT NULL
);
CREATE UNIQUE INDEX given_in_order ON signals.given (seq);
CREATE INDEX given_of_customer ON signals.given (customer_id, rule, version);
CREATE INDEX given_by_rule ON signals.given (rule, recorded_at);
CREATE INDEX given_by_time ON signals.given (recorded_at, id);
CREATE INDEX given_by_event ON signals.given (event);

-- Who is in a segment, and since when; the changes are kept for the counts over time.
CREATE TABLE signals.members (
    segment     text        COLLATE "C" NOT NULL,
    customer_id uuid        NOT NULL,
    since       timestamptz NOT NULL,
    version     int         NOT NULL,
    PRIMARY KEY (segment, customer_id)
);
CREATE TABLE signals.changes (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segment     text        COLLATE "C" NOT NULL,
    customer_id uuid        NOT NULL,
    change      text        NOT NULL CHECK (change IN ('entered', 'left')),
    at          timestamptz NOT NULL
);
CREATE INDEX changes_of_segment ON signals.changes (segment, at);
