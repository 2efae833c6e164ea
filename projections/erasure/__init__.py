"""Erased customers: what is taken from the tables, what stays of it, and the receipts.

Reading order: table, scrubbing, keys, counting.
"""
