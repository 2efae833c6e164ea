"""The timeline: every customer event as the log has it, once, under the customer it belongs to now.

It is what views are folded from again, what people read, and where a duplicate ends. Reading order: row, tables.sql, table, page, since.
"""
