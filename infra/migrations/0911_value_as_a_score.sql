-- A customer's value is given as a score, so that rules and segments can ask for it: what was given last, and who decides whose it is.
ALTER TABLE value.states ADD COLUMN told double precision,
                         ADD COLUMN decider text NOT NULL DEFAULT '';

-- How far the owner of each partition has come in giving everybody anew: under other models or costs, or because a day went by.
CREATE TABLE value.sweeps (
    partition smallint    PRIMARY KEY,
    terms     text        NOT NULL,             -- the models and costs that everybody is valued by
    begun     timestamptz NOT NULL,
    after     uuid                              -- the last customer; null: all were
);
