-- What was refused, as far as the topic `dead-letters` was read. The bytes stay sealed here too.
CREATE SCHEMA letters;

CREATE TABLE letters.letters (
    id           uuid        PRIMARY KEY,
    source       text        NOT NULL,
    reason       text        NOT NULL,
    pointer      text        NOT NULL,
    detail       text        NOT NULL,
    mend         text        NOT NULL,
    recorded     timestamptz NOT NULL,
    place        text        NOT NULL,  -- a door's path, or topic-partition-offset
    topic        text        NOT NULL,  -- empty: it came through HTTP
    partition    int         NOT NULL,
    "offset"     bigint      NOT NULL,
    content_type text        NOT NULL,
    key          bytea       NOT NULL,
    seal         bigint      NOT NULL,
    sealed       bytea       NOT NULL,
    event        uuid,                  -- the event id, when the sender's source and id could be read
    status       text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed')),
    replayed_as  uuid,                  -- the event id
    replayed_at  timestamptz,
    replayed_by  text
);
CREATE INDEX letters_newest ON letters.letters (recorded DESC, id DESC);
CREATE INDEX letters_newest_of_source ON letters.letters (source, recorded DESC, id DESC);
CREATE INDEX letters_of_event ON letters.letters (event, recorded DESC) WHERE event IS NOT NULL;
CREATE INDEX letters_replayed_as ON letters.letters (replayed_as) WHERE replayed_as IS NOT NULL;
