-- Up to where, in the time of sources that replay their own, everything that was sent is in the views.
ALTER TABLE streams.released ADD COLUMN replayed timestamptz NOT NULL DEFAULT '-infinity';
