-- What agreements say of customers, learned from all of them without labels: each version a decision, the newest judges.
CREATE TABLE identity.weights (
    version   bigint      PRIMARY KEY,
    customers bigint      NOT NULL,                -- that there were
    document  jsonb       NOT NULL,                -- aggregates/matching/published.Learned
    at        timestamptz NOT NULL,
    swept     uuid,                                -- up to whom everybody was marked to be compared by it
    over      boolean     NOT NULL DEFAULT false   -- everybody was
);
