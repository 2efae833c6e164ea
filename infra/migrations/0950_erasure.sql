-- A customer who was erased: who he was called, what was his, and how far his erasure has come. Nothing here says anything of a person;
-- the tokens stay, so that neither a straggler nor a replay brings him back.
CREATE TABLE identity.erasures (
    id          uuid        PRIMARY KEY,             -- the event of the decision
    customer_id uuid        NOT NULL,
    number      bigint      NOT NULL,                -- identity_seq when it was done
    at          timestamptz NOT NULL,                -- what a door took before it goes with him; what came later is another's
    by_key      text        NOT NULL,
    why         text        NOT NULL,
    counts      jsonb       NOT NULL DEFAULT '{}',   -- what was taken out of which table
    done_at     timestamptz                          -- null: it goes on
);
CREATE INDEX erasures_newest ON identity.erasures (at DESC, id DESC);
CREATE INDEX erasures_by_number ON identity.erasures (number);
CREATE INDEX erasures_open ON identity.erasures (id) WHERE done_at IS NULL;

-- He, and those whose ids led to him.
CREATE TABLE identity.erased (customer_id uuid PRIMARY KEY, erasure uuid NOT NULL);
CREATE INDEX erased_by ON identity.erased (erasure);

CREATE TABLE identity.erased_tokens (
    identifier text        COLLATE "C" NOT NULL,
    at         timestamptz NOT NULL,                 -- of the erasure
    erasure    uuid        NOT NULL,
    PRIMARY KEY (identifier, at, erasure)
);
CREATE INDEX erased_tokens_by ON identity.erased_tokens (erasure);

CREATE TABLE identity.erased_events (event_id uuid PRIMARY KEY, erasure uuid NOT NULL);
CREATE INDEX erased_events_by ON identity.erased_events (erasure);

-- A dead letter of his keeps when and where it was refused, and nothing else.
ALTER TABLE letters.letters DROP CONSTRAINT letters_status_check;
ALTER TABLE letters.letters ADD CONSTRAINT letters_status_check CHECK (status IN ('open', 'replayed', 'erased'));

-- A destroyed key says when, and by which erasure; one that merely has no row was lost, and whoever wants it stops.
ALTER TABLE secrets.data_keys ADD COLUMN destroyed timestamptz, ADD COLUMN erasure uuid;
UPDATE secrets.data_keys SET destroyed = now() WHERE wrapped IS NULL;
ALTER TABLE secrets.data_keys ADD CONSTRAINT destroyed_says_when CHECK ((wrapped IS NULL) = (destroyed IS NOT NULL));
CREATE INDEX data_keys_erased ON secrets.data_keys (erasure) WHERE erasure IS NOT NULL;
CREATE INDEX data_keys_destroyed ON secrets.data_keys (destroyed) WHERE destroyed IS NOT NULL;

-- What others had sealed with a destroyed key, wrapped by the master key one by one.
CREATE TABLE secrets.anew (
    number  bigint NOT NULL,
    context bytea  NOT NULL,                         -- what was sealed: the id of the event, or of the letter
    sealed  bytea  NOT NULL,
    PRIMARY KEY (number, context)
);

-- Keys that are to be destroyed; nobody may seal with them any more.
CREATE TABLE secrets.doomed (
    number  bigint NOT NULL,
    erasure uuid   NOT NULL,
    asked   timestamptz,                             -- whoever holds keys and has looked since then has let go of it
    PRIMARY KEY (number, erasure)
);

-- Who holds keys, and when each looked last at which are doomed.
CREATE TABLE secrets.holders (id uuid PRIMARY KEY, heard timestamptz NOT NULL);

-- An event that was sent again was sealed again: with which keys.
CREATE TABLE secrets.copies (event_id uuid NOT NULL, number bigint NOT NULL, PRIMARY KEY (event_id, number));
