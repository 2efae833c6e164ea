-- Customer value: the sufficient statistics of each customer, the models fitted on all of them, and the published costs.
CREATE SCHEMA value;

CREATE TABLE value.states (
    customer_id uuid     PRIMARY KEY,
    partition   smallint NOT NULL,
    replayed    boolean  NOT NULL,
    state       bytea    NOT NULL
) PARTITION BY HASH (customer_id);

DO $$ BEGIN
    FOR remainder IN 0..7 LOOP
        EXECUTE format('CREATE TABLE value.states_%s PARTITION OF value.states FOR VALUES WITH (MODULUS 8, REMAINDER %s)'
                       ' WITH (fillfactor = 80)', remainder, remainder);
    END LOOP;
END $$;

-- How often a customer was written down since the models were fitted last; a row each partition, so that nobody waits.
CREATE TABLE value.changes (
    partition smallint NOT NULL,
    replayed  boolean  NOT NULL,
    changes   bigint   NOT NULL,
    PRIMARY KEY (partition, replayed)
);

CREATE TABLE value.models (
    number    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    replayed  boolean     NOT NULL,              -- of customers that live in replayed time
    fitted    timestamptz NOT NULL DEFAULT now(),
    at        timestamptz NOT NULL,              -- the now that it was fitted at
    changes   bigint      NOT NULL,              -- as counted then
    body      jsonb       NOT NULL
);

CREATE TABLE value.costs (
    version   int         PRIMARY KEY,
    body      jsonb       NOT NULL,              -- aggregates.value.Costs
    published timestamptz NOT NULL DEFAULT now(),
    by        text        NOT NULL
);
