"""Possible duplicates: which customers changed, by what they are looked up, and the pairs that wait for a person.

Reading order: record, table, weights.
"""
