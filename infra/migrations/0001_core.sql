-- What outlives every read model: keys, identity, receipts, positions, outbox. Read models live in schemas with a number, read_<n>.
CREATE SCHEMA secrets;
CREATE SCHEMA identity;
CREATE SCHEMA streams;

-- Data keys, wrapped by the master key. An erased key keeps its row with nothing in it, so that "erased" and "unknown" differ.
CREATE TABLE secrets.data_keys (
    number    bigint      PRIMARY KEY,
    wrapped   bytea,
    leased_at timestamptz NOT NULL DEFAULT now()
);
CREATE SEQUENCE secrets.data_key_number;

-- Which master key wraps them: another one must be refused before it seals a single event.
CREATE TABLE secrets.master (one boolean PRIMARY KEY DEFAULT true CHECK (one), fingerprint text NOT NULL);

-- Who owns an identifier now. `identifier` is a token: kind, colon, keyed hash.
CREATE TABLE identity.identifiers (
    identifier  text    COLLATE "C" PRIMARY KEY,
    customer_id uuid    NOT NULL,
    number      bigint  NOT NULL,               -- identity_seq of the latest fact about it
    event_id    uuid    NOT NULL,               -- the event that made that fact
    detached    boolean NOT NULL DEFAULT false  -- two strong owners claimed it: it links no more
);
CREATE INDEX identifiers_of_customer ON identity.identifiers (customer_id);

CREATE TABLE identity.customers (
    customer_id uuid    PRIMARY KEY,
    founded     bigint  NOT NULL,               -- identity_seq: of two customers that become one, the lower stays
    event_id    uuid    NOT NULL
);

-- Customers that ever lost an identifier: their records are looked at twice.
CREATE TABLE identity.moved (customer_id uuid PRIMARY KEY);

CREATE TABLE identity.moves (
    number     bigint PRIMARY KEY,
    identifier text   COLLATE "C" NOT NULL,
    owner      uuid   NOT NULL,
    before     uuid   NOT NULL,
    event_id   uuid   NOT NULL
);
CREATE INDEX moves_before ON identity.moves (before);
CREATE INDEX moves_owner ON identity.moves (owner);

CREATE TABLE identity.conflicts (
    event_id    uuid NOT NULL,
    customer_id uuid NOT NULL,
    reason      text NOT NULL,
    PRIMARY KEY (event_id)
);

CREATE TABLE identity.numbers (last bigint NOT NULL);
INSERT INTO identity.numbers VALUES (0);

-- One row per touchpoint, for ever: what became of it, and the answer to every duplicate.
CREATE TABLE identity.receipts (
    event_id    uuid     PRIMARY KEY,
    body        text     NOT NULL,              -- keyed hash of the canonical body, base64url
    customer_id uuid,                           -- null: it named no identifier
    decider     text     COLLATE "C" NOT NULL,
    identity    text     NOT NULL DEFAULT '',   -- JSON of wire.Identity, when attributing changed something
    partition   smallint NOT NULL,
    "offset"    bigint   NOT NULL
);
CREATE INDEX receipts_of_nobody ON identity.receipts (partition, "offset") WHERE customer_id IS NULL;

CREATE TABLE streams.positions (
    processor   text     NOT NULL,
    partition   smallint NOT NULL,
    topic       text     NOT NULL,
    topic_id    text     NOT NULL,
    next_offset bigint   NOT NULL,              -- everything before it is done, acknowledgements included
    tenure      bigint   NOT NULL DEFAULT 0,    -- counts the owners of the partition: only the latest may move the position
    written     bigint   NOT NULL DEFAULT 0,    -- everything before it is in PostgreSQL; it may not be published yet
    published   jsonb    NOT NULL DEFAULT '{}', -- next offsets of the topic published to, after the last acknowledgement
    deaths      smallint NOT NULL DEFAULT 0,    -- assignments at this position since the last progress
    trying      bigint,                         -- the record that is being tried alone
    tries       smallint NOT NULL DEFAULT 0,    -- how often it was, without an answer
    halted      text     NOT NULL DEFAULT '',   -- why the partition stands still, for people
    progress_at timestamptz NOT NULL DEFAULT now(),
    newest      timestamptz,                    -- recorded time of the newest record folded
    PRIMARY KEY (processor, partition)
);

CREATE TABLE streams.outbox (
    partition smallint NOT NULL,
    "offset"  bigint   NOT NULL,
    n         int      NOT NULL,
    topic     text     NOT NULL,
    key       bytea    NOT NULL,
    value     bytea    NOT NULL,
    headers   bytea    NOT NULL,               -- msgpack: [[name, value], ...]
    PRIMARY KEY (partition, "offset", n)
);

-- Long histories move and refold in pieces, behind these cursors.
CREATE TABLE streams.chores (
    partition   smallint NOT NULL,
    customer_id uuid     NOT NULL,
    chore       text     NOT NULL CHECK (chore IN ('hand_over', 'refold')),
    schema      text     NOT NULL,
    after_at    timestamptz,
    after_event uuid,
    state       bytea,
    asked_offset bigint  NOT NULL,               -- where and when the log asked for it
    asked_at    timestamptz NOT NULL,
    PRIMARY KEY (partition, customer_id, chore)
);

-- The now of sources that replay their own time: the latest time seen, per customer-events partition.
CREATE TABLE streams.clocks (
    partition smallint    PRIMARY KEY,
    now       timestamptz NOT NULL
);

CREATE TABLE streams.generation (number int NOT NULL);
INSERT INTO streams.generation VALUES (1);
