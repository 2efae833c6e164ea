-- Articles and scripts are decisions now; these rows are the newest version of each, as it is searched and shown.
ALTER TABLE service.articles ADD COLUMN version bigint NOT NULL DEFAULT 0;  -- 0: from before versions were kept
ALTER TABLE service.scripts ADD COLUMN version bigint NOT NULL DEFAULT 0;
