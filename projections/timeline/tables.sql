-- Every customer event, once. The primary key is where duplicates end; the record is what folds read again.
CREATE TABLE {schema}.timeline (
    customer_id   uuid        NOT NULL,              -- the nil uuid: nobody's, the touchpoint named no identifier
    event_id      uuid        NOT NULL,
    at            timestamptz NOT NULL,              -- effective time: orders, folds and windows go by it
    occurred      timestamptz NOT NULL,
    recorded      timestamptz NOT NULL,
    type          text        COLLATE "C" NOT NULL,
    channel       text        COLLATE "C" NOT NULL,
    source        text        NOT NULL,
    ref           text        COLLATE "C",           -- the number people look for: order, call, quote …
    ref_folded    text        COLLATE "C",           -- as search compares it, where that is another text than ref
    amount        numeric,
    currency      text        COLLATE "C",
    decider       text        COLLATE "C" NOT NULL,  -- the token by which it is the customer's; empty: nobody's
    seal          bigint      NOT NULL,              -- number of the data key; 0: nothing is sealed
    flags         smallint    NOT NULL,              -- 1 simulated, 2 backfill, 4 future, 8 past, 16 event clock
    log_partition smallint    NOT NULL,
    log_offset    bigint      NOT NULL,
    record        bytea       NOT NULL,
    PRIMARY KEY (customer_id, event_id)
);


CREATE INDEX timeline_by_time ON {schema}.timeline (customer_id, at, event_id);
CREATE INDEX timeline_by_ref ON {schema}.timeline (ref) WHERE ref IS NOT NULL;
CREATE INDEX timeline_by_ref_folded ON {schema}.timeline (ref_folded) WHERE ref_folded IS NOT NULL;
