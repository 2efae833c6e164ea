-- A refused row of a file is found by where it stood, in the words of whoever sent the file.
ALTER TABLE letters.letters
    ADD COLUMN file text,
    ADD COLUMN "row" int,
    ADD COLUMN "column" text,
    ADD COLUMN mapping text;
CREATE INDEX letters_of_file ON letters.letters (source, file, "row") WHERE file IS NOT NULL;
CREATE INDEX letters_of_mapping ON letters.letters (mapping, recorded DESC, id DESC) WHERE mapping IS NOT NULL;
