-- What an SMS center was given, and whether it said that it took it: what it says nothing of is waited for before it is sent again.
CREATE TABLE contacts.smpp_given (
    delivery    uuid        PRIMARY KEY,
    customer_id uuid        NOT NULL,
    signal      uuid        NOT NULL,
    phone       text        COLLATE "C" NOT NULL,       -- the token of the number
    at          timestamptz NOT NULL DEFAULT now(),
    taken       boolean     NOT NULL DEFAULT false
);

-- Receipts of messages that are not known by this name: the center says what became of them before it says that it took them, or never does.
CREATE TABLE contacts.smpp_receipts (
    message_id  text        COLLATE "C" PRIMARY KEY,
    state       text        NOT NULL,
    phone       text        COLLATE "C" NOT NULL,       -- the token of the number that it is of; empty: it is none
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX smpp_receipts_at ON contacts.smpp_receipts (at);
