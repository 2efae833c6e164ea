-- A contact that reached its customer stays one, whatever is asked about it later; one that became silent as it was to leave is told.
ALTER TABLE contacts.decisions
    ADD COLUMN reached timestamptz,                     -- when it first went out, or somebody got it to do
    ADD COLUMN untold  boolean NOT NULL DEFAULT false;  -- it became silent outside its customer's transaction: `signals` is to hear of it
CREATE INDEX decisions_untold ON contacts.decisions (at) WHERE untold;

-- By which channel he is approached as this is sent; empty: sending it approaches nobody.
ALTER TABLE contacts.deliveries ADD COLUMN channel text COLLATE "C" NOT NULL DEFAULT '';

-- Until when a task is not given to whoever asks for any.
ALTER TABLE contacts.tasks ADD COLUMN due timestamptz NOT NULL DEFAULT '-infinity';

UPDATE contacts.deliveries SET channel = lane
    WHERE type = 'contact.sent' AND lane NOT LIKE 'webhook:%' AND lane NOT IN ('call', 'agent_offer', 'partner_visit', 'in_app');
UPDATE contacts.decisions d SET reached = r.at
    FROM (
        SELECT signal, min(at) AS at FROM (
            SELECT signal, ended AS at FROM contacts.deliveries WHERE channel <> '' AND state = 'sent'
            UNION ALL SELECT signal, COALESCE(taken_at, ended) FROM contacts.tasks WHERE state <> 'open'
        ) every GROUP BY signal
    ) r
    WHERE r.signal = d.signal AND d.outcome = 'sent';
