-- What is kept of each customer: the state of the fold, and what lists are made of.
CREATE TABLE {schema}.view (
    customer_id   uuid        PRIMARY KEY,
    state         bytea       NOT NULL,
    name          text        NOT NULL,                -- the best to show; empty: nobody told one
    last_seen     timestamptz,                         -- null: he was only heard of
    events        bigint      NOT NULL,
    wall          boolean     NOT NULL,                -- he lives in our time; false: in that of replayed sources
    terms         bytea       NOT NULL,                -- what search knows him by, as one hash
    log_partition smallint    NOT NULL,                -- where the last change came from
    log_offset    bigint      NOT NULL,
    moving        boolean     NOT NULL DEFAULT false   -- his history is on its way to or from another
) WITH (fillfactor = 80);

