-- What Yekta itself decides: events of its aggregates, in the one order in which they were decided. The eventsourcing library's recorder
-- writes them; streams/relay tells those that concern a customer to the log.
CREATE SCHEMA decisions;

CREATE TABLE decisions.events (
    originator_id      uuid   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text,
    state              bytea,
    notification_id    bigserial,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX events_notification_id_idx ON decisions.events (notification_id);
CREATE TYPE decisions.stored_event_uuid AS (originator_id uuid, originator_version bigint, topic text, state bytea);

-- Everything up to this notification is acknowledged by the log; `ends` are the next offsets of `touchpoints` after it.
CREATE TABLE decisions.relayed (
    one          boolean     PRIMARY KEY DEFAULT true CHECK (one),
    notification bigint      NOT NULL,
    ends         jsonb       NOT NULL DEFAULT '{}',
    at           timestamptz NOT NULL DEFAULT now()
);
INSERT INTO decisions.relayed (notification) VALUES (0);

-- A command sent again is answered as it was the first time: its key, what it asked, and the decision that it led to.
CREATE TABLE decisions.commands (
    key     text        PRIMARY KEY,
    asked   bytea       NOT NULL,
    id      uuid        NOT NULL,
    version bigint      NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
