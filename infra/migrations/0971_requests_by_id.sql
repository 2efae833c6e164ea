-- What another system asked for is found by its id alone: the same id for another customer is another request.
CREATE INDEX decisions_requested ON contacts.decisions (signal) WHERE requested;
