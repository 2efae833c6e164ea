-- A definition that is published goes through the log of the past before it can take over: each partition tells the learner what it would
-- have said of its customers, and the learner goes through their days once all have.
ALTER TABLE churn.definitions ADD COLUMN past boolean NOT NULL DEFAULT true;  -- still on its way through the past
UPDATE churn.definitions SET past = false;                                    -- the first was there before any customer

-- How far the owner of each partition has come.
CREATE TABLE churn.past (
    definition smallint NOT NULL,
    partition  smallint NOT NULL,
    after      uuid,                            -- the last customer; null: all were
    PRIMARY KEY (definition, partition)
);

-- The partitions that have told all of it, as the learner has heard it.
CREATE TABLE churn.past_told (
    definition smallint NOT NULL,
    partition  smallint NOT NULL,
    PRIMARY KEY (definition, partition)
);
