-- Service requests as they stand: written with each decision, in its transaction; the decisions are the truth.
CREATE SCHEMA service;
CREATE SEQUENCE service.number START 1001;

CREATE TABLE service.requests (
    id           uuid        PRIMARY KEY,
    number       text        NOT NULL UNIQUE,
    version      bigint      NOT NULL,
    state        text        COLLATE "C" NOT NULL,
    live         boolean     NOT NULL,
    queue        text        NOT NULL,
    owner        text        NOT NULL,               -- empty: nobody yet
    priority     text        COLLATE "C" NOT NULL,
    category     text        NOT NULL,
    decider      text        COLLATE "C" NOT NULL,   -- token of the identifier it was made by: whose it is now, identity says
    opened_at    timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    response_due timestamptz NOT NULL,
    responded_at timestamptz,
    due          timestamptz NOT NULL,
    waiting      boolean     NOT NULL,
    escalation   smallint    NOT NULL,
    score        smallint,
    next_due     timestamptz,                        -- when time alone changes something; null: never
    body         jsonb       NOT NULL                -- the whole state
);
CREATE INDEX requests_of_customer ON service.requests (decider, opened_at DESC);
CREATE INDEX requests_by_owner ON service.requests (owner, due, id) WHERE live;
CREATE INDEX requests_by_queue ON service.requests (queue, due, id) WHERE live;
CREATE INDEX requests_by_due ON service.requests (due, id);
CREATE INDEX requests_overdue ON service.requests (next_due) WHERE next_due IS NOT NULL;
