-- What agents know and say: articles, found by their words, and scripts whose steps branch.
CREATE TABLE service.articles (
    id       uuid        PRIMARY KEY,
    title    text        NOT NULL,
    body     text        NOT NULL,
    category text        NOT NULL DEFAULT '',
    live     boolean     NOT NULL DEFAULT true,
    by       text        NOT NULL,
    changed  timestamptz NOT NULL DEFAULT now(),
    words    tsvector    NOT NULL                  -- of title and body as a search compares them: one spelling, no endings
);
CREATE INDEX articles_by_words ON service.articles USING gin (words);

CREATE TABLE service.scripts (
    name       text        PRIMARY KEY,
    title      text        NOT NULL,
    for_reason text        NOT NULL DEFAULT '',    -- the category of call it is for
    for_offer  text        NOT NULL DEFAULT '',    -- the offer it is for
    steps      jsonb       NOT NULL,               -- [{"id", "say", "answers": [{"text", "next"}]}]
    live       boolean     NOT NULL DEFAULT true,
    by         text        NOT NULL,
    changed    timestamptz NOT NULL DEFAULT now()
);

-- Which article resolved which request: written with the decision.
CREATE TABLE service.resolved_by (
    article uuid        NOT NULL,
    request uuid        NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (article, request)
);
