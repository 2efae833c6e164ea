"""Accounts and households: who belongs together without being one, and what comes of their members' views together.

Reading order: fold, table.
"""
