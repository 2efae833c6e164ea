-- Of customers whom an earlier version of a segment knew, the next one went on with what that one had heard: it is found anew, of everybody.
DELETE FROM streams.segment_states;
DELETE FROM streams.timers WHERE rule LIKE ' segment %';
DELETE FROM streams.surveys WHERE kind = 'segment';
INSERT INTO streams.surveys (partition, kind, name, version)
SELECT partition, kind, name, version FROM streams.in_force WHERE kind = 'segment' AND state = 'published';
