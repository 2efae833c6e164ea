-- Approaches to customers: what was decided, what was sent, who hears of it. None of it is a read model: a rebuild leaves it alone.
CREATE SCHEMA contacts;

-- How each webhook stands; secrets are sealed in `state`.
CREATE TABLE contacts.webhooks (
    id      uuid        PRIMARY KEY,
    version bigint      NOT NULL,
    url     text        NOT NULL,
    types   text[]      NOT NULL,
    enabled boolean     NOT NULL,
    created timestamptz NOT NULL,
    state   jsonb       NOT NULL
);

-- Every version of the contact policy; the highest is in force.
CREATE TABLE contacts.policy (
    version   int         PRIMARY KEY,
    at        timestamptz NOT NULL,
    by        text        NOT NULL,
    text      text        NOT NULL
);

-- By which hold-outs are drawn: made once, so that the same people are kept out for ever.
CREATE TABLE contacts.salt (one boolean PRIMARY KEY DEFAULT true CHECK (one), salt text NOT NULL);
INSERT INTO contacts.salt (salt) VALUES (replace(gen_random_uuid()::text, '-', ''));

-- One row a customer, locked by whoever reserves a contact: no cap can be passed by two at once.
CREATE TABLE contacts.customers (customer_id uuid PRIMARY KEY);

-- What was sent or reserved: caps count these.
CREATE TABLE contacts.made (
    customer_id uuid        NOT NULL,
    id          uuid        NOT NULL,               -- the signal's, or of the request that reserved it
    at          timestamptz NOT NULL,
    channel     text        COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, id)
);

-- Every candidate, with its one outcome.
CREATE TABLE contacts.decisions (
    customer_id uuid        NOT NULL,
    signal      uuid        NOT NULL,               -- of a request from outside: the id made of its request id
    rule        text        NOT NULL,               -- of a request from outside: who asked
    version     int         NOT NULL,
    contact     text        NOT NULL,               -- what he is approached with
    purpose     text        NOT NULL,
    outcome     text        COLLATE "C" NOT NULL CHECK (outcome IN ('sent', 'held', 'silent')),
    channel     text        COLLATE "C",
    at          timestamptz NOT NULL,
    until       timestamptz,
    reason      text,
    occurred    timestamptz NOT NULL,
    wanted      timestamptz NOT NULL,
    seq         bigserial   NOT NULL,
    want        bytea       NOT NULL,               -- what it takes to decide again
    requested   boolean     NOT NULL DEFAULT false, -- another system asked
    PRIMARY KEY (customer_id, signal)
);
CREATE INDEX decisions_by_time ON contacts.decisions (customer_id, at DESC, signal);
CREATE INDEX decisions_by_rule ON contacts.decisions (rule, at DESC, signal);
CREATE INDEX decisions_held ON contacts.decisions (customer_id, until) WHERE outcome = 'held';

-- What goes out, each thing to each receiver once; the sender leases rows by moving `due`.
CREATE TABLE contacts.deliveries (
    id          uuid        PRIMARY KEY,
    message     uuid        NOT NULL,               -- stays the same over retries
    lane        text        COLLATE "C" NOT NULL,   -- what must not wait for each other: webhook:<id>, email, sms …
    type        text        NOT NULL,
    rule        text        NOT NULL,
    customer_id uuid,
    signal      uuid,
    body        bytea       NOT NULL,
    state       text        COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'silent')),
    created     timestamptz NOT NULL DEFAULT now(),
    due         timestamptz NOT NULL DEFAULT now(),
    attempts    int         NOT NULL DEFAULT 0,
    lease       bigint      NOT NULL DEFAULT 0,     -- counts those who took it: only the latest may say what became of it
    ended       timestamptz,
    status      int,
    error       text        NOT NULL DEFAULT ''
);
CREATE INDEX deliveries_due ON contacts.deliveries (lane, due) WHERE state = 'waiting';
CREATE INDEX deliveries_by_time ON contacts.deliveries (created DESC, id);
CREATE INDEX deliveries_of_customer ON contacts.deliveries (customer_id, created DESC);

-- How a lane fares: who fails again and again is tried seldom, and costs the others nothing.
CREATE TABLE contacts.lanes (
    lane       text        COLLATE "C" PRIMARY KEY,
    failures   int         NOT NULL DEFAULT 0,      -- in a row
    not_before timestamptz NOT NULL DEFAULT '-infinity'
);

-- What is stopped: everything, channel:<name>, rule:<name>.
CREATE TABLE contacts.pauses (
    scope text        COLLATE "C" PRIMARY KEY,
    since timestamptz NOT NULL,
    by    text        NOT NULL
);
