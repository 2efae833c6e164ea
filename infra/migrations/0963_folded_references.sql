-- Read models that were made before have the column too. It stays empty for what is in them already, until they are made anew.
DO $$
DECLARE made text;
BEGIN
    FOR made IN SELECT schemaname FROM pg_tables WHERE schemaname ~ '^read_[0-9]+$' AND tablename = 'timeline' LOOP
        EXECUTE format('ALTER TABLE %I.timeline ADD COLUMN IF NOT EXISTS ref_folded text COLLATE "C"', made);
        EXECUTE format('CREATE INDEX IF NOT EXISTS timeline_by_ref_folded ON %I.timeline (ref_folded) WHERE ref_folded IS NOT NULL', made);
    END LOOP;
END $$;
