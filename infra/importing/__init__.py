"""Brings files of partners into the log, row by row, through the door for rows. Nothing here judges a row: `aggregates.rows` does.

It is the HTTP door and not the topic, because a row must be refused with its file, row and column while the importer still has the file
open, because the write key says whose rows they are, and because an importer may run on another machine, with nothing but that key.
Reading order: table (what readers give), encoding, packed, the readers (delimited, workbook, records), opening (which of them), grouping,
sending, progress, preview, dropped (the watched folder; source_keys).
"""
