-- Of which number a message was, as a token: a receipt that writes its name otherwise is known by both.
ALTER TABLE contacts.smpp_taken ADD COLUMN phone text COLLATE "C" NOT NULL DEFAULT '';
