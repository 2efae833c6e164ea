-- What an SMS center took, by the name that it gave it: its receipt comes hours or days later.
CREATE TABLE contacts.smpp_taken (
    message_id  text        COLLATE "C" PRIMARY KEY,
    customer_id uuid        NOT NULL,
    signal      uuid        NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    told        timestamptz                             -- when its receipt came
);
