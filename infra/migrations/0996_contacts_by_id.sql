-- Who answers a contact by its id alone is found by it.
CREATE INDEX decisions_by_signal ON contacts.decisions (signal);
