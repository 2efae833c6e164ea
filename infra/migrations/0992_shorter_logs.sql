-- The log was once found shorter than the position: that it is long enough by now may only mean that more was appended.
ALTER TABLE streams.positions ADD COLUMN shorter boolean NOT NULL DEFAULT false;
