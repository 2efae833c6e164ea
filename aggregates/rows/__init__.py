"""Makes events of the rows of files: spreadsheets and lists that partners send, with headers and dates as people write them.

Pure: the same row under the same mapping is the same event, wherever it is made. Reading order: fields (what may be filled), headers
(which column means what), mapping (what a person says of it) and its schema, layout (both, for one file), dates and cells (texts into
values), identity, event, row; growth (what a longer invoice adds).
"""
