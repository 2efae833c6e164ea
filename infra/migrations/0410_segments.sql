-- What is kept of a customer for a segment; and who is still to be looked at, after a rule or a segment was published.
CREATE TABLE streams.segment_states (
    customer_id uuid     NOT NULL,
    segment     text     COLLATE "C" NOT NULL,
    version     int      NOT NULL,
    partition   smallint NOT NULL,
    inside      boolean  NOT NULL,
    state       bytea    NOT NULL,
    PRIMARY KEY (customer_id, segment, version)
);
CREATE INDEX segment_states_of_segment ON streams.segment_states (segment, partition);
CREATE INDEX members_in_order ON signals.members (segment, since, customer_id);

CREATE TABLE streams.surveys (
    partition smallint NOT NULL,
    kind      text     NOT NULL,
    name      text     COLLATE "C" NOT NULL,
    version   int      NOT NULL,
    after     uuid     NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',  -- everybody up to here was looked at
    PRIMARY KEY (partition, kind, name, version)
);
