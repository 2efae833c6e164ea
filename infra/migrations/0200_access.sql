-- Who may speak: the events of keys (the eventsourcing library's recorder writes them) and, in the same transaction, how each key stands.
CREATE SCHEMA access;

CREATE TABLE access.events (
    originator_id      uuid   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text,
    state              bytea,
    notification_id    bigserial,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX events_notification_id_idx ON access.events (notification_id);
CREATE TYPE access.stored_event_uuid AS (originator_id uuid, originator_version bigint, topic text, state bytea);

-- For people and reports; a door reads `state`, which is the whole key. No secret is anywhere, only SHA-256 sums.
CREATE TABLE access.keys (
    id       uuid        PRIMARY KEY,
    version  bigint      NOT NULL,
    source   text,
    role     text        NOT NULL,
    label    text        NOT NULL,
    created  timestamptz NOT NULL,
    revoked  timestamptz,
    state    jsonb       NOT NULL
);
