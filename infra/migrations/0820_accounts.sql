-- Accounts of companies and households: people who belong together and stay who they are. Members are named by an identifier, so that
-- they follow a merge and a split.
CREATE TABLE identity.accounts (
    account_id uuid        PRIMARY KEY,
    kind       text        NOT NULL CHECK (kind IN ('account', 'household')),
    name       text        NOT NULL,
    reference  text        COLLATE "C" UNIQUE,       -- what the company's own systems call it
    parent     uuid        REFERENCES identity.accounts,
    at         timestamptz NOT NULL,
    closed_at  timestamptz
);
CREATE INDEX accounts_by_name ON identity.accounts (lower(name), account_id);
CREATE INDEX accounts_of_parent ON identity.accounts (parent) WHERE parent IS NOT NULL;

CREATE TABLE identity.members (
    account_id uuid        NOT NULL REFERENCES identity.accounts,
    identifier text        COLLATE "C" NOT NULL,
    role       text        NOT NULL,
    since      timestamptz NOT NULL,
    by_key     text        NOT NULL,                 -- the staff key, or the source that said so
    PRIMARY KEY (account_id, identifier)
);
CREATE INDEX members_by_identifier ON identity.members (identifier);

-- Customers by the address they told, as a keyed hash: who shares one may be a household.
CREATE TABLE identity.addresses (
    key         bytea NOT NULL,
    customer_id uuid  NOT NULL,
    PRIMARY KEY (key, customer_id)
);
CREATE INDEX addresses_of_customer ON identity.addresses (customer_id);
