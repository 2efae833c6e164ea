-- Folds of a rule at some places of a customer's past, so that a late fact needs only what came after it. The further back, the fewer.
CREATE TABLE streams.rule_marks (
    customer_id uuid     NOT NULL,
    rule        text     COLLATE "C" NOT NULL,
    version     int      NOT NULL,
    partition   smallint NOT NULL,
    marks       bytea    NOT NULL,
    PRIMARY KEY (customer_id, rule, version)
);
