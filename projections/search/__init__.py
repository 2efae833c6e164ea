"""Finds a customer by what an agent has at hand: part of a name, an e-mail address, the end of a phone number, an order number.

Reading order: terms, tables.sql, table.
"""
