-- What people are to do for a contact: a call, an offer in a call that comes, a reseller's visit.
CREATE TABLE contacts.tasks (
    id          uuid        PRIMARY KEY,            -- the delivery's
    customer_id uuid        NOT NULL,
    channel     text        COLLATE "C" NOT NULL,
    rule        text        NOT NULL,
    contact     text        NOT NULL,
    purpose     text        NOT NULL,
    signal      uuid        NOT NULL,
    created     timestamptz NOT NULL DEFAULT now(),
    state       text        COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'taken', 'done')),
    taken_by    text        NOT NULL DEFAULT '',
    taken_at    timestamptz,
    outcome     text        COLLATE "C" NOT NULL DEFAULT '',
    note        text        NOT NULL DEFAULT '',
    ended       timestamptz
);
CREATE INDEX tasks_of_customer ON contacts.tasks (customer_id, created DESC);
CREATE INDEX tasks_open ON contacts.tasks (channel, created, id) WHERE state <> 'done';
CREATE INDEX tasks_by_time ON contacts.tasks (channel, created, id);

-- What came back of a contact: delivered, opened, clicked, answered, refused.
CREATE TABLE contacts.responses (
    customer_id uuid        NOT NULL,
    signal      uuid        NOT NULL,
    type        text        COLLATE "C" NOT NULL,
    at          timestamptz NOT NULL,
    event_id    uuid        NOT NULL,
    channel     text        COLLATE "C",
    PRIMARY KEY (signal, event_id)
);
CREATE INDEX responses_of_customer ON contacts.responses (customer_id, at DESC);
