-- Each of these is one table, where it was cut into four or eight by its customers: every statement was planned for all of them.
DO $$
DECLARE
    cut regclass;
    whole text;
    room text;
BEGIN
    FOR cut, room IN VALUES ('churn.states'::regclass, ' WITH (fillfactor = 80)'), ('value.states', ' WITH (fillfactor = 80)'),
                            ('streams.rule_states', '') LOOP
        whole := cut::text;
        EXECUTE format('ALTER TABLE %s RENAME TO cut', whole);
        EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS)%s', whole, cut, room);
        EXECUTE format('INSERT INTO %s SELECT * FROM %s', whole, cut);
        EXECUTE format('DROP TABLE %s', cut);
    END LOOP;
END $$;
ALTER TABLE churn.states ADD PRIMARY KEY (customer_id, definition);
CREATE INDEX states_due ON churn.states (partition, replayed, due) WHERE due IS NOT NULL;
ALTER TABLE value.states ADD PRIMARY KEY (customer_id);
ALTER TABLE streams.rule_states ADD PRIMARY KEY (customer_id, rule, version);
ANALYZE churn.states, value.states, streams.rule_states;
