-- By which names a gateway knows what it was given, the number that it was told and its own: its receipts say one of them.
CREATE TABLE contacts.names (
    name        text        COLLATE "C" NOT NULL,
    channel     text        COLLATE "C" NOT NULL,
    signal      uuid        NOT NULL,
    customer_id uuid        NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(), -- names may come round again: of whom else is not named it is the latest
    PRIMARY KEY (name, channel, signal)
);
