-- Possible duplicates, kept up as customers change. What is compared stays in the views; here are keyed hashes of it, and the pairs.
CREATE TABLE identity.due (customer_id uuid PRIMARY KEY);      -- changed since they were compared

CREATE TABLE identity.blocks (
    key         bytea NOT NULL,                                -- keyed hash of what customers are looked up or counted by
    customer_id uuid  NOT NULL,
    PRIMARY KEY (key, customer_id)
);
CREATE INDEX blocks_of_customer ON identity.blocks (customer_id);

CREATE TABLE identity.duplicates (
    one         uuid             NOT NULL,                     -- the smaller id
    other       uuid             NOT NULL,
    probability double precision NOT NULL,
    evidence    jsonb            NOT NULL,                     -- by column how they agree; no values
    found_at    timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (one, other)
);
CREATE INDEX duplicates_of_other ON identity.duplicates (other);
CREATE INDEX duplicates_by_probability ON identity.duplicates (probability DESC, one, other);
