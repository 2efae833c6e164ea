-- The published mappings of files: each version as a person wrote it. The decisions are in decisions.events; this is what is read.
CREATE TABLE letters.mappings (
    name      text        NOT NULL,
    version   int         NOT NULL,
    text      text        NOT NULL,
    published timestamptz NOT NULL,
    by        text        NOT NULL,
    PRIMARY KEY (name, version)
);
