"""Judges models over files, with exactly the live code and no engines. Reading order: reading, metrics, batch, churn, table."""
