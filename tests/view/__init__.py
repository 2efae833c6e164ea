"""The view: its fold, what it leaves in PostgreSQL, and how it is read."""
