-- Churn: what it means, what is known of each customer for it, what was said, and what was learnt. None of it is a read model: scores stay as
-- they were given, and examples as they were remembered.
CREATE SCHEMA churn;

-- Published definitions. A change of any field is a new version, which is scored beside the one in force until it is adopted.
CREATE TABLE churn.definitions (
    id        smallint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      text        NOT NULL,
    version   int         NOT NULL,
    stands    text        NOT NULL CHECK (stands IN ('beside', 'in_force', 'retired')),
    body      jsonb       NOT NULL,             -- aggregates.churn.Definition
    published timestamptz NOT NULL DEFAULT now(),
    by        text        NOT NULL,
    champion  bigint,                           -- the snapshot that scores are given by
    learnt    bigint      NOT NULL DEFAULT 0,   -- labels known so far
    UNIQUE (name, version)
);
CREATE UNIQUE INDEX one_in_force ON churn.definitions (name) WHERE stands = 'in_force';
INSERT INTO churn.definitions (name, version, stands, body, by) VALUES ('churn', 1, 'in_force', '{}', 'default');

-- Snapshots of the learners: signed bytes, and the sums that they come to.
CREATE TABLE churn.snapshots (
    number     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    definition smallint    NOT NULL,
    created    timestamptz NOT NULL DEFAULT now(),
    learnt     bigint      NOT NULL,            -- labels
    through    int,                             -- the last example day learnt, counted from 1970-01-01
    checksum   bytea       NOT NULL,            -- BLAKE2b of `learners` and `sums`, keyed by the master key
    made_with  text        NOT NULL,            -- the versions of the libraries that its arithmetic depends on
    learners   bytea       NOT NULL,
    sums       bytea       NOT NULL,            -- projections.churn.weights.Model
    race       jsonb       NOT NULL,            -- the experts' weights
    since      timestamptz,                     -- when it became the champion; null: it never did
    won        jsonb                            -- by what it became that
);
CREATE INDEX snapshots_of ON churn.snapshots (definition, number);

-- What is kept of a customer for a definition.
CREATE TABLE churn.states (
    customer_id uuid     NOT NULL,
    definition  smallint NOT NULL,
    partition   smallint NOT NULL,              -- of customer-events
    replayed    boolean  NOT NULL,              -- he lives in the time of sources that replay their own
    due         int,                            -- the day on which he is looked at next if nothing happens
    state       bytea    NOT NULL,
    decider     text     COLLATE "C" NOT NULL,  -- of his last fact: whose it is, his examples are
    score       real,                           -- as of his last fact or look
    given       real,                           -- as it was last written down
    told        real,                           -- as it was last published
    PRIMARY KEY (customer_id, definition)
) PARTITION BY HASH (customer_id);

DO $$ BEGIN
    FOR remainder IN 0..7 LOOP
        EXECUTE format('CREATE TABLE churn.states_%s PARTITION OF churn.states FOR VALUES WITH (MODULUS 8, REMAINDER %s)'
                       ' WITH (fillfactor = 80)', remainder, remainder);
    END LOOP;
END $$;
CREATE INDEX states_due ON churn.states (partition, replayed, due) WHERE due IS NOT NULL;

-- How far the customers of a partition were scored anew by a champion, when nothing else was to be done.
CREATE TABLE churn.rescored (
    definition smallint NOT NULL,
    partition  smallint NOT NULL,
    champion   bigint   NOT NULL,
    after      uuid,                            -- null: all were
    PRIMARY KEY (definition, partition)
);

-- Scores as they were given.
CREATE TABLE churn.given (
    customer_id uuid        NOT NULL,
    definition  smallint    NOT NULL,
    at          timestamptz NOT NULL,
    score       real        NOT NULL,
    snapshot    bigint      NOT NULL,
    silent      boolean     NOT NULL,           -- because nothing happened
    parts       bytea       NOT NULL,           -- the summands of its logit, by feature
    PRIMARY KEY (customer_id, definition, at)
);

-- Up to which day each partition of customer-events has told all it knew, in our time and in that of replayed sources.
CREATE TABLE churn.passed (
    partition smallint NOT NULL,
    replayed  boolean  NOT NULL,
    day       int      NOT NULL,
    PRIMARY KEY (partition, replayed)
);

-- The same as the learner has heard it.
CREATE TABLE churn.told (
    partition smallint NOT NULL,
    replayed  boolean  NOT NULL,
    day       int      NOT NULL,
    PRIMARY KEY (partition, replayed)
);

-- How far each definition's learner has come, its working state included.
CREATE TABLE churn.learners (
    definition smallint PRIMARY KEY,
    state      bytea    NOT NULL
);

-- What was said and from what; the label once it is known.
CREATE TABLE churn.examples (
    definition  smallint NOT NULL,
    replayed    boolean  NOT NULL,
    day         int      NOT NULL,
    silent      boolean  NOT NULL,
    customer_id uuid     NOT NULL,
    decider     text     COLLATE "C" NOT NULL,
    features    bytea    NOT NULL,
    anchors     double precision[] NOT NULL,
    given       double precision NOT NULL,      -- the logit that was given
    snapshot    bigint   NOT NULL,              -- by which
    logit       double precision,               -- the logit of the learner as it was on that day
    remembered  bytea,                          -- the experts' and the calibration's
    lost        boolean,
    PRIMARY KEY (definition, replayed, day, silent, customer_id)
) WITH (fillfactor = 45);  -- what the learner adds to a row finds room beside it, and no index is touched
CREATE INDEX examples_of ON churn.examples (customer_id, definition, day);

-- What labels are told by: the days on which customers bought, or lost a contract, as far back as labels look.
CREATE TABLE churn.evidence (
    customer_id uuid     NOT NULL,
    definition  smallint NOT NULL,
    returns     int[]    NOT NULL,
    losses      int[]    NOT NULL,
    ends        double precision,               -- of a contract that runs
    PRIMARY KEY (customer_id, definition)
);

-- The month's judgement of each model on the same examples.
CREATE TABLE churn.months (
    definition smallint NOT NULL,
    replayed   boolean  NOT NULL,
    silent     boolean  NOT NULL,
    month      date     NOT NULL,
    model      text     NOT NULL,
    rows       int      NOT NULL,
    lost       int      NOT NULL,
    auc        double precision,
    log_loss   double precision NOT NULL,
    calibration_error double precision NOT NULL,
    PRIMARY KEY (definition, replayed, silent, month, model)
);

-- Days on which the loss drifted away from what it used to be.
CREATE TABLE churn.alarms (
    definition smallint NOT NULL,
    replayed   boolean  NOT NULL,
    day        int      NOT NULL,
    loss       double precision NOT NULL,       -- mean loss of late
    before     double precision NOT NULL,       -- and until then
    PRIMARY KEY (definition, replayed, day)
);
