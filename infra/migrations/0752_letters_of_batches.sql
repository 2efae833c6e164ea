-- When the batch that a letter came in says that it was sent: by it a replay corrects the sender's clock as the door would have.
ALTER TABLE letters.letters ADD COLUMN sent text NOT NULL DEFAULT '';
