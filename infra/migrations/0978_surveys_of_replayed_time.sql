-- How far replayed time was when a rule was published: what was due by then would have been said before it, and is not said.
ALTER TABLE streams.surveys ADD COLUMN replayed timestamptz;
