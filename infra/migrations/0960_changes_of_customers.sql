-- What was told last of a customer and a segment, for what is told next; and an erasure finds his.
CREATE INDEX changes_of_customer ON signals.changes (customer_id, segment, at);
