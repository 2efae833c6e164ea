-- Who looked at which customer, at what of him, and why.
CREATE TABLE access.looks (
    id          bigserial   PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    who         text        NOT NULL,
    key         uuid        NOT NULL,
    role        text        NOT NULL,
    customer_id uuid        NOT NULL,
    what        text        NOT NULL,
    why         text        NOT NULL
);
CREATE INDEX looks_at_customer ON access.looks (customer_id, id DESC);
CREATE INDEX looks_of_somebody ON access.looks (who, id DESC);
