-- What a lane may send at once, as of when: all workers of an installation send at one pace together.
ALTER TABLE contacts.lanes
    ADD COLUMN allowance  float8      NOT NULL DEFAULT 1,
    ADD COLUMN allowed_at timestamptz NOT NULL DEFAULT now();
