-- A second person's approval: a version may await it, and has who wrote it and who approved it.
ALTER TABLE signals.declared DROP CONSTRAINT declared_state_check;
ALTER TABLE signals.declared
    ADD CONSTRAINT declared_state_check CHECK (state IN ('draft', 'awaiting_approval', 'published', 'paused', 'retired')),
    ADD written_by  text NOT NULL DEFAULT '',
    ADD approved_by text NOT NULL DEFAULT '';
UPDATE signals.declared SET written_by = by;
