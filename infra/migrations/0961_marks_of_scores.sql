-- What scores made of the first facts of a long history, at some places of it, so that a late fact needs only what came after it.
CREATE TABLE churn.marks (
    customer_id uuid        NOT NULL,
    at          timestamptz NOT NULL,              -- of the last fact in it
    span        int         NOT NULL,              -- how far it is from the one before it
    made        bytea       NOT NULL,
    PRIMARY KEY (customer_id, at)
);
