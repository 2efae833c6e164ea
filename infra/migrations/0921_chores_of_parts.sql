-- A history that is folded anew is told to the parts as well, in the same pieces: what they have made of it so far stands beside the view's state.
-- `whole`: whether they hear it at all. A piece never ends between facts of the same time, so the time alone says how far it has come.
ALTER TABLE streams.chores
    ADD COLUMN whole boolean NOT NULL DEFAULT true,
    ADD COLUMN parts bytea,
    DROP COLUMN after_event;
